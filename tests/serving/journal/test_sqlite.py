"""The journal in a file: what it refuses, what it forgets, and what survives its process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_imn.errors import ServingError
from recbole_imn.serving.journal import SqliteJournal
from tests.serving.journal.records import event, events

# A process is killed at a random moment, again and again: what it has acknowledged, it has printed.
WRITERS = """
import os, random, signal, sys, time
from recbole_imn.serving.journal import SqliteJournal
from tests.serving.journal.records import events
draw = random.Random(int(sys.argv[2]))
for _ in range(8):
    process = os.fork()
    if not process:
        journal = SqliteJournal(sys.argv[1])
        while True:
            os.write(1, b"%d\\n" % journal.append(events(journal.end, 3)))
    time.sleep(draw.uniform(0.02, 0.15))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.write(1, b"killed\\n")
"""


def written(path: Path, number: int = 50) -> Path:
    journal = SqliteJournal(path)
    journal.append(events(0, number))
    journal.close()
    return path


def refusal(path: Path, **options) -> str:
    with pytest.raises(ServingError) as refused:
        SqliteJournal(path, **options)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)
    return str(refused.value)


def test_what_is_no_journal_is_refused(tmp_path: Path):
    text = tmp_path / "text"
    text.write_text("user\titem\n" * 1000)
    assert "is no journal" in refusal(text)
    other = tmp_path / "other"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    assert "is no journal" in refusal(other)
    assert "is not there" in refusal(tmp_path / "missing", read_only=True)
    assert "folder" in refusal(tmp_path) or "unable to open" in refusal(tmp_path)


def test_another_format_is_refused(tmp_path: Path):
    path = written(tmp_path / "journal")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    assert "of format 7" in refusal(path)


def test_missing_records_are_refused(tmp_path: Path):
    path = written(tmp_path / "journal")
    with sqlite3.connect(path) as connection:
        connection.execute('DELETE FROM records WHERE "offset" = 5')
    connection.close()
    assert "1 records are missing" in refusal(path)


def test_a_truncated_file_is_refused(tmp_path: Path):
    path = written(tmp_path / "journal", 500)
    path.write_bytes(path.read_bytes()[:-8192])
    assert "damaged" in refusal(path)


def test_a_changed_byte_of_a_record_is_noticed(tmp_path: Path):
    path = written(tmp_path / "journal")
    data = bytearray(path.read_bytes())
    place = data.index(b'"time":[7.1]') + len(b'"time":[')
    data[place] = ord("9")
    path.write_bytes(data)
    journal = SqliteJournal(path)
    with pytest.raises(ServingError, match=r"record 8 of the journal .* is damaged"):
        list(journal.read(0))
    journal.close()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 700)), min_size=1, max_size=60))
def test_a_forgotten_id_is_in_no_byte_of_any_file(tmp_path: Path, drawn):
    folder = tmp_path / uuid.uuid4().hex
    journal = SqliteJournal(folder / "journal")
    name = "annabel@example.org"
    for ours, number in drawn:
        journal.append([event(name if ours else "b", "i" * number)])
    assert not any(ours for ours, _ in drawn) or name.encode() in everything(folder)
    reader = SqliteJournal(folder / "journal", read_only=True)
    list(reader.read(0))
    journal.forget(name, "x" * drawn[0][1])
    assert name.encode() not in everything(folder)
    assert name.split("@")[0].encode() not in everything(folder)
    assert len(list(reader.read(0))) == len(drawn)
    reader.close()
    journal.close()
    assert name.encode() not in everything(folder)


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_forgetting_that_was_cut_off_is_finished_by_the_next_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "journal"
    journal = SqliteJournal(path)
    journal.append([event("annabel", "i" * k) for k in range(200)])

    def cut_off(self, connection):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SqliteJournal, "_clean", cut_off)
        with pytest.raises(KeyboardInterrupt):
            journal.forget("annabel", "t")
    journal.close()
    journal = SqliteJournal(path)
    assert b"annabel" not in everything(tmp_path)
    journal.close()


def test_every_commit_waits_for_the_disk(tmp_path: Path):
    journal = SqliteJournal(tmp_path / "journal")
    settings = {
        name: journal._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}
    journal.close()


def test_a_full_disk_is_named_and_nothing_of_an_append_is_written(tmp_path: Path):
    journal = SqliteJournal(tmp_path / "journal")
    journal.append(events(0, 3))
    journal._connection.execute("PRAGMA max_page_count = 10")
    with pytest.raises(ServingError, match="full; see that the disk has space") as refused:
        journal.append(events(3, 2000))
    assert "\n" not in str(refused.value)
    assert journal.end == 3
    journal._connection.execute("PRAGMA max_page_count = 100000")
    assert journal.append(events(3, 2000)) == 2003
    journal.close()


def test_what_somebody_else_wrote_is_noticed(tmp_path: Path):
    journal = SqliteJournal(tmp_path / "journal")
    journal.append(events(0, 3))
    with sqlite3.connect(tmp_path / "journal") as connection:
        connection.execute("INSERT INTO records VALUES (4, '{}', 0)")
    connection.close()
    with pytest.raises(ServingError, match="does not end where this writer left it"):
        journal.append(events(3, 1))
    journal.close()


def test_killed_writers_lose_nothing_they_acknowledged(tmp_path: Path):
    path = tmp_path / "journal"
    command = [sys.executable, "-c", WRITERS, str(path), "7"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    lives = [[int(end) for end in life.split()] for life in printed.split("killed\n")[:-1]]
    assert len(lives) == 8
    acknowledged = [end for life in lives for end in life]
    assert len(acknowledged) > 8, "there was time to write"
    # Each life goes on where those before it ended; an append is there whole, or not at all.
    assert acknowledged == sorted(set(acknowledged))
    journal = SqliteJournal(path)
    assert journal.end >= acknowledged[-1]
    assert journal.end % 3 == 0
    assert [record for _, record in journal.read(0)] == events(0, journal.end)
    assert journal.append(events(journal.end, 1)) == journal.end
    journal.close()
