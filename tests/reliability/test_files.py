"""Files and sets of files that a kill, a full disk or damage can never leave half made."""

import errno
import json
import os
import re
import signal
import sqlite3
import threading
import time
import warnings
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.fault_injection import KILL, Fault, Steps
from recbole_imn.__main__ import main
from recbole_imn.data import publishing
from recbole_imn.data.atomic import DataError
from recbole_imn.data.downloads import download_set
from recbole_imn.data.first_use import provide
from recbole_imn.data.market import MarketConfig, read_config, simulate, write_market
from recbole_imn.data.publishing import Workspace, reading, settle
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.evaluation.benchmark import conduct
from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.evaluation.benchmark.results import read_result, write_result
from recbole_imn.evaluation.benchmark.run import end_with_parent
from recbole_imn.files import os_line, read_yaml, replace_text, replaced, sealed
from recbole_imn.locks import only_one
from recbole_imn.model.settings import SettingsError
from recbole_imn.scratch import scratch_file, scratch_folder

DEAD = ".x.0123456789abcdef0123456789abcdef.part"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def forked(action):
    """Run an action in a process of its own, and give its number."""
    with warnings.catch_warnings():
        # The threads of torch hold no lock that is needed here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            action()
        finally:
            os._exit(0)
    return child


def status_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


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
    with pytest.raises(OSError, match="connection lost"):
        provide(folder, "log", Silent(), broken)
    assert not list(folder.iterdir())
    provide(folder, "log", Silent(), whole)
    assert contents(folder) == {"log.inter": b"log", "log.item": b"items"}
    (folder / "log.inter").unlink()
    with pytest.raises(DataError, match="would be replaced by the download"):
        download_set(folder, "log", whole)


# -- benchmark --------------------------------------------------------------------------------

RUN = Run("FPMC", "toy", 1, {"data_path": "."}, ("all",), "", "sha256:0", {})


@pytest.fixture
def benchmark(tmp_path):
    """A folder with the result of a run."""
    result = {"identity": RUN.identity, "protocols": {"all": {"ndcg@10": 0.25}}, "epochs": 3}
    ranks = pd.DataFrame({"rank": np.arange(9.0)})
    (tmp_path / "runs").mkdir()
    write_result(result, ranks, RUN, tmp_path)
    return tmp_path


def test_a_whole_result_is_finished(benchmark):
    assert read_result(RUN, benchmark)["protocols"]["all"]["ndcg@10"] == 0.25
    assert read_result(Run(**{**vars(RUN), "fingerprint": "sha256:1"}), benchmark) is None
    assert {path.name for path in (benchmark / "runs").iterdir()} == {
        *("FPMC-1.json", "FPMC-1.parquet")
    }


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("FPMC-1.json", lambda data: b""),
        ("FPMC-1.json", lambda data: data[:40]),
        ("FPMC-1.json", lambda data: b"\xff\x00noise"),
        ("FPMC-1.json", lambda data: b"[1]"),
        ("FPMC-1.json", lambda data: b"[" * 100_000),
        ("FPMC-1.json", lambda data: b"{}"),
        ("FPMC-1.json", lambda data: data.replace(b"0.25", b"0.35")),
        ("FPMC-1.json", lambda data: data.replace(b'"epochs"', b'"epoch5"')),
        ("FPMC-1.parquet", lambda data: b""),
        ("FPMC-1.parquet", lambda data: data[:-5]),
        ("FPMC-1.parquet", lambda data: data[:9] + bytes([data[9] ^ 1]) + data[10:]),
    ],
)
def test_a_damaged_result_is_not_finished(benchmark, file, damage):
    path = benchmark / "runs" / file
    path.write_bytes(damage(path.read_bytes()))
    assert read_result(RUN, benchmark) is None


def test_results_of_earlier_versions_need_all_of_their_keys(benchmark):
    path = benchmark / "runs" / "FPMC-1.json"
    keys = "simulated environment config validation curve seconds events_per_second"
    old = json.loads(path.read_text())
    del old["sha256"]
    path.write_text(json.dumps(old))
    assert read_result(RUN, benchmark) is None
    more = dict.fromkeys(f"{keys} peak_memory_mib parameters checkpoint".split(), 0)
    path.write_text(json.dumps({**old, **more}))
    assert read_result(RUN, benchmark) is not None
    parquet = benchmark / "runs" / "FPMC-1.parquet"
    parquet.write_bytes(parquet.read_bytes()[:-5])
    assert read_result(RUN, benchmark) is None


def test_a_process_ends_when_its_pipe_closes():
    reader, writer = os.pipe()

    def wait():
        os.close(writer)
        end_with_parent(reader)
        time.sleep(60)

    child = forked(wait)
    os.close(reader)
    os.close(writer)
    assert status_of(child) == 1


def test_a_run_ends_with_a_benchmark_that_is_killed(tmp_path, monkeypatch):
    (tmp_path / "logs").mkdir()
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nread plan\necho $$ > {tmp_path}/pid.part\n"
                       f"mv {tmp_path}/pid.part {tmp_path}/pid\ncat > /dev/null\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setattr(conduct.sys, "executable", str(program))
    child = forked(lambda: conduct._execute(RUN, tmp_path))
    until(lambda: (tmp_path / "pid").is_file())
    run = int((tmp_path / "pid").read_text())
    assert is_alive(run)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until(lambda: not is_alive(run))


def until(condition):
    """Wait for something that takes moments."""
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    # A process whose parent is gone may wait for somebody to ask how it ended.
    return not state.is_file() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_two_benchmarks_in_one_folder_are_a_line(toy, capsys):
    arguments = ["benchmark", "--dataset=toy", "--data_path=.", "--models=LastItem", "--seeds=1"]
    (toy / "results" / "toy").mkdir(parents=True)
    with only_one(toy / "results" / "toy", "a benchmark"):
        assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: results/toy is in use by a benchmark that runs already")


def test_an_emptied_file_of_tuned_settings_is_a_line(toy, capsys):
    (toy / "tuned" / "toy").mkdir(parents=True)
    (toy / "tuned" / "toy" / "FPMC.yaml").write_text("")
    arguments = ["benchmark", "--dataset=toy", "--data_path=.", "--models=FPMC", "--seeds=1"]
    assert main(arguments) == 2
    assert "FPMC.yaml holds no settings; tune again, or remove it" in capsys.readouterr().err


# -- tuning -----------------------------------------------------------------------------------


@pytest.fixture
def study(toy, monkeypatch):
    """A finished study of trials that take no time, and the command that made it."""
    pytest.importorskip("optuna")
    from recbole_imn.tuning import study as study_module

    scores = iter(np.linspace(0.1, 0.9, 100).tolist())
    monkeypatch.setattr(study_module, "validation_score", lambda *_: next(scores))
    (toy / "cpu.yaml").write_text("use_gpu: False\n")
    options = ["--data_path=.", "--trials=3", "--epochs=1", "--config_files=cpu.yaml"]
    arguments = ["tune", "--model=FPMC", "--dataset=toy", *options]
    assert main(arguments) == 0
    return toy / "tuned" / "toy", arguments


def test_a_damaged_study_is_a_line_and_an_emptied_one_begins_again(study, capsys):
    folder, arguments = study
    database = folder / "FPMC.db"
    whole = database.read_bytes()
    for damaged in (whole[:5000], os.urandom(len(whole)), whole[: len(whole) // 2]):
        database.write_bytes(damaged)
        capsys.readouterr()
        assert main(arguments) == 2
        line = capsys.readouterr().err.splitlines()[-1]
        assert line.startswith("error: tuned/toy/FPMC.db")
        assert "damaged" in line or "malformed" in line
    database.write_bytes(b"")
    assert main(arguments) == 0
    assert "# trials: 3," in (folder / "FPMC.yaml").read_text()


@pytest.mark.parametrize(
    "change",
    [
        "update trial_values set value = 0.5 where trial_id = 1",
        "update trial_params set param_value = 0.5 where trial_id = 2 and param_name like 'learn%'",
        "update studies set study_name = 'another'",
    ],
)
def test_a_trial_that_is_not_what_was_written_is_a_line(study, capsys, change):
    folder, arguments = study
    with closing(sqlite3.connect(folder / "FPMC.db")) as database, database:
        assert database.execute(change).rowcount == 1
    capsys.readouterr()
    assert main(arguments) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: tuned/toy/FPMC.db is damaged (")


def test_two_tunings_of_one_model_are_a_line(study, capsys):
    folder, arguments = study
    with only_one(folder / "FPMC.db", "a tuning"):
        assert main(arguments) == 2
    assert "FPMC.db is in use by a tuning" in capsys.readouterr().err


def test_a_full_disk_in_a_study_is_a_line_and_loses_no_trial(study, capsys, monkeypatch):
    folder, arguments = study
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def fill(connection, record):
        connection.execute("PRAGMA max_page_count = 1")  # it keeps what it has

    event.listen(Engine, "connect", fill)
    try:
        long = [argument.replace("--trials=3", "--trials=400") for argument in arguments]
        capsys.readouterr()
        assert main(long) == 2
    finally:
        event.remove(Engine, "connect", fill)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: tuned/toy/FPMC.db: database or disk is full")
    with closing(sqlite3.connect(folder / "FPMC.db")) as database:
        query = "select count(*) from trials where state = 'COMPLETE'"
        (finished,) = database.execute(query).fetchone()
    assert finished >= 3
    capsys.readouterr()
    assert main(arguments) == 0
    assert f"{finished}/{finished}" in capsys.readouterr().err
