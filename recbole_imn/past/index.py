"""Chains through the log: for each event, the latest earlier one of the same kind.

A chain answers 'the latest before' for users, items, links and purchases alike: whoever knows
where it ends walks it backwards. The entries of an event depend on earlier events only, and
are written once, when it is appended. One chain leads forward: what a user did next is written
when it comes, and whoever walks it stops at his own position.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import NO_EVENT, EventLog, Flags, Ids
from recbole_imn.log.columns import Column

EMPTY = NO_EVENT
# Of an event in a table of steps: the user's event before, the item's, and the user's next one,
# and the item.
OF_USER, OF_ITEM, ONWARDS, STEP_ITEM = range(4)


# Columns that are kept, and the shape of an entry.
KEPT: dict[str, tuple[int, ...]] = {"link": (), "purchase": (), "times": (), "steps": (4,)}


class Chains(NamedTuple):
    """Entries an event, int32; -1 where there is no earlier event.

    Attributes
    ----------
    user, item : int32 [n_events]
        The previous event of the same user, and of the same item.
    link : int32 [n_events]
        The previous event whose user came from the same item as this one's.
    purchase : int32 [n_events]
        The user's last purchase before the event.
    times : int32 [n_events]
        How often the user has had the item, this time included.
    following : int32 [n_events]
        The next event of the same user; -1 while there is none. It may lie beyond a row's
        position, and is no event of the past then.
    steps : int32 [n_events, 4]
        ``user``, ``item`` and ``following``, which are columns of it, and the event's item, for
        walks that need them together: in a long log each number apart is another one of memory's
        lines to wait for.
    """

    user: Ids
    item: Ids
    link: Ids
    purchase: Ids
    times: Ids
    following: Ids
    steps: Ids


class ChainIndex:
    """The chains of a log, and their ends.

    Parameters
    ----------
    log : EventLog
        Its events are indexed when :meth:`extend` is called.

    Attributes
    ----------
    chains : Chains
        Of the indexed events, without a copy.
    """

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._columns = {
            name: Column(np.int32, shape, path)
            for (name, shape), path in zip(KEPT.items(), _paths(log.folder), strict=True)
        }
        self._ends = np.full((3, 0), EMPTY, np.int32)
        self._link_ends = np.full(0, EMPTY, np.int32)
        self._pairs = np.full(1024, EMPTY, np.int32)
        self._n_pairs = 0
        self.chains = self._views()

    def __len__(self) -> int:
        """Return the number of indexed events."""
        return len(self._columns["steps"])

    @property
    def n_bytes(self) -> int:
        """Bytes that the index takes for its events."""
        kept = (column.values for column in self._columns.values())
        return sum(table.nbytes for table in (*kept, self._pairs, self._ends, self._link_ends))

    def extend(self) -> None:
        """Index the events of the log that are not indexed yet."""
        log, start = self.log, len(self)
        n_new = len(log) - start
        for column in self._columns.values():
            if start == 0:
                column.fit(n_new)
            column.extend(n_new)
        self.chains = self._views()
        self._ends = grown(self._ends, max(log.n_users, log.n_items))
        self._link_ends = grown(self._link_ends, log.n_items)
        self._make_room(n_new)
        self._n_pairs += _extend(
            start, log.user, log.item, log.purchase, self.chains, self._ends, self._link_ends,
            self._pairs,
        )  # fmt: skip

    def _views(self) -> Chains:
        link, purchase, times, steps = (self._columns[name].values for name in KEPT)
        before = steps[:, OF_USER], steps[:, OF_ITEM]
        return Chains(*before, link, purchase, times, steps[:, ONWARDS], steps)

    def _make_room(self, n_new: int) -> None:
        """Keep the table of pairs at most half full, whether or not all new pairs are new."""
        size = len(self._pairs)
        # Repeats need no entry, so a large batch begins with half the room and asks again.
        while size < 2 * (self._n_pairs + n_new):
            size *= 2
        if size == len(self._pairs):
            return
        occupied = self._pairs[self._pairs != EMPTY]
        self._pairs = np.full(size, EMPTY, np.int32)
        _insert(self._pairs, occupied, self.log.user, self.log.item)


def grown(table: Ids, size: int) -> Ids:
    """Give a table [..., n] of ends with room for ``size`` ids, those that are new empty."""
    missing = size - table.shape[-1]
    if missing <= 0:
        return table
    room = max(missing, table.shape[-1] // 2) if table.shape[-1] else missing
    return np.concatenate([table, np.full((*table.shape[:-1], room), EMPTY, np.int32)], axis=-1)


def _paths(folder: Path | None) -> list[Path | None]:
    if folder is None:
        return [None] * len(KEPT)
    # What an earlier program left is made anew: an index is never trusted, only the log.
    paths = [folder / f"{name}.chain" for name in KEPT]
    for path in paths:
        path.unlink(missing_ok=True)
    return list(paths)


@compiled
def _slot(pairs: Ids, user: int, item: int, users: Ids, items: Ids) -> np.int64:
    """Find the place of a pair in the table, or of the empty entry where it belongs."""
    mask = len(pairs) - 1
    # Multiplicative hashing; both factors are odd.
    mixed = np.uint64(user) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= np.uint64(item) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    place = np.int64(mixed & np.uint64(mask))
    while pairs[place] != EMPTY:
        event = pairs[place]
        if users[event] == user and items[event] == item:
            return place
        place = (place + 1) & mask
    return place


@compiled
def _insert(pairs: Ids, events: Ids, users: Ids, items: Ids) -> None:
    """Put the latest events of pairs into a larger table."""
    for event in events:
        pairs[_slot(pairs, users[event], items[event], users, items)] = event


@compiled
def _extend(
    start: int,
    users: Ids,
    items: Ids,
    purchases: Flags,
    chains: Chains,
    ends: Ids,
    link_ends: Ids,
    pairs: Ids,
) -> int:
    """Write the chains of the events from ``start`` on; give the number of new pairs."""
    n_new = 0
    for event in range(start, len(users)):
        user, item = users[event], items[event]
        before = ends[0, user]
        chains.steps[event, STEP_ITEM] = item
        chains.user[event] = before
        chains.item[event] = ends[1, item]
        chains.purchase[event] = ends[2, user]
        chains.link[event] = chains.following[event] = EMPTY
        if before != EMPTY:
            chains.following[before] = event
            origin = items[before]
            chains.link[event] = link_ends[origin]
            link_ends[origin] = event
        place = _slot(pairs, user, item, users, items)
        if pairs[place] == EMPTY:
            chains.times[event] = 1
            n_new += 1
        else:
            chains.times[event] = chains.times[pairs[place]] + 1
        pairs[place] = event
        ends[0, user] = event
        ends[1, item] = event
        if purchases[event]:
            ends[2, user] = event
    return n_new
