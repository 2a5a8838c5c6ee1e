"""What a holder acknowledged is there after any end, any swap, and any damage of a snapshot."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from recbole_imn.errors import OtherJournalError, ServingError
from recbole_imn.serving.durable import Holder
from recbole_imn.serving.journal import SqliteJournal
from recbole_imn.serving.journal.handle import Retired
from recbole_imn.serving.journal.snapshots import MARK, Snapshots
from tests.serving.journal.records import Machine, events, having_applied, wait_until

# A writer with snapshots is killed at random moments; it prints what was acknowledged.
WRITERS = """
import os, random, signal, sys, time
from pathlib import Path
from recbole_imn.serving.durable import Holder
from recbole_imn.serving.journal import SqliteJournal
from tests.serving.journal.records import Machine
folder, draw = Path(sys.argv[1]), random.Random(3)
for _ in range(8):
    process = os.fork()
    if not process:
        journal = SqliteJournal(folder / "journal")
        holder = Holder(Machine.load, journal, folder, folder / "first.pth", snapshot_every=5)
        while True:
            number = holder.current.journal_offset + 1
            holder.write(lambda one: one.observe(f"u{number % 7}", f"i{number}"))
            os.write(1, b"%d\\n" % number)
            if number % 10 == 0:
                holder.write(lambda one: one.forget("u3")) if "u3" in holder.current.users else 0
    time.sleep(draw.uniform(0.03, 0.2))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
"""


@pytest.fixture
def opened(tmp_path: Path):
    """Give a function that opens a holder over a journal, of which the last one is closed."""
    holders: list[Holder] = []
    Machine("old").save(tmp_path / "old.pth")
    Machine("new").save(tmp_path / "new.pth")

    def open_holder(**options) -> Holder:
        journal = SqliteJournal(tmp_path / "journal")
        try:
            found = Holder(Machine.load, journal, tmp_path, tmp_path / "old.pth", **options)
        except BaseException:
            journal.close()
            raise
        holders.append(found)
        return found

    yield open_holder
    holders[-1].close()


def names(folder: Path) -> list[str]:
    return [path.name for path in Snapshots(folder).files()]


def history(holder: Holder) -> list[dict]:
    return [record for _, record in holder.journal.read(0)]


def test_what_was_observed_is_there_again(opened, tmp_path: Path):
    first = opened()
    for k in range(5):
        first.write(lambda one, k=k: one.observe(f"u{k % 2}"))
    values = first.current.values()
    first.close()
    assert names(tmp_path) == ["snapshot-5.pth"]
    again = opened()
    assert again.current.values() == values
    assert values == having_applied(history(again), "old").values()


def test_the_tail_of_the_journal_is_replayed(opened, tmp_path: Path):
    first = opened()
    first.current.observe("ada")
    first.snapshot()
    first.current.observe("bob")
    first.journal.close()  # its process ends without a last snapshot
    again = opened()
    assert names(tmp_path) == ["snapshot-1.pth"]
    assert again.current.users == ["ada", "bob"]
    with pytest.raises(ServingError, match="is closed"):
        first.current.observe("eve")


def test_snapshots_are_taken_as_records_come_and_the_last_two_stay(opened, tmp_path: Path):
    holder = opened(snapshot_every=10)
    for k in range(1, 36):
        holder.current.observe(f"u{k}")
        if k % 10 == 0:
            wait_until(lambda k=k: holder.snapshots.newest_offset == k)
    assert names(tmp_path) == ["snapshot-30.pth", "snapshot-20.pth"]


def test_a_damaged_snapshot_is_passed_over(opened, tmp_path: Path, caplog):
    first = opened()
    for user in ("ada", "bob", "eve"):
        first.current.observe(user)
        first.snapshot()
    values = first.current.values()
    first.close()
    (tmp_path / "snapshot-3.pth").write_text("{")
    with caplog.at_level(logging.WARNING):
        again = opened()
    assert "snapshot-3.pth is passed over" in caplog.text
    assert again.current.values() == values
    again.close()
    assert Machine.load(tmp_path / "snapshot-3.pth").values() == values
    for path in Snapshots(tmp_path).files():
        path.write_text("{")
    last = opened()  # from the checkpoint
    assert last.current.values() == values


def test_a_folder_is_of_one_journal(opened, tmp_path: Path):
    first = opened()
    first.current.observe("ada")
    first.close()
    other = SqliteJournal(tmp_path / "other")
    with pytest.raises(OtherJournalError, match=r"snapshots of another journal.*--snapshots"):
        Holder(Machine.load, other, tmp_path, tmp_path / "old.pth")
    # Two that began before there was a mark.
    with pytest.raises(OtherJournalError, match="of another journal"):
        Snapshots(tmp_path, identity=other.identity).save(having_applied([]))
    other.close()
    assert names(tmp_path) == ["snapshot-1.pth"]


def test_a_journal_that_has_lost_records_is_not_gone_on_with(opened, tmp_path: Path):
    first = opened()
    first.current.observe("ada")
    backup = history(first)
    first.current.observe("bob")
    first.close()
    (tmp_path / "journal").unlink()
    restored = SqliteJournal(tmp_path / "journal")
    restored.append(backup)
    restored.close()
    (tmp_path / MARK).unlink()
    with pytest.raises(OtherJournalError, match=r"-2.pth: the journal ends at 1.*move this"):
        opened()
    (tmp_path / "snapshot-2.pth").unlink()
    assert opened().current.users == ["ada"]


def test_what_was_written_last_stays_whatever_else_is_there(tmp_path: Path):
    for number in (8, 9):
        having_applied(events(0, number)).save(tmp_path / "folder" / f"snapshot-{number}.pth")
    snapshots = Snapshots(tmp_path / "folder")
    snapshots.save(having_applied(events(0, 3)))
    assert names(tmp_path / "folder") == ["snapshot-9.pth", "snapshot-3.pth"]
    snapshots.remove_older(1)
    assert names(tmp_path / "folder") == ["snapshot-3.pth"]


def test_nothing_to_open_is_said(tmp_path: Path):
    journal = SqliteJournal(tmp_path / "journal")
    with pytest.raises(ServingError, match="has no snapshot, and no checkpoint was named"):
        Holder(Machine.load, journal, tmp_path)
    with pytest.raises(ServingError, match="snapshot_every is 0"):
        Holder(Machine.load, journal, tmp_path, snapshot_every=0)
    with pytest.raises(ServingError, match="keep is 0"):
        Holder(Machine.load, journal, tmp_path, keep=0)
    journal.close()


def test_a_snapshot_that_cannot_be_written_is_tried_again(
    opened, monkeypatch: pytest.MonkeyPatch, caplog
):
    holder = opened(snapshot_every=2)

    def full(self, path):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Machine, "save", full)
        holder.current.observe("ada")
        holder.current.observe("bob")
        wait_until(lambda: "No space left" in caplog.text)
        with pytest.raises(ServingError, match="No space left on device; free some space"):
            holder.snapshot()
    holder.current.observe("eve")
    wait_until(lambda: holder.snapshots.newest_offset == 3)


def test_weights_are_swapped_under_writers_and_nothing_is_lost(opened, tmp_path: Path):
    holder = opened()
    stop, acknowledged = threading.Event(), [0] * 3

    def write(thread: int) -> None:
        while not stop.is_set():
            holder.write(lambda one: one.observe(f"u{thread}", f"i{acknowledged[thread]}"))
            acknowledged[thread] += 1

    threads = [threading.Thread(target=write, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for checkpoint in ("new.pth", "old.pth", "new.pth"):
        seen = sum(acknowledged)
        wait_until(lambda seen=seen: sum(acknowledged) > seen + 10)
        holder.swap(tmp_path / checkpoint)
    seen = sum(acknowledged)
    wait_until(lambda: sum(acknowledged) > seen + 10)
    stop.set()
    for thread in threads:
        thread.join()
    assert holder.current.weights == "new"
    assert holder.journal.end == sum(acknowledged)
    assert holder.current.values() == having_applied(history(holder), "new").values()
    holder.close()
    assert opened().current.values() == holder.current.values()


def test_a_recommender_that_was_replaced_writes_nothing(opened, tmp_path: Path):
    holder = opened()
    old = holder.current
    old.observe("ada")
    holder.swap(tmp_path / "new.pth")
    with pytest.raises(Retired, match="nothing was written"):
        old.observe("bob")
    assert old.users == holder.current.users == ["ada"]
    holder.current.observe("bob")
    assert len(history(holder)) == 2
    with pytest.raises(Retired):
        holder.write(lambda one: old.observe("eve") if one is holder.current else None)


def test_weights_that_cannot_be_opened_change_nothing(opened, tmp_path: Path):
    holder = opened()
    holder.current.observe("ada")
    (tmp_path / "bad.pth").write_text("{")
    with pytest.raises(ServingError, match=r"bad.pth is damaged"):
        holder.swap(tmp_path / "bad.pth")
    having_applied(history(holder) * 3).save(tmp_path / "ahead.pth")
    with pytest.raises(ServingError, match="the journal ends at 1"):
        holder.swap(tmp_path / "ahead.pth")
    holder.current.observe("bob")
    assert holder.current.weights == "old"
    assert holder.journal.end == 2


def test_a_forgotten_id_leaves_journal_and_snapshots(opened, tmp_path: Path):
    holder = opened()
    for user in ("annabel", "bob", "annabel"):
        holder.current.observe(user)
        holder.snapshot()
    holder.current.forget("annabel")
    holder.finish()
    assert names(tmp_path) == ["snapshot-4.pth"]
    holder.current.observe("bob")
    values = holder.current.values()
    holder.journal.close()
    assert b"annabel" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    again = opened()
    assert again.current.values() == values
    with pytest.raises(ServingError, match="users were forgotten since 0"):
        again.swap(tmp_path / "new.pth")


def test_who_comes_back_before_files_are_rewritten_is_a_stranger(opened, tmp_path: Path):
    holder = opened()
    holder.current.observe("annabel")
    with holder._saving:  # no file is written meanwhile
        holder.current.forget("annabel")
        holder.current.observe("annabel")
    holder.finish()
    assert [record["user"] for record in history(holder)] == [
        ["forgotten-1"],
        "forgotten-1",
        ["annabel"],
    ]
    values = holder.current.values()
    assert values["users"] == ["forgotten-1", "annabel"]
    holder.close()
    assert opened().current.values() == values


def test_a_user_is_forgotten_while_weights_are_loaded(
    opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    holder = opened()
    holder.current.observe("annabel")

    def load(path: Path, journal) -> Machine:
        machine = Machine.load(path, journal)
        holder.current.forget("annabel")
        holder.current.observe("annabel")
        return machine

    monkeypatch.setattr(holder, "_load", load)
    holder.swap(tmp_path / "new.pth")
    holder.finish()
    assert holder.current.weights == "new"
    assert holder.current.users == ["forgotten-1", "annabel"]
    assert holder.journal.rewritten == 2
    assert holder.current.values() == having_applied(history(holder), "new").values()
    assert [Machine.load(tmp_path / name).weights for name in names(tmp_path)] == ["new"]


def test_forgetting_is_finished_after_a_sudden_end(opened, tmp_path: Path):
    holder = opened()
    holder.current.observe("annabel")
    with holder._saving:
        holder.current.forget("annabel")
        holder.journal.close()
    again = opened()
    assert again.current.users == ["forgotten-1"]
    assert again.journal.rewritten == 2
    assert b"annabel" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_killed_writers_lose_nothing_they_acknowledged(tmp_path: Path):
    Machine("old").save(tmp_path / "first.pth")
    command = [sys.executable, "-c", WRITERS, str(tmp_path)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    acknowledged = [int(line) for line in printed.split()]
    assert len(acknowledged) > 8, "there was time to write"
    assert acknowledged == sorted(set(acknowledged))
    journal = SqliteJournal(tmp_path / "journal")
    holder = Holder(Machine.load, journal, tmp_path, tmp_path / "first.pth")
    records = history(holder)
    assert len(records) >= acknowledged[-1]
    items = {offset: record["item"] for offset, record in enumerate(records, 1) if "item" in record}
    assert all(items[number] == [f"i{number}"] for number in acknowledged)
    assert holder.current.journal_offset == len(records)
    assert holder.current.values() == having_applied(records, "old").values()
    holder.close()
