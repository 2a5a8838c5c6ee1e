"""Files and sets of files that a kill, a full disk or damage can never leave half made."""

import errno
import json
import os
import re
import threading

import pytest
import torch

from benchmarks.fault_injection import KILL, Fault, Steps
from recbole_imn.__main__ import main
from recbole_imn.data import publishing
from recbole_imn.data.downloads import fetch
from recbole_imn.data.first_use import provide
from recbole_imn.data.market import MarketConfig, read_config, simulate, write_market
from recbole_imn.data.publishing import Workspace, reading, settle
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.errors import DataError, SettingsError
from recbole_imn.files import os_line, read_yaml, replace_text, replaced, sealed
from recbole_imn.scratch import scratch_file, scratch_folder
from tests.reliability.forks import forked, status_of

DEAD = ".x.0123456789abcdef0123456789abcdef.part"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# -- single files -----------------------------------------------------------------------------


def test_content_is_on_disk_before_the_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    done, sync, replace = [], os.fsync, os.replace

    def note(descriptor):
        is_folder = os.path.isdir(f"/proc/self/fd/{descriptor}")
        done.append("sync folder" if is_folder else "sync file")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(os, "replace", lambda *paths: (done.append("rename"), replace(*paths)))
    replace_text(tmp_path / "a.txt", "new")
    assert done == ["sync file", "rename", "sync folder"]


def test_what_a_killed_process_left_goes_and_what_a_living_one_uses_stays(tmp_path):
    (tmp_path / DEAD).write_text("half")
    (tmp_path / DEAD.replace("0", "1")).mkdir()
    (tmp_path / DEAD.replace("0", "1") / "run.ipc").write_text("half")
    (tmp_path / ".mine.part").write_text("by hand")
    with scratch_file(tmp_path / "b") as file, scratch_folder(tmp_path / "c") as folder:
        replace_text(tmp_path / "a.txt", "new")
        assert {path.name for path in tmp_path.iterdir()} == {
            *("a.txt", ".mine.part", file.name, folder.name)
        }
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", ".mine.part"}


def test_a_kill_at_any_step_leaves_the_old_file_or_the_new_one(tmp_path):
    found = []
    for number in range(1, 100):
        folder = tmp_path / str(number)
        write_all(folder, {"a.txt": b"old"})

        def write(folder=folder, number=number):
            Steps(folder, Fault(KILL, number), memoryview(bytearray(8))).watch()
            replace_text(folder / "a.txt", "new")

        status = status_of(forked(write))
        found.append((folder / "a.txt").read_bytes())
        replace_text(folder / "a.txt", "new")
        assert contents(folder) == {"a.txt": b"new"}
        if status == 0:
            break
    # After the write, the sync and the rename; before, the file is the old one.
    assert found == sorted(found, reverse=True)
    assert found.count(b"old") >= 4


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_errors_of_the_disk_are_a_line_with_the_name_of_the_file(tmp_path, monkeypatch, code):
    replace_text(tmp_path / "a.txt", "old")

    def refuse(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match=r"a\.txt") as found:
        replace_text(tmp_path / "a.txt", "new")
    line = os_line(found.value)
    assert line.startswith(f"{tmp_path / 'a.txt'}: {os.strerror(code)}")
    assert "part" not in line
    assert contents(tmp_path) == {"a.txt": b"old"}


class FullDisk:
    """A file that takes nothing."""

    def write(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def flush(self):
        """Have nothing to write."""


def test_a_full_disk_is_found_behind_the_error_of_another_writer(tmp_path):
    # torch says 'unexpected pos 64 vs 0'.
    with pytest.raises(OSError, match="No space left") as found, replaced(tmp_path / "a.pth"):
        torch.save({"weights": torch.ones(9)}, FullDisk())
    assert os_line(found.value).startswith(f"{tmp_path / 'a.pth'}: No space left on device; free")


def test_things_in_each_others_places_are_a_line(tmp_path, capsys):
    (tmp_path / "out").write_text("a file")
    market = ["simulate", "czb-mini", "--scale=0.15"]
    assert main([*market, f"--output={tmp_path / 'out'}"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.match(r"error: .*out.*a file is in the place of a folder", error)
    (tmp_path / "a.md").mkdir()
    with pytest.raises(OSError, match=r"a\.md") as found:
        replace_text(tmp_path / "a.md", "new")
    assert "a folder is in the place of a file" in os_line(found.value)


def test_a_sealed_yaml_file_is_read_if_whole_and_refused_if_not(tmp_path):
    path = tmp_path / "FPMC.yaml"
    text = sealed("# trials: 3\nlearning_rate: 0.001\nepochs: 5\n")
    path.write_text(text)
    assert read_yaml(path, SettingsError) == {"learning_rate": 0.001, "epochs": 5}
    first = text.index("\n") + 1
    for damaged in (text[:-10], text.replace("0.001", "0.003"), text[: first + 13]):
        path.write_text(damaged)
        with pytest.raises(SettingsError, match=r"FPMC.yaml has changed since it was written"):
            read_yaml(path, SettingsError)
    path.write_text("learning_rate: 0.01\n")
    assert read_yaml(path, SettingsError) == {"learning_rate": 0.01}


# -- sets of files ----------------------------------------------------------------------------

OLD = {"set.inter": b"old log", "set.item": b"old items", "set.report.json": b"of the old log"}
NEW = {"set.inter": b"new log", "set.item": b"new items", "set.source.json": b"new record"}
HAND_MADE = {"set.user": b"by hand", "notes.txt": b"mine"}
ENDINGS = ("report.json", "source.json", "item", "inter")


def publish_new(folder):
    with Workspace(folder, "set") as work:
        for name, data in NEW.items():
            work.path(name.partition(".")[2]).write_bytes(data)
        work.publish(*ENDINGS)


def break_off(folder):
    with Workspace(folder, "set") as work:
        work.path("inter").write_bytes(b"half")
        raise KeyboardInterrupt


def write_all(folder, files):
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("before", [OLD, {}])
def test_a_kill_at_any_step_leaves_one_set_or_the_other(tmp_path, before):
    seen = []
    for number in range(1, 1000):
        folder = tmp_path / str(number)
        write_all(folder, {**before, **HAND_MADE})

        def publish(folder=folder, number=number):
            Steps(folder, Fault(KILL, number), memoryview(bytearray(8))).watch()
            publish_new(folder)

        survived = status_of(forked(publish)) == 0
        settle(folder, "set")
        found = contents(folder)
        assert found in ({**before, **HAND_MADE}, {**NEW, **HAND_MADE})
        assert len(found) == len(list(folder.iterdir()))  # nothing else is left
        seen.append(found.get("set.inter") == b"new log")
        publish_new(folder)
        assert contents(folder) == {**NEW, **HAND_MADE}
        if survived:
            break
    # Kills before the new set counted, and after.
    assert seen.count(False) > 5
    assert seen.count(True) > 5


def test_ctrl_c_leaves_the_old_set_and_no_scratch(tmp_path):
    write_all(tmp_path, OLD)
    with pytest.raises(KeyboardInterrupt):
        break_off(tmp_path)
    assert contents(tmp_path) == OLD
    assert len(list(tmp_path.iterdir())) == len(OLD)


def test_a_full_disk_under_polars_is_a_line_too(tmp_path):
    def write():
        with Workspace(tmp_path / "shop", "shop"):
            raise OSError("No space left on device (os error 28)")

    with pytest.raises(OSError, match="No space left") as found:
        write()
    assert os_line(found.value).startswith(f"{tmp_path / 'shop'}: No space left on device; free")
    assert not (tmp_path / "shop").exists()


def test_ctrl_c_while_files_are_moved_completes_the_new_set(tmp_path, monkeypatch):
    write_all(tmp_path, OLD)
    replace, moved = os.replace, []

    def interrupted(source, target):
        moved.append(target)
        if len(moved) == 2:  # the first one is the manifest's
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    publish_new(tmp_path)
    assert contents(tmp_path) == NEW


def test_nobody_publishes_while_a_set_is_read(tmp_path):
    write_all(tmp_path, OLD)
    with reading(tmp_path, "set"):
        publisher = threading.Thread(target=publish_new, args=(tmp_path,))
        publisher.start()
        publisher.join(0.2)
        assert publisher.is_alive()
        assert contents(tmp_path) == OLD
    publisher.join()
    with reading(tmp_path, "set"):
        assert contents(tmp_path) == NEW


def test_a_record_of_what_is_ready_reaches_no_other_place(tmp_path):
    data = tmp_path / "data"
    ready = data / ".set.ready"
    ready.mkdir(parents=True)
    (tmp_path / "victim").write_text("precious")
    for names in (["x/../../victim"], "inter", [3], ["../victim"]):
        (ready / publishing.MANIFEST).write_text(json.dumps({"new": [], "removed": names}))
        with pytest.raises(DataError, match=r"manifest.json is damaged; move .* away"):
            settle(data, "set")
    (ready / publishing.MANIFEST).write_text('{"new": [')
    with pytest.raises(DataError, match="damaged"):
        settle(data, "set")
    assert (tmp_path / "victim").read_text() == "precious"


# -- data sets --------------------------------------------------------------------------------


class Silent:
    """A logger for those who listen to nothing."""

    def warning(self, text):
        """Say nothing."""

    info = warning


@pytest.mark.parametrize("left", [[], ["czb-mini.market.json"], [DEAD]])
def test_a_half_made_market_heals_on_first_use(tmp_path, left):
    folder = tmp_path / "czb-mini"
    write_all(folder, dict.fromkeys(left, b"{}"))
    provide(folder, "czb-mini", Silent())
    assert {path.suffix for path in folder.iterdir()} == {".inter", ".item", ".user", ".json"}
    assert read_config(folder, "czb-mini") == MarketConfig.named("czb-mini")


@pytest.mark.parametrize("suffix", ["item", "user"])
def test_files_made_by_hand_are_no_half_made_market(tmp_path, suffix):
    write_all(tmp_path / "czb-mini", {f"czb-mini.{suffix}": b"by hand"})
    with pytest.raises(DataError, match=f"czb-mini.{suffix} is not simulated"):
        provide(tmp_path / "czb-mini", "czb-mini", Silent())
    assert contents(tmp_path / "czb-mini") == {f"czb-mini.{suffix}": b"by hand"}


def test_a_market_takes_the_reports_of_the_earlier_one_with_it(tmp_path):
    log = simulate(MarketConfig.named("czb-mini").scaled(0.15))
    write_all(tmp_path, {"m.report.json": b"of another", "m.market.json": b"{}"})
    write_market(log, tmp_path, "m")
    assert set(contents(tmp_path)) == {"m.market.json", "m.inter", "m.item", "m.user"}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"market": {"seed": "a"}}', "\x00\xff"])
def test_a_damaged_record_of_a_market_is_one_line(tmp_path, text):
    write_all(tmp_path, {"m.market.json": text.encode("latin-1"), "m.inter": b""})
    with pytest.raises(DataError, match=r"m\.market\.json") as found:
        simulated_notice(tmp_path, "m")
    assert "\n" not in str(found.value)


def test_a_damaged_record_of_a_conversion_is_one_line(tmp_path, capsys):
    (tmp_path / "log.csv").write_text("u,i,t\na,x,1\na,y,2\n")
    options = [f"--output={tmp_path}", "--name=shop", "--user=u", "--item=i", "--time=t"]
    arguments = ["convert", "csv", f"--input={tmp_path / 'log.csv'}", *options]
    assert main(arguments) == 0
    before = contents(tmp_path / "shop")
    for text in ("", before["shop.source.json"][:20].decode(), "[]"):
        (tmp_path / "shop" / "shop.source.json").write_text(text)
        for command in (arguments, ["describe", "shop", f"--data_path={tmp_path}"]):
            capsys.readouterr()
            assert main(command) == 2
            lines = capsys.readouterr().err.strip().splitlines()
            assert lines[-1].startswith("error: ")
            assert "shop.source.json is damaged" in lines[-1]
    assert contents(tmp_path / "shop")["shop.inter"] == before["shop.inter"]


def test_a_download_that_is_broken_off_is_made_again(tmp_path):
    folder = tmp_path / "log"

    def broken(name, place):
        (place / "log.zip").write_text("half")
        (place / "log.inter").write_text("half")
        raise OSError("connection lost")

    def whole(name, place):
        (place / f"{name}.inter").write_text("log")
        (place / f"{name}.item").write_text("items")

    folder.mkdir()  # as left by a process that was killed
    with pytest.raises(DataError, match=r"'log' could not be downloaded .connection lost.;"):
        fetch(folder, "log", broken)
    assert not list(folder.iterdir())
    fetch(folder, "log", whole)
    assert contents(folder) == {"log.inter": b"log", "log.item": b"items"}
    (folder / "log.inter").unlink()
    with pytest.raises(DataError, match="would be replaced by the download"):
        fetch(folder, "log", whole)
