"""A journal in one SQLite file: for one machine, with replicas in its other processes."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from recbole_imn.errors import JournalError, ServingError, one_line
from recbole_imn.files import make_folder, os_line, sync_folder
from recbole_imn.locks import Lock
from recbole_imn.serving.journal.base import (
    ALL,
    PAGE,
    READ_INSTEAD,
    Record,
    anonymous,
    check_trim,
    check_users,
    damaged,
    from_text,
    in_order,
    is_forgetting,
    read_pages,
    to_text,
)

APPLICATION = 0x494D4E4A  # "IMNJ", in the header of the file
FORMAT = 1
POLL = 0.02
"""Seconds between two looks of a reader that waits."""
PATIENCE = 30.0
"""Seconds that a command waits for readers of the same file."""

_SELECT = 'SELECT "offset", CAST(record AS BLOB), checksum FROM records'
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE records (
    "offset" INTEGER PRIMARY KEY, record TEXT NOT NULL, checksum INTEGER NOT NULL
);
CREATE TABLE rewritten (through INTEGER NOT NULL, cleaned INTEGER NOT NULL);
INSERT INTO rewritten VALUES (0, 1);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
COMMIT;
"""


# Files of earlier versions have none before somebody writes to them.
_IDENTITY = """
BEGIN IMMEDIATE;
CREATE TABLE identity (token TEXT NOT NULL); INSERT INTO identity VALUES ('{}');
COMMIT;
"""


class SqliteJournal:
    """A journal in one SQLite file.

    Every append is one transaction, and on disk (``synchronous=FULL``) before it returns. Any
    thread may call any method.

    Parameters
    ----------
    path : str or Path
        Is made where it is missing, by a writer.
    read_only : bool
        Whether to read beside a writer.

    Raises
    ------
    ServingError
        If there is a writer already, or if the file is missing (for a reader), no journal, of
        another format, or damaged. The whole file is read to know.
    """

    def __init__(self, path: str | Path, read_only: bool = False) -> None:
        self.path = Path(path)
        self.read_only = read_only
        self._mutex = threading.RLock()
        self._lock = Lock(self.path.with_name(self.path.name + ".lock"))
        self._closed = False
        try:
            self._prepare()
            self._connection = self._open()
            self._known_end = self.end
        except BaseException:
            self._lock.give_back()
            raise

    def append(self, records: Sequence[Record]) -> int:
        """Write records, all of them or none; see :meth:`Journal.append`."""
        texts = [to_text(record) for record in records]
        with self._mutex:
            with self._writing() as connection:
                self._check_end(connection)
                rows = [
                    (offset, text, zlib.crc32(text.encode()))
                    for offset, text in enumerate(texts, self._known_end + 1)
                ]
                connection.executemany("INSERT INTO records VALUES (?, ?, ?)", rows)
            self._known_end += len(texts)
            return self._known_end

    def read(self, after: int, limit: int = ALL) -> Iterator[tuple[int, Record]]:
        """Read records in order; see :meth:`Journal.read`."""
        return read_pages(self._page, after, limit)

    def follow(self, after: int, timeout: float, limit: int = PAGE) -> list[tuple[int, Record]]:
        """Read records, waiting for the first; see :meth:`Journal.follow`."""
        until = time.monotonic() + timeout
        while not (page := self._page(after, limit)) and time.monotonic() < until:
            time.sleep(POLL)
        return page

    @property
    def identity(self) -> str:
        """Token of the journal; see :meth:`Journal.identity`."""
        with self._using() as connection:
            return self._identity(connection)

    @property
    def end(self) -> int:
        """Offset of the last record, 0 before the first."""
        with self._using() as connection:
            return self._end(connection)

    @property
    def start(self) -> int:
        """Offset before the oldest record that is still there."""
        with self._using() as connection:
            first = connection.execute('SELECT min("offset") FROM records').fetchone()[0]
        return int(first or 1) - 1

    @property
    def rewritten(self) -> int:
        """Offset up to which records were rewritten, 0 before any."""
        with self._using() as connection:
            return int(connection.execute("SELECT through FROM rewritten").fetchone()[0])

    def forget(self, user: str, replacement: str) -> None:
        """Put another token in the place of a raw id; see :meth:`Journal.forget`.

        The file is made anew, so that nothing hangs on what SQLite leaves in free space.
        """
        check_users(user, replacement)
        with self._mutex:
            with self._writing() as connection:
                self._replace(connection, user, replacement)
            with self._using() as connection:
                self._clean(connection)

    def trim(self, through: int) -> None:
        """Remove the oldest records; see :meth:`Journal.trim`."""
        with self._writing() as connection:
            check_trim(through, self._end(connection))
            connection.execute('DELETE FROM records WHERE "offset" <= ?', (through,))

    def close(self) -> None:
        """Close the file, and let another writer have it; see :meth:`Journal.close`."""
        with self._mutex:
            if not self._closed:
                self._closed = True
                self._connection.close()
                self._lock.give_back()

    def _prepare(self) -> None:
        """Take the writer's lock, and make the file; or see that there is one to read."""
        if self.read_only:
            if not self.path.is_file():
                raise ServingError(f"{self.path} is not there; its writer makes it")
            return
        try:
            make_folder(self.path.parent)
            taken = self._lock.take()
        except OSError as error:
            raise ServingError(os_line(error)) from error
        if not taken:
            raise ServingError(f"{self.path} has a writer already; end it first, or {READ_INSTEAD}")

    def _open(self) -> sqlite3.Connection:
        with _explained(self.path):
            connection = sqlite3.connect(
                self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                # Deleted bytes become zeros, and a commit is on disk before it returns.
                for setting in ("secure_delete = ON", "synchronous = FULL"):
                    connection.execute(f"PRAGMA {setting}").fetchall()
                self._check(connection)
                self._finish_forgetting(connection)
                if not self.read_only and not self._identity(connection):
                    connection.executescript(_IDENTITY.format(secrets.token_hex(16)))
                connection.execute(f"PRAGMA query_only = {int(self.read_only)}")
            except BaseException:
                connection.close()
                raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new file; refuse one that is damaged, or of anybody else."""
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        if not self.read_only and self._is_empty(connection):
            self._make(connection)
        elif application != APPLICATION:
            raise ServingError(f"{self.path} is no journal; choose another place")
        elif version != FORMAT:
            raise ServingError(
                f"{self.path} is a journal of format {version}, and {FORMAT} is what this version "
                "of recbole_imn reads; use the version that wrote it"
            )
        faults = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if faults != "ok":
            raise _broken(self.path, faults)
        self._check_offsets(connection)

    @staticmethod
    def _is_empty(connection: sqlite3.Connection) -> bool:
        return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]

    def _make(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_TABLES)
        sync_folder(self.path.parent)

    @staticmethod
    def _identity(connection: sqlite3.Connection) -> str:
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'identity'"
        is_there = connection.execute(query).fetchone()[0]
        return connection.execute("SELECT token FROM identity").fetchone()[0] if is_there else ""

    def _check_offsets(self, connection: sqlite3.Connection) -> None:
        first, last, count = connection.execute(
            'SELECT min("offset"), max("offset"), count(*) FROM records'
        ).fetchone()
        if count and last - first + 1 != count:
            raise _broken(self.path, f"{last - first + 1 - count} records are missing")

    def _finish_forgetting(self, connection: sqlite3.Connection) -> None:
        """Clean the file where a process was killed before it could."""
        cleaned = connection.execute("SELECT cleaned FROM rewritten").fetchone()[0]
        if not cleaned and not self.read_only:
            self._clean(connection)

    def _page(self, after: int, limit: int) -> list[tuple[int, Record]]:
        with self._using() as connection:
            rows = connection.execute(
                f'{_SELECT} WHERE "offset" > ? ORDER BY "offset" LIMIT ?', (after, limit)
            ).fetchall()
        place = str(self.path)
        return list(in_order(((row[0], _record(row, place)) for row in rows), after, place))

    @staticmethod
    def _end(connection: sqlite3.Connection) -> int:
        return int(connection.execute('SELECT max("offset") FROM records').fetchone()[0] or 0)

    def _check_end(self, connection: sqlite3.Connection) -> None:
        if self._end(connection) != self._known_end:
            raise ServingError(
                f"{self.path} does not end where this writer left it: somebody else has written, "
                "or the disk has failed; nothing was written, open it again"
            )

    def _replace(self, connection: sqlite3.Connection, user: str, replacement: str) -> None:
        """Rewrite the records that name a user."""
        quoted = to_text({"": user})[4:-1]
        query = f'{_SELECT} WHERE instr(record, ?) ORDER BY "offset"'
        through = self._end(connection)
        for row in connection.execute(query, (quoted,)).fetchall():
            record = _record(row, str(self.path))
            changed = anonymous(record, user, replacement)
            if changed is not None:
                text = to_text(changed)
                connection.execute(
                    'UPDATE records SET record = ?, checksum = ? WHERE "offset" = ?',
                    (text, zlib.crc32(text.encode()), row[0]),
                )
            if is_forgetting(record, replacement):
                through = row[0]
                break
        connection.execute(
            "UPDATE rewritten SET through = max(through, ?), cleaned = 0", (through,)
        )

    def _clean(self, connection: sqlite3.Connection) -> None:
        """Make the file anew of what is in it now, and leave nothing in its log."""
        connection.execute("VACUUM")
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise ServingError(
                f"{self.path} is held by a reader, so its log beside it may still have the id; "
                "end the reader, then forget the user again"
            )
        connection.execute("UPDATE rewritten SET cleaned = 1")

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._mutex, _explained(self.path):
            if self._closed:
                raise ServingError(f"{self.path} is closed; open it again")
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction, which ends whole or not at all."""
        if self.read_only:
            raise ServingError(f"{self.path} was opened to be read; open it with read_only=False")
        with self._using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say in one line what SQLite refuses."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise JournalError(
            f"{path}: {error}; see that the disk has space and that the file may be written"
        ) from error
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise ServingError(f"{path} is no journal; choose another place") from error
        raise _broken(path, str(error)) from error


def _broken(path: Path, reason: str) -> ServingError:
    return ServingError(f"{path} is damaged ({one_line(reason)}); restore it from a backup")


def _record(row: tuple[int, bytes, int], place: str) -> Record:
    offset, text, checksum = row
    if zlib.crc32(text) != checksum:
        raise damaged(offset, place)
    return from_text(text, offset, place)
