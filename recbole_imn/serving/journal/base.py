"""What every journal can do, and records as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from recbole_imn.errors import OtherJournalError, ServingError

Record = dict[str, Any]
"""What a recommender was told: plain JSON values, with its ``kind``.

``events``, ``items``, ``list``, ``delist`` or ``forget``.
"""

PAGE = 1000
"""Records that are read at a time."""

ALL = 2**62
"""More records than any journal has."""

READ_INSTEAD = "only read it: --follow of serve, read_only=True in Python"
"""What can be done with a journal that has a writer."""


class Journal(Protocol):
    """Records in order, one writer, any number of readers; offsets are 1, 2, 3 and so on."""

    def append(self, records: Sequence[Record]) -> int:
        """Write records, all of them or none.

        Parameters
        ----------
        records : sequence of dict

        Returns
        -------
        int
            Offset of the last record; all of them are on disk.

        Raises
        ------
        ServingError
            If they are no JSON, if this is no writer (any more), or if they cannot be written.
        """
        ...

    def read(self, after: int, limit: int = ALL) -> Iterator[tuple[int, Record]]:
        """Read records in order.

        Parameters
        ----------
        after : int
            The offset before the first one that is read; 0 for all.
        limit : int
            Most records that are read.

        Raises
        ------
        ServingError
            If records after this offset are not there any more, or damaged.
        """
        ...

    def follow(self, after: int, timeout: float, limit: int = PAGE) -> Sequence[tuple[int, Record]]:
        """Read records as :meth:`read` does, but wait for the first of them if there is none.

        Parameters
        ----------
        after, limit : int
        timeout : float
            Longest wait, seconds; nothing is given after it.
        """
        ...

    @property
    def identity(self) -> str:
        """A token that was drawn when the journal was made; empty where none is known yet."""
        ...

    @property
    def end(self) -> int:
        """Offset of the last record, 0 before the first."""
        ...

    @property
    def start(self) -> int:
        """Offset before the oldest record that is still there; 0 if it was never trimmed."""
        ...

    @property
    def rewritten(self) -> int:
        """Offset up to which records were rewritten by :meth:`forget`, 0 before any.

        Who has read less would read of users under other names than it knows them by.
        """
        ...

    def forget(self, user: str, replacement: str) -> None:
        """Put another token in the place of a user's raw id, in records and on disk.

        It reaches up to the record of kind ``forget`` that names the replacement, if there is one:
        who comes with the same id after it is a stranger.

        Parameters
        ----------
        user : str
            Raw id; no file of the journal has it in one of these records when this returns.
        replacement : str
            A token that tells nothing about the user.
        """
        ...

    def trim(self, through: int) -> None:
        """Remove the oldest records, up to an offset; the last record always stays."""
        ...

    def close(self) -> None:
        """Give back what is held; others may write from here on."""
        ...


class StateMachine(Protocol):
    """What records are applied to: a recommender."""

    @property
    def journal_offset(self) -> int:
        """Offset of the last record that was applied."""
        ...

    def apply(self, records: Sequence[Record]) -> None:
        """Apply the records that follow, in order; the same ones give the same states."""
        ...

    def save(self, path: str | Path) -> None:
        """Write a checkpoint with its states and offset; complete, or not there at all."""
        ...


def read_pages(
    page_of: Callable[[int, int], Sequence[tuple[int, Record]]], after: int, limit: int
) -> Iterator[tuple[int, Record]]:
    """Give records in order, a page at a time.

    Parameters
    ----------
    page_of : function of (int, int)
        Gives the records after an offset, so many at most.
    after, limit : int
        As of :meth:`Journal.read`.
    """
    while limit > 0:
        page = page_of(after, min(limit, PAGE))
        yield from page
        if not page:
            return
        after, limit = page[-1][0], limit - len(page)


def to_text(record: Record) -> str:
    """Write a record as JSON, in ASCII.

    Raises
    ------
    ServingError
        If it is no JSON object; NaN is none.
    """
    if not isinstance(record, dict):
        raise ServingError(f"a record is a dict, not {type(record).__name__}: {record!r:.80}")
    try:
        return json.dumps(record, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        kind = record.get("kind")
        raise ServingError(f"a record of kind {kind!r} is no JSON: {error}") from error


def from_text(text: str | bytes, offset: int, place: str) -> Record:
    """Read a record that was written as text.

    Raises
    ------
    ServingError
        If it is damaged.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(offset, place) from error
    if not isinstance(record, dict):
        raise damaged(offset, place)
    return record


def damaged(offset: int, place: str) -> ServingError:
    """Say that a record is not as it was written."""
    return ServingError(
        f"record {offset} of the journal {place} is damaged; restore the journal from a backup"
    )


def anonymous(record: Record, user: str, replacement: str) -> Record | None:
    """Put another token in the place of a user's raw id.

    Returns
    -------
    dict or None
        None if the record does not name the user.
    """
    found = record.get("user")
    if isinstance(found, list):
        if user not in found:
            return None
        return {**record, "user": [replacement if one == user else one for one in found]}
    return {**record, "user": replacement} if found == user else None


def is_forgetting(record: Record, replacement: str) -> bool:
    """Whether a record says that somebody is called by a replacement from then on."""
    return record.get("kind") == "forget" and record.get("as") == replacement


def in_order(
    pairs: Iterable[tuple[int, Record]], after: int, place: str
) -> Iterator[tuple[int, Record]]:
    """Give records on, as long as each follows the one before.

    Raises
    ------
    ServingError
        Where records are missing, because the journal was trimmed or is damaged.
    """
    for offset, record in pairs:
        if offset != after + 1:
            raise ServingError(
                f"the journal {place} has no record {after + 1}: it goes on at {offset}; load a "
                f"snapshot that was taken at {offset - 1} or later"
            )
        after = offset
        yield offset, record


def check_position(journal: Journal, after: int) -> None:
    """Refuse to go on from where a journal does not go on.

    Parameters
    ----------
    journal : Journal
    after : int
        Offset up to which somebody has applied records.

    Raises
    ------
    OtherJournalError
        If the journal ends before it.
    ServingError
        If users were forgotten since: their records have other
        names now, which whoever stands here would take for strangers.
    """
    end, rewritten = journal.end, journal.rewritten
    if after > end:
        raise OtherJournalError(
            f"the journal ends at {end}, and these states are of {after}: they are of another "
            "journal, or it has lost records"
        )
    if after < rewritten:
        raise ServingError(
            f"users were forgotten since {after}, so that the journal cannot be applied from "
            f"there; load a snapshot that was taken at {rewritten} or later"
        )


def check_users(user: str, replacement: str) -> None:
    """Refuse to forget what is no id.

    Raises
    ------
    ServingError
    """
    for name in (user, replacement):
        if not isinstance(name, str) or not name:
            raise ServingError(f"a user to forget and its replacement are ids, not {name!r}")
    if user == replacement:
        raise ServingError(f"user {user!r} cannot be replaced by itself; choose another token")


def check_trim(through: int, end: int) -> None:
    """Refuse to remove records that are not there, or all of them.

    Raises
    ------
    ServingError
    """
    if not 0 <= through < max(end, 1):
        raise ServingError(
            f"a journal that ends at {end} cannot be trimmed through {through}; the last record "
            "always stays"
        )
