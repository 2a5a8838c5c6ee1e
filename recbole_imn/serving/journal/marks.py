"""By what states know their journal again, and times of records whose log began otherwise."""

from __future__ import annotations

import hashlib
import json

from recbole_imn.errors import OtherJournalError
from recbole_imn.serving.intake import Record
from recbole_imn.serving.journal.base import Journal

# What may be rewritten when a user is forgotten.
OF_USERS = ("user", "as", "keys")
ORIGIN = "origin"


def mark_of(record: Record) -> str:
    """Give a sum of what a record says of anything but users."""
    told = {name: value for name, value in record.items() if name not in OF_USERS}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def check_same(journal: Journal, offset: int, mark: str) -> None:
    """Refuse a journal that is not the one that states have applied.

    Parameters
    ----------
    journal : Journal
    offset : int
        Of the last record that was applied.
    mark : str
        Its :func:`mark_of`; empty where nobody has written it down.

    Raises
    ------
    OtherJournalError
    """
    # Records up to one that was rewritten are not handed out any more.
    first = max(journal.start, journal.rewritten)
    if not mark or not first < offset <= journal.end:
        return
    for _, record in journal.read(offset - 1, 1):
        if mark_of(record) != mark:
            raise OtherJournalError(
                f"record {offset} of the journal is not the one that these states have applied: "
                "they are of another journal"
            )


def in_own_time(record: Record, origin: float | None) -> Record:
    """Give a record with times in seconds of one's own log.

    Parameters
    ----------
    record : dict
        Its ``origin`` says when the second 0 of its times was; older ones do not.
    origin : float or None
        The same of one's own log, epoch seconds; None where nobody knows.
    """
    theirs = record.get(ORIGIN)
    if theirs is None or origin is None or theirs == origin:
        return record
    shift = theirs - origin
    moved = {**record, ORIGIN: origin}
    if "time" in record:
        moved["time"] = [time + shift for time in record["time"]]
    if "at" in record:
        moved["at"] = record["at"] + shift
    return moved
