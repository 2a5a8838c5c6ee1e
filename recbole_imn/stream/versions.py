"""Which version of a few items each row of a window sees, while their states move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Floats, Ids, Integers
from recbole_imn.past import Past
from recbole_imn.past.before import counted_before, latest_before


@dataclass(frozen=True)
class ItemVersions:
    """Versions of a few items over a window, for consecutive rows of it.

    Attributes
    ----------
    items : int64 [n_versions]
        The item of each version: first one version an item, as the first row sees it, then
        those that events between the rows make.
    events : int64 [n_versions]
        The event of the window that made the version; -1 where none of the window did.
    columns : int32 [n_rows, n_items] or None
        The version that each row sees of each item; None if all see the first ones.
    """

    items: Integers
    events: Integers
    columns: Ids | None


def item_versions(past: Past, start: int, positions: Integers, items: Integers) -> ItemVersions:
    """Find the versions of items that rows see.

    A row sees, of every item, the state just before its own position.

    Parameters
    ----------
    past : Past
        At the window's end, or beyond it.
    start : int
        The window's start.
    positions : int64 [n_rows]
        Positions of the rows, not decreasing.
    items : int64 [n_items]
        Items; one may occur more than once.
    """
    first, last = (int(positions[0]), int(positions[-1])) if len(positions) else (start, start)
    made = np.full(len(items), -1, np.int64)
    moves = np.zeros(len(items), np.int64)
    _latest(items, start, first, last, past.items.latest, past.chains.item, made, moves)
    n_moves = int(moves.sum())
    if n_moves == 0:
        return ItemVersions(items, made, None)
    columns = np.empty((len(positions), len(items)), np.int32)
    owners, events = np.empty((2, len(items) + n_moves), np.int64)
    owners[: len(items)], events[: len(items)] = items, made
    _columns(items, first, last, positions, past.items.latest, past.chains.item, moves, owners,
             events, columns)  # fmt: skip
    return ItemVersions(owners, events, columns)


def versions_of_rows(past: Past, start: int, positions: Integers, items: Integers) -> ItemVersions:
    """Do the same where each row has items of its own.

    Parameters
    ----------
    past, start, positions
        As of :func:`item_versions`.
    items : int64 [n_rows, n_items]

    Returns
    -------
    ItemVersions
        Each version is there once.
    """
    owners, events = np.empty((2, items.size), np.int64)
    columns = np.empty(items.shape, np.int32)
    n_items, n_events = len(past.items.latest), int(positions.max(initial=start)) - start
    number = np.full(n_items + n_events, -1, np.int32)
    n = _of_rows(items, start, positions, past.items.latest, past.chains.item, number, owners,
                 events, columns)  # fmt: skip
    return ItemVersions(owners[:n], events[:n], columns)


@compiled
def _of_rows(
    items: Integers,
    start: int,
    positions: Integers,
    latest: Ids,
    chain: Ids,
    number: Ids,
    owners: Integers,
    events: Integers,
    columns: Ids,
) -> int:
    """Give versions numbers as rows come to them; one made inside the window goes by its event."""
    n, n_items = 0, len(latest)
    for row in range(len(items)):
        for column in range(items.shape[1]):
            item = items[row, column]
            event = latest_before(latest[item], positions[row], chain)
            inside = event >= start
            place = n_items + event - start if inside else item
            if number[place] < 0:
                number[place] = n
                owners[n], events[n] = item, event if inside else -1
                n += 1
            columns[row, column] = number[place]
    return n


@compiled
def _latest(
    items: Integers,
    start: int,
    first: int,
    last: int,
    latest: Ids,
    chain: Ids,
    made: Integers,
    moves: Integers,
) -> None:
    """Find the version before ``first`` of each item, and count its moves until ``last``."""
    for place in range(len(items)):
        event = latest[items[place]]
        while event >= last:
            event = chain[event]
        while event >= first:
            moves[place] += 1
            event = chain[event]
        if event >= start:
            made[place] = event


@compiled
def _columns(
    items: Integers,
    first: int,
    last: int,
    positions: Integers,
    latest: Ids,
    chain: Ids,
    moves: Integers,
    owners: Integers,
    events: Integers,
    columns: Ids,
) -> None:
    """List the moves of each item in time, and say of each row which one is the newest."""
    for row in range(len(positions)):
        for column in range(len(items)):
            columns[row, column] = column
    place = len(items)
    for column in range(len(items)):
        if moves[column] == 0:
            continue
        event = latest[items[column]]
        while event >= last:
            event = chain[event]
        for move in range(moves[column] - 1, -1, -1):
            owners[place + move], events[place + move] = items[column], event
            event = chain[event]
        seen = 0
        for row in range(len(positions)):
            while seen < moves[column] and events[place + seen] < positions[row]:
                seen += 1
            columns[row, column] = column if seen == 0 else place + seen - 1
        place += moves[column]


def latest_at(versions: ItemVersions, past: Past, start: int) -> tuple[Integers, Floats, Integers]:
    """Give the latest event of each version's item, its time, and the item's number of events.

    Parameters
    ----------
    versions : ItemVersions
    past : Past
    start : int
        The window's start; versions that no event of it made are of that moment.

    Returns
    -------
    event : int64 [n_versions]
        -1 for none.
    time : float64 [n_versions]
    count : int64 [n_versions]
    """
    latest, count = np.empty((2, len(versions.items)), np.int64)
    time = _latest_at(
        versions.items, versions.events, start, past.items.latest, past.items.count,
        past.chains.item, past.log.time, latest, count,
    )  # fmt: skip
    return latest, time, count


@compiled
def _latest_at(
    items: Integers,
    events: Integers,
    start: int,
    heads: Ids,
    counts: Ids,
    chain: Ids,
    times: Floats,
    latest: Integers,
    count: Integers,
) -> Floats:
    time = np.zeros(len(items))
    for place in range(len(items)):
        position = events[place] + 1 if events[place] >= 0 else start
        item = items[place]
        event, n = counted_before(heads[item], counts[item], position, chain)
        latest[place], count[place] = event, n
        if event >= 0:
            time[place] = times[event]
    return time
