"""Where in a file the new events begin: at its start, or behind what the log has already."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from recbole_imn.errors import DataError
from recbole_imn.log import EventLog, Flags
from recbole_imn.serving.market import FORGOTTEN, Market
from recbole_imn.serving.times import LogClock

# Rows that are compared at once.
BLOCK = 4096
# Of a user who may be anybody, and of a purchase that nobody has told.
ANYBODY, UNTOLD = -2, -2
# Of what the log has no number for.
UNKNOWN = -1
Numbers = npt.NDArray[np.float64]


def first_new(events: pl.DataFrame, market: Market, clock: LogClock) -> int:
    """Find the first event that the log does not have.

    A file may hold new events alone; those of the log's last second are among them, and what
    the log has of these is left to the rule for duplicates. A file that begins earlier must
    be the whole log again: its events are those of the log, one by one, and then new ones. An
    event that the file has twice may be once in the log, as the rule for duplicates may have
    left the second one out.

    Parameters
    ----------
    events : DataFrame
        From :func:`~recbole_imn.serving.updating.reading.read_events`.
    market : Market
    clock : LogClock

    Returns
    -------
    int
        Row of the first new event; the number of rows if there is none.

    Raises
    ------
    DataError
        At the first difference, with its file and line, and what the log has there.
    """
    log = market.session.past.log
    if len(log) == 0 or len(events) == 0:
        return 0
    first, last = float(events["time"][0]), float(log.time[-1])
    if first > last or (first == last and log.time[0] < last):
        return 0
    told, known = _numbers_of(events, market), _numbers_of_log(log, market)
    refused: DataError | None = None
    # Of events that are alike, the file may begin with any.
    for start in _beginnings(told, known):
        try:
            return _first_new_from(start, events, told, known, market, clock)
        except DataError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _first_new_from(
    position: int,
    events: pl.DataFrame,
    told: Numbers,
    known: Numbers,
    market: Market,
    clock: LogClock,
) -> int:
    """Go along a file and the log from a position of it, until the log ends."""
    log, row, repeated = market.session.past.log, 0, _repeated(events)
    while position < len(log):
        stop = min(BLOCK, len(log) - position, len(events) - row)
        if stop == 0:
            raise DataError(_ends(events, log, position, clock))
        same = _same(told[:, row : row + stop], known[:, position : position + stop])
        n_same = stop if same.all() else int(same.argmin())
        row, position = row + n_same, position + n_same
        if n_same == stop:
            continue
        is_this = (told[:4, row] == known[:4, position]).all()
        if is_this or not repeated[row]:
            raise DataError(_difference(events.row(row, named=True), market, position, clock))
        row += 1
    return row


def _beginnings(told: Numbers, known: Numbers) -> list[int]:
    """Give the positions of the log's events that a file's first one may repeat.

    Where it repeats none, that of the first one not earlier. From the log's first moment on it
    is the whole log.
    """
    if told[2, 0] == known[2, 0]:
        return [0]
    start, stop = (int(np.searchsorted(known[2], told[2, 0], side)) for side in ("left", "right"))
    same = np.flatnonzero(_same(told[:, :1], known[:, start:stop]))
    return [start + int(place) for place in same] or [start]


def _repeated(events: pl.DataFrame) -> Flags:
    """Tell which events are equal to one before them, bool [n]."""
    plain = pl.struct("user", "item", "time", "behavior")
    repeated: Flags = (~events.select(plain.is_first_distinct()).to_series()).to_numpy()
    return repeated


def _same(told: Numbers, known: Numbers) -> Flags:
    user = (told[0] == known[0]) | (known[0] == ANYBODY)
    purchase = (told[4] == known[4]) | (told[4] == UNTOLD)
    same: Flags = user & (told[1:4] == known[1:4]).all(axis=0) & purchase
    return same


def _numbers_of(events: pl.DataFrame, market: Market) -> Numbers:
    """Give user, item, time, behaviour and purchase of a file's events as the log has them."""
    behaviours = {name: place for place, name in enumerate(market.snapshot.behaviours) if place}
    usual = market.purchase_of()
    users = [market.users.get(name) or UNKNOWN for name in events["user"]]
    items = [market.items.get(name) or UNKNOWN for name in events["item"]]
    kinds = [0 if n is None else behaviours.get(n, UNKNOWN) for n in events["behavior"]]
    told = zip(events["purchase"], events["behavior"], strict=True)
    purchases = [_purchase(purchase, name, usual) for purchase, name in told]
    columns = [users, items, events["time"].to_list(), kinds, purchases]
    return np.array(columns, np.float64)


def _purchase(told: bool | None, behavior: str | None, usual: dict[str, bool]) -> float:
    if told is None and behavior is not None:
        told = usual.get(behavior)
        return UNTOLD if told is None else told
    return bool(told)


def _numbers_of_log(log: EventLog, market: Market) -> Numbers:
    users = np.array(log.user, np.int64)
    if market.snapshot.forgotten:
        # Nobody may know any more who they were.
        names = enumerate(market.users, start=1)
        gone = [number for number, name in names if name.startswith(FORGOTTEN)]
        users[np.isin(users, gone)] = ANYBODY
    columns: list[Any] = [users, log.item, log.time, log.behaviour, log.purchase]
    return np.array([np.asarray(column, np.float64) for column in columns])


def _difference(told: dict[str, Any], market: Market, position: int, clock: LogClock) -> str:
    log = market.session.past.log
    known = {
        "user": market.users.name(int(log.user[position])),
        "item": market.items.name(int(log.item[position])),
        "time": float(log.time[position]),
        "behavior": market.snapshot.behaviours[int(log.behaviour[position])] or None,
        "purchase": bool(log.purchase[position]),
    }
    return (
        f"{told['file']}, line {told['line']}: the file begins before the log's last event, so it "
        f"must repeat the log from there, but has {_shown(told, clock)} where event "
        f"{position + 1:,} of the log is {_shown(known, clock)}; give new events alone, or the "
        "very log"
    )


def _shown(event: dict[str, Any], clock: LogClock) -> str:
    parts = [f"user {event['user']!r}", f"item {event['item']!r}", clock.text(event["time"])]
    if event["behavior"] is not None:
        parts.append(repr(event["behavior"]))
    if event["purchase"] is not None:
        parts.append("a purchase" if event["purchase"] else "no purchase")
    return f"({', '.join(parts)})"


def _ends(events: pl.DataFrame, log: EventLog, position: int, clock: LogClock) -> str:
    last = events.row(len(events) - 1, named=True)
    return (
        f"{last['file']}, line {last['line']}: the file repeats a part of the log, and ends with "
        f"event {position:,} of {len(log):,} of it, at {clock.text(last['time'])}; it is an older "
        "copy, and holds nothing new"
    )
