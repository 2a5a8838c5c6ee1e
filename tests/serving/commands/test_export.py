"""Exports of all formats: the rows of the recommender, whatever happens on the way."""

import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_imn.__main__ import main
from recbole_imn.serving.allocation.lists import allocate_lists
from recbole_imn.serving.commands.export import limited, work
from recbole_imn.serving.lists import Lists
from recbole_imn.serving.times import LogSeconds
from tests.serving.commands.conftest import assert_same, read

FORMATS = ["parquet", "csv", "jsonl"]


@pytest.mark.parametrize("form", FORMATS)
def test_rows_are_those_of_recommend(command, recommender, form, small_parts, tmp_path):
    file = tmp_path / f"lists.{form}"
    options = [f"--format={form}", "--k=6", "--exclude=purchased", "--attributes=brand,price"]
    done = command("export", *options, f"--output={file}")
    assert done.status == 0
    users = recommender.users[:100]
    expected = [
        recommender.recommend(user, k=6, exclude="purchased", attributes=("brand", "price"))
        for user in users
    ]
    frame = pd.concat(expected, ignore_index=True)
    frame.insert(
        0,
        "user",
        [user for user, one in zip(users, expected, strict=True) for _ in range(len(one))],
    )
    assert_same(read(file), frame)
    assert f"{len(frame):,} rows for {len(users)} users" in done.out
    assert "SIMULATED" in done.out
    # Nothing is left of the way there.
    assert not work.folder_of(file).exists()
    assert [found.name for found in tmp_path.glob(".*.part")] == []


def test_a_parquet_file_says_what_it_is_of(command, small_parts, tmp_path):
    command("export", "--k=2", f"--output={tmp_path}/")
    (file,) = tmp_path.glob("*.lists.parquet")
    opened = pyarrow.parquet.ParquetFile(file)
    assert b"SIMULATED" in opened.schema_arrow.metadata[b"simulated"]
    assert b"as of" in opened.schema_arrow.metadata
    assert opened.num_row_groups > 3


def test_lists_made_together_are_of_the_moment_of_others(
    command, recommender, tmp_path, monkeypatch
):
    asked = []

    def noted(*arguments, **options):
        asked.append(recommender.moment(arguments[4]))
        return allocate_lists(*arguments, **options)

    monkeypatch.setattr(limited, "allocate_lists", noted)
    origin, last = recommender.clock.origin, recommender.last_time
    moments = [last + tenth / 10 for tenth in range(1, 30)]
    # One that is later by way of epoch seconds.
    later = next(one for one in moments if (one + origin) - origin > one)
    recommender.observe("u", recommender.items[0], LogSeconds(later))
    recommender.save(recommender.file)
    output = f"--output={tmp_path / 'lists.parquet'}"
    assert command("export", "--capacity=100000", "--k=1", output).status == 0
    assert asked == [recommender.last_time]


@pytest.mark.parametrize("place", ["checkpoint", "users", "link"])
def test_nothing_that_is_read_is_written_over(command, shop, tmp_path, place):
    users, link = tmp_path / "users", tmp_path / "link"
    users.write_text("somebody\n")
    link.symlink_to(shop.file)
    before = shop.file.read_bytes()
    file = {"checkpoint": shop.file, "users": users, "link": link}[place]
    done = command("export", f"--users={users}", f"--output={file}")
    assert (done.status, "choose another name" in done.err) == (2, True)
    assert (shop.file.read_bytes(), users.read_text()) == (before, "somebody\n")


def test_a_name_that_ends_like_another_format_is_refused(command, tmp_path):
    done = command("export", "--k=2", f"--output={tmp_path / 'lists.csv'}")
    assert done.status == 2
    assert done.err.strip().endswith("would hold parquet; give --format=csv, or another name")
    assert not list(tmp_path.glob("lists*"))


def test_batches_and_parts_change_no_byte_of_text(command, monkeypatch, tmp_path):
    files = [tmp_path / f"{name}.csv" for name in ("one", "other")]
    command("export", "--format=csv", "--k=5", f"--output={files[0]}")
    monkeypatch.setattr("recbole_imn.serving.commands.export.job.PART_USERS", 5)
    command("export", "--format=csv", "--k=5", "--batch=2", f"--output={files[1]}")
    assert files[0].read_bytes() == files[1].read_bytes()


def test_users_of_a_file(command, recommender, tmp_path):
    known = recommender.users
    listed = tmp_path / "users.txt"
    listed.write_text(f"\ufeff{known[5]}\r\n\nnobody\n{known[1]}\n", encoding="utf-8")
    file = tmp_path / "lists.csv"
    done = command("export", f"--users={listed}", "--k=3", "--format=csv", f"--output={file}")
    assert_same(read(file), recommender.recommend_many([known[5], "nobody", known[1]], k=3))
    assert f"1 of 3 users of {listed} are not known" in done.out


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a\nb\na\n", "names user 'a' twice, in lines 1 and 3"),
        (b"\n \n", "names no user"),
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (b"a\n\x01\n", "line 2: the user is"),
    ],
)
def test_a_file_of_users_that_is_none_is_one_line(command, content, line, tmp_path):
    listed = tmp_path / "users.txt"
    listed.write_bytes(content)
    done = command("export", f"--users={listed}", f"--output={tmp_path / 'lists.parquet'}")
    assert done.status == 2
    assert line in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "lists.parquet.unfinished").exists()


class _Interrupts:
    """Lets ranking be broken off at one of its calls."""

    def __init__(self, monkeypatch):
        self.left, rank = None, Lists.rank

        def broken(lists, *arguments):
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    self.left = None
                    raise KeyboardInterrupt
            return rank(lists, *arguments)

        monkeypatch.setattr(Lists, "rank", broken)


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_goes_on_to_the_same_bytes(shop, monkeypatch, small_parts, tmp_path, form):
    whole, file = tmp_path / f"whole.{form}", tmp_path / f"lists.{form}"
    options = ["export", str(shop.file), "--k=4", f"--format={form}"]
    assert main([*options, f"--output={whole}"]) == 0
    interrupts = _Interrupts(monkeypatch)

    @settings(
        max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(st.integers(0, 12), min_size=1, max_size=3))
    def check(calls):
        file.unlink(missing_ok=True)
        finished = False
        for call in calls:
            interrupts.left = call
            status = main([*options, f"--output={file}"])
            assert status == (130 if interrupts.left is None else 0)
            # What is finished stays when it is made anew, until that is finished too.
            finished = finished or status == 0
            assert file.exists() == finished
        interrupts.left = None
        assert main([*options, f"--output={file}"]) == 0
        assert file.read_bytes() == whole.read_bytes()

    check()


def test_finished_parts_are_not_made_again(command, monkeypatch, small_parts, tmp_path):
    file, asked = tmp_path / "lists.csv", []
    interrupts = _Interrupts(monkeypatch)
    # Parts of 7 users have 3 batches.
    interrupts.left = 7
    options = ["--k=4", "--format=csv", f"--output={file}"]
    done = command("export", *options)
    assert done.err == (
        "interrupted; what is finished is kept: the same command goes on from there\n"
    )
    state = json.loads((work.folder_of(file) / work.STATE).read_text())
    assert len(state["parts"]) == 2
    rank = Lists.rank

    def counted(lists, users, *arguments):
        asked.extend(users)
        return rank(lists, users, *arguments)

    monkeypatch.setattr(Lists, "rank", counted)
    assert command("export", *options).status == 0
    users = read(file)["user"].unique().tolist()
    assert asked == users[14:]


def test_another_export_is_refused_or_begins_anew(command, monkeypatch, small_parts, tmp_path):
    file = tmp_path / "lists.csv"
    options = ["--format=csv", f"--output={file}"]
    _Interrupts(monkeypatch).left = 4
    assert command("export", "--k=4", *options).status == 130
    done = command("export", "--k=5", *options)
    assert done.status == 2
    assert "an export with k 4 was broken off, and this one has k 5" in done.err
    assert done.err.count("\n") == 1
    assert not file.exists()
    assert command("export", "--k=5", "--restart", *options).status == 0
    assert read(file)["rank"].max() == 5


def test_another_checkpoint_is_refused(shop, command, monkeypatch, small_parts, tmp_path):
    options = ["--k=4", f"--output={tmp_path / 'lists.parquet'}"]
    _Interrupts(monkeypatch).left = 4
    assert command("export", *options).status == 130
    recommender = shop.recommender()
    recommender.observe("someone new", recommender.items[0], "2025-01-01")
    recommender.save(shop.file)
    assert "an export with checkpoint" in command("export", *options).err


def test_the_present_is_that_of_the_beginning(command, monkeypatch, small_parts, tmp_path):
    file, clock = tmp_path / "lists.csv", {"now": 2e9}
    monkeypatch.setattr("recbole_imn.serving.times.time.time", lambda: clock["now"])
    options = ["--k=4", "--at=now", "--format=csv"]
    assert command("export", *options, f"--output={tmp_path / 'whole.csv'}").status == 0
    _Interrupts(monkeypatch).left = 4
    assert command("export", *options, f"--output={file}").status == 130
    clock["now"] = 3e9
    assert "as of 2033-" in command("export", *options, f"--output={file}").out
    assert file.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_damaged_part_is_noticed(command, monkeypatch, small_parts, tmp_path):
    options = ["--k=4", f"--output={tmp_path / 'lists.parquet'}"]
    _Interrupts(monkeypatch).left = 8
    assert command("export", *options).status == 130
    (part,) = work.folder_of(tmp_path / "lists.parquet").glob("part-000001.npz")
    part.write_bytes(part.read_bytes()[:-1])
    done = command("export", *options)
    assert done.status == 2
    assert f"{part} is damaged or gone" in done.err
    assert command("export", *options, "--restart").status == 0


def test_two_exports_do_not_write_the_same_file(command, tmp_path):
    file = tmp_path / "lists.parquet"
    with work.working_on(file, restart=False):
        done = command("export", "--k=2", f"--output={file}")
    assert done.status == 2
    assert "is being written by an export that runs already" in done.err
    assert not work.folder_of(file).exists()


PROGRAM = """
import os, signal, sys
from recbole_imn.__main__ import main
from recbole_imn.serving.commands.export import job, work
job.PART_USERS = 7
replace, left = os.replace, [int(sys.argv[1])]

def killed(*arguments):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*arguments)

os.replace = killed
main(sys.argv[2:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_process_that_is_killed_leaves_what_goes_on(shop, small_parts, tmp_path):
    whole, file = tmp_path / "whole.parquet", tmp_path / "lists.parquet"
    options = ["export", str(shop.file), "--k=4"]
    main([*options, f"--output={whole}"])
    # Part and state in turn: the fourth part is there, and nothing says so.
    arguments = ["7", *options, f"--output={file}"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], env=environment, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL
    state = json.loads((work.folder_of(file) / work.STATE).read_text())
    assert len(state["parts"]) == 3
    assert not file.exists()
    assert main([*options, f"--output={file}"]) == 0
    assert file.read_bytes() == whole.read_bytes()
    assert not work.folder_of(file).exists()


@pytest.mark.parametrize("form", FORMATS)
def test_a_limited_stock(command, recommender, form, tmp_path):
    file = tmp_path / f"lists.{form}"
    options = [f"--format={form}", "--k=3", "--exclude=seen", "--attributes=brand"]
    done = command("export", *options, "--capacity=2", f"--output={file}")
    assert done.status == 0
    assert "first come, first served" in done.out
    found, users = read(file), recommender.users
    own = recommender.recommend_many(users, k=3, exclude="seen")
    # Everybody would like the same.
    assert own["item"].value_counts().max() > 2
    assert found["item"].value_counts().max() == 2
    assert found["user"].unique().tolist() == users
    expected = allocate_lists(recommender, users, 2, 3, None, None, "seen", attributes=["brand"])
    assert_same(found, expected.to_frame())
    assert not work.folder_of(file).exists()


def test_a_stock_for_more_users_than_fit_is_refused(command, monkeypatch, tmp_path):
    monkeypatch.setattr("recbole_imn.serving.commands.export.limited.MOST_CANDIDATES", 1000)
    done = command("export", "--capacity=2", "--k=3", f"--output={tmp_path / 'lists.parquet'}")
    assert done.status == 2
    assert "the 100 candidates of each fit in memory for 10" in done.err
    assert list(tmp_path.glob("lists.csv*")) == []
