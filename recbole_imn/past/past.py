"""The one door to what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.errors import LogError
from recbole_imn.log import NO_EVENT, EventLog, Flags, Floats, Ids, Integers
from recbole_imn.past import heads as latest_so_far
from recbole_imn.past.facts import (
    Facts,
    ItemFacts,
    item_facts,
    numbers_before,
    since_previous,
    user_facts,
    walk_back,
)
from recbole_imn.past.heads import ItemHeads, UserHeads, no_items, no_users
from recbole_imn.past.index import ChainIndex, Chains

# Events that are looked at together.
LOOK_AHEAD = 4096


class Past:
    """A log with a position: what lies before it has happened.

    Carries the latest of everything so far, and chains that lead further back. Whatever is
    asked is answered from events before a row's own position, so that nothing can be known
    too early.

    Parameters
    ----------
    log : EventLog
        May hold events already; none of them has happened yet.

    Attributes
    ----------
    position : int
        Number of events that have happened.
    users, items : UserHeads, ItemHeads
        The latest of each user and item at :attr:`position`.
    """

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._index = ChainIndex(log)
        self._index.extend()
        self.position = 0
        self.users: UserHeads = no_users(log.n_users)
        self.items: ItemHeads = no_items(log.n_items)

    def beginning(self) -> Past:
        """Give another past of the same log, before its first event."""
        other = Past.__new__(Past)
        other.log, other._index, other.position = self.log, self._index, 0
        other.users, other.items = no_users(self.log.n_users), no_items(self.log.n_items)
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Past:
        """Give another past of the same log and index, at the same position."""
        other = Past.__new__(Past)
        other.log, other._index, other.position = self.log, self._index, self.position
        other.users = UserHeads(*(head.copy() for head in self.users))
        other.items = ItemHeads(*(head.copy() for head in self.items))
        return other

    @property
    def chains(self) -> Chains:
        """Chains from each event to the latest earlier one of its kind."""
        return self._index.chains

    @property
    def n_bytes(self) -> int:
        """Bytes of the index and of the latest so far."""
        return self._index.n_bytes + sum(head.nbytes for head in (*self.users, *self.items))

    # -- moving on -------------------------------------------------------------------------

    def observe(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append events to the log; they have happened then.

        Parameters
        ----------
        columns : mapping
            As :func:`~recbole_imn.log.completing.complete_columns` gives them.

        Raises
        ------
        LogError
            If they do not fit; nothing has changed then.
        """
        self.log.append(columns)
        self._index.extend()
        self.move_to(len(self.log))

    def move_to(self, position: int) -> None:
        """Let the events of the log before a position have happened, and no others."""
        if position < self.position:
            self.users, self.items = no_users(self.log.n_users), no_items(self.log.n_items)
            self.position = 0
        self.grow()
        log = self.log
        latest_so_far.move_on(
            self.position, position, log.user, log.item, log.purchase, self.chains, self.users,
            self.items,
        )  # fmt: skip
        self.position = position

    def grow(self, n_users: int = 0, n_items: int = 0, n_behaviours: int = 0) -> None:
        """Make room for more users and items; nothing has happened to the new ones."""
        self.log.grow(n_users, n_items, n_behaviours)
        missing = self.log.n_users - len(self.users.latest)
        if missing > 0:
            self.users = UserHeads(*map(np.append, self.users, no_users(missing)))
        missing = self.log.n_items - len(self.items.latest)
        if missing > 0:
            self.items = ItemHeads(*map(np.append, self.items, no_items(missing)))

    # -- looking back ----------------------------------------------------------------------

    def look(
        self, users: npt.ArrayLike, at: npt.ArrayLike, positions: npt.ArrayLike | None = None
    ) -> Facts:
        """Give what is known of users at some times.

        Parameters
        ----------
        users : int64 [n]
        at : float64 [n]
            Seconds.
        positions : int64 [n], optional
            What lies before is past; by default all that has happened.

        Raises
        ------
        LogError
            If an id is outside its space, or a position beyond :attr:`position`.
        """
        users, at = np.asarray(users, np.int64), np.asarray(at, np.float64)
        _check_ids("user", users, self.log.n_users)
        where = self._positions(positions, len(users))
        events, counts = np.empty((3, len(users)), np.int64), np.empty((2, len(users)), np.int64)
        elapsed = user_facts(
            users, at, where, self.log.time, self.log.item, self.chains, self.users, events, counts
        )
        latest, purchase, item = events
        return Facts(users, at, where, latest, purchase, item, *counts, *elapsed)

    def look_at_items(
        self, items: npt.ArrayLike, at: npt.ArrayLike, positions: npt.ArrayLike | None = None
    ) -> ItemFacts:
        """Give what is known of items at some times; parameters as of :meth:`look`."""
        items, at = np.asarray(items, np.int64), np.asarray(at, np.float64)
        _check_ids("item", items, self.log.n_items)
        where = self._positions(positions, len(items))
        latest, counts = np.empty(len(items), np.int64), np.empty(len(items), np.int64)
        elapsed = item_facts(
            items, at, where, self.log.time, self.chains, self.items, latest, counts
        )
        return ItemFacts(items, latest, counts, elapsed)

    def look_at_events(self, events: Integers) -> Facts:
        """Give what was known of users just before events of the log, int64 [n].

        The events must not lie beyond :attr:`position`, but for the one at it.
        """
        return self.look(self.log.user[events], self.log.time[events], events)

    def since_previous(self, events: Integers, chain: Ids) -> tuple[Floats, Flags]:
        """Give how long before events of the log the previous ones of their kind were.

        Parameters
        ----------
        events : int64 [n]
        chain : int32 [n_events]
            One of :attr:`chains`.

        Returns
        -------
        elapsed : float64 [n]
            Seconds; 0 for none.
        first : bool [n]
            Whether there is no previous one.
        """
        return since_previous(events, chain, self.log.time)

    def numbers_before(self, chain: Ids) -> Ids:
        """Give how many earlier events of its kind each event of the log has.

        Parameters
        ----------
        chain : int32 [n_events]
            One of :attr:`chains`.

        Returns
        -------
        int32 [n_events]
        """
        return numbers_before(chain)

    def histories(self, latest: Integers | Ids, width: int) -> Integers:
        """Give events of a user from one of them back, int64 [n, width], newest first.

        Parameters
        ----------
        latest : int64 [n]
            As ``Facts.latest``; -1 for none.
        width : int
            -1 is padding.
        """
        return self._walk(latest, self.chains.user, width)

    def purchases(self, latest: Integers | Ids, width: int) -> Integers:
        """Do the same for purchases, from ``Facts.purchase`` back."""
        return self._walk(latest, self.chains.purchase, width)

    def _walk(self, latest: Integers | Ids, chain: Ids, width: int) -> Integers:
        found = np.full((len(latest), width), NO_EVENT, np.int64)
        walk_back(latest, chain, found)
        return found

    def _positions(self, positions: npt.ArrayLike | None, n: int) -> Integers:
        if positions is None:
            return np.full(n, self.position, np.int64)
        where = np.asarray(positions, np.int64)
        if where.max(initial=0) > self.position:
            raise LogError(
                f"position {where.max()} is asked for, but only {self.position} events have "
                "happened"
            )
        return where


def _check_ids(name: str, ids: Integers, size: int) -> None:
    # Compiled loops would read beyond the ends of tables.
    outside = np.flatnonzero((ids < 0) | (ids >= size))
    if len(outside):
        raise LogError(f"{name} {ids[outside[0]]} is asked for, outside 0..{size - 1}")
