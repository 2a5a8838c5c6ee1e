"""What is known of users and items at a time, from what lies before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Flags, Floats, Ids, Integers
from recbole_imn.past.before import counted_before, latest_before
from recbole_imn.past.heads import ItemHeads, UserHeads
from recbole_imn.past.index import EMPTY, Chains


@dataclass(frozen=True)
class Facts:
    """What a row may know: a user at a time, after some events of the log.

    All have one entry a row; events are positions in the log, -1 for none.

    Attributes
    ----------
    user : int64
    at : float64
        Seconds; now.
    position : int64
        Events of the log before this position are past, all others are not there.
    latest, purchase : int64
        The user's latest event, and his latest purchase.
    item : int64
        The item of his latest event; 0 for none.
    count, repeats : int64
        Number of his events, and of those with an item that he had had before.
    elapsed, since_purchase : float64
        Seconds since his latest event, and since his latest purchase; 0 for none.
    """

    user: Integers
    at: Floats
    position: Integers
    latest: Integers
    purchase: Integers
    item: Integers
    count: Integers
    repeats: Integers
    elapsed: Floats
    since_purchase: Floats

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.user)

    def __getitem__(self, rows: slice | Integers) -> Facts:
        """Give the facts of some rows."""
        return Facts(**{name: values[rows] for name, values in vars(self).items()})


@dataclass(frozen=True)
class ItemFacts:
    """What is known of items, one entry a row.

    Attributes
    ----------
    item : int64
    latest : int64
        The item's latest event; -1 for none.
    count : int64
        Number of its events.
    elapsed : float64
        Seconds since the latest one; 0 for none.
    """

    item: Integers
    latest: Integers
    count: Integers
    elapsed: Floats


@compiled
def user_facts(
    users: Integers,
    at: Floats,
    positions: Integers,
    times: Floats,
    items: Ids,
    chains: Chains,
    heads: UserHeads,
    events: Integers,
    counts: Integers,
) -> Floats:
    """Fill ``events`` int64 [3, n] (latest, purchase, item) and ``counts`` int64 [2, n].

    Heads may lie beyond a row's position: chains lead back to it.
    """
    elapsed = np.zeros((2, len(users)))
    for row in range(len(users)):
        user, position = users[row], positions[row]
        latest = heads.latest[user]
        count, repeats = heads.count[user], heads.repeats[user]
        while latest >= position:
            count -= 1
            repeats -= chains.times[latest] > 1
            latest = chains.user[latest]
        purchase = latest_before(heads.purchase[user], position, chains.purchase)
        events[0, row], events[1, row] = latest, purchase
        events[2, row] = items[latest] if latest != EMPTY else 0
        counts[0, row], counts[1, row] = count, repeats
        if latest != EMPTY:
            elapsed[0, row] = at[row] - times[latest]
        if purchase != EMPTY:
            elapsed[1, row] = at[row] - times[purchase]
    return elapsed


@compiled
def item_facts(
    items: Integers,
    at: Floats,
    positions: Integers,
    times: Floats,
    chains: Chains,
    heads: ItemHeads,
    latest: Integers,
    counts: Integers,
) -> Floats:
    """Fill the latest event and the number of events of items at positions, int64 [n]."""
    elapsed = np.zeros(len(items))
    for row in range(len(items)):
        item, position = items[row], positions[row]
        event, count = counted_before(heads.latest[item], heads.count[item], position, chains.item)
        latest[row], counts[row] = event, count
        if event != EMPTY:
            elapsed[row] = at[row] - times[event]
    return elapsed


@compiled
def since_previous(events: Integers, chain: Ids, times: Floats) -> tuple[Floats, Flags]:
    """Give seconds from the events that a chain leads to, 0 for none, and where it ends."""
    elapsed, first = np.zeros(len(events)), np.empty(len(events), np.bool_)
    for place in range(len(events)):
        event = events[place]
        before = chain[event]
        first[place] = before == EMPTY
        if before != EMPTY:
            elapsed[place] = times[event] - times[before]
    return elapsed, first


@compiled
def numbers_before(chain: Ids) -> Ids:
    """Give how many events a chain leads through from each one, int32 [n_events]."""
    numbers = np.zeros(len(chain), np.int32)
    for event in range(len(chain)):
        if chain[event] != EMPTY:
            numbers[event] = numbers[chain[event]] + 1
    return numbers


@compiled
def walk_back(latest: Integers | Ids, chain: Ids, found: Integers) -> None:
    """Fill ``found`` int64 [n, width], -1 before, from events ``latest`` back along a chain."""
    for row in range(len(latest)):
        event, place = latest[row], 0
        while place < found.shape[1] and event != EMPTY:
            found[row, place] = event
            place += 1
            event = chain[event]
