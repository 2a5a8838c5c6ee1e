"""Items that others had beside the user's latest ones, counted over their histories so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.in_parallel import in_parallel, threads_for
from recbole_imn.log import Floats, Ids, Integers
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.base import Numbers, Proposals, Source
from recbole_imn.model.sources.numbers import (
    activity,
    latest_of_item,
    log_time,
    popularity,
)
from recbole_imn.model.sources.own_items import HORIZON, own_events
from recbole_imn.past import Facts, Past

# The user's latest distinct items whose neighbours are counted; all that are no candidates.
ANCHORS, OWN = 10, 20
# The latest visits of others to an anchor, and how far on each side neighbours are counted.
VISITS, REACH = 30, 4
# Room in a table of neighbours: twice as many places as there can be neighbours, at least.
PLACES = 8192


class CoVisited(Source):
    r"""The items that others had most beside the user's ten latest ones.

    A neighbour that is d events away from a visit of somebody else to the user's r-th latest
    item counts :math:`1 / (r d)`. The latest 30 visits to each item are looked at, so that
    what is counted moves with the log, costs the same however long it is, and needs no table:
    a walk along chains that ends at the row's position. Own items are left out.

    The event that points to a candidate is the user's own latest one with the newest of his
    items that it lies beside. The numbers of a candidate are its own: logarithms, over 2, of
    its count, of its share of the counts of all neighbours, and of its count for each of its
    events so far; the share of visits that it came after; the logarithm of how many of the
    user's items it lies beside, and 0.3 for each place of the newest of them; ``log_time`` of
    the seconds since it was last visited beside one, since its latest event, and since the
    user's own event; how busy it is and how popular, as of other sources.

    Parameters
    ----------
    making : Making
    """

    n_slots = 30

    def __init__(self, making: Making) -> None:
        pass

    def starting_bias(self) -> Floats:
        """Those with more visits weigh more."""
        return -3.0 - np.log1p(np.arange(self.n_slots))

    def propose(self, past: Past, facts: Facts, out: Proposals) -> None:
        """Fill slots with neighbours, the largest count first; of equal ones, the smaller id."""
        own = np.zeros((len(facts), OWN), np.int64), np.full((len(facts), OWN), -1, np.int64)
        log, chains, heads = past.log, past.chains, past.items
        own_events(facts.latest, log.item, chains.user, HORIZON, *own)
        walks = Walks(
            log.user, log.item, log.time, chains.user, chains.item, chains.following,
            heads.latest, heads.count,
        )  # fmt: skip
        rows = facts.user, facts.at, facts.position, *own
        _propose(threads_for(len(facts)), *rows, walks, out.items, out.events, out.numbers)


class Walks(NamedTuple):
    """What is walked through: columns of the log, chains from events, and heads of items."""

    user: Ids
    item: Ids
    time: Floats
    user_chain: Ids
    item_chain: Ids
    following: Ids
    latest: Ids
    counts: Ids


class Counted(NamedTuple):
    """Counts of neighbours by place in a hash table, and which places are in use."""

    items: Integers
    weight: Floats
    forward: Floats
    n_anchors: Integers
    first: Integers
    last: Integers
    link: Integers
    used: Integers


@compiled
def _nothing_counted() -> Counted:
    whole, real = np.zeros((6, PLACES), np.int64), np.zeros((2, PLACES))
    return Counted(whole[0], real[0], real[1], whole[1], whole[2], whole[3], whole[4], whole[5])


@compiled
def _place_of(items: Integers, item: int) -> int:
    """Find the place of an item, or the empty one where it belongs."""
    place = (item * 2654435761) & (PLACES - 1)
    while items[place] != 0 and items[place] != item:
        place = (place + 1) & (PLACES - 1)
    return place


@compiled
def _count(
    counted: Counted, n: int, item: int, anchor: int, event: int, by: float, on: bool
) -> int:
    """Count a neighbour; give how many there are."""
    place = _place_of(counted.items, item)
    if counted.items[place] == 0:
        counted.items[place], counted.used[n] = item, place
        n += 1
        counted.weight[place] = counted.forward[place] = 0.0
        counted.n_anchors[place], counted.first[place] = 0, anchor
        counted.last[place] = counted.link[place] = -1
    counted.weight[place] += by
    counted.forward[place] += by if on else 0.0
    counted.n_anchors[place] += counted.last[place] != anchor
    counted.last[place] = anchor
    counted.link[place] = max(counted.link[place], event)
    return n


@compiled
def _count_beside(
    counted: Counted, n: int, walks: Walks, visit: int, position: int, anchor: int
) -> int:
    """Count what lies on both sides of a visit, before a position; give how many there are."""
    item = walks.item[visit]
    for forward in range(2):
        event = visit
        for distance in range(1, REACH + 1):
            event = walks.following[event] if forward else walks.user_chain[event]
            if event < 0 or event >= position:
                break
            if walks.item[event] != item:
                by = 1.0 / ((1 + anchor) * distance)
                n = _count(counted, n, walks.item[event], anchor, event, by, forward == 1)
    return n


@compiled
def _count_all(
    counted: Counted, walks: Walks, user: int, position: int, own: Integers, own_events: Integers
) -> int:
    """Count the neighbours of the user's latest items; give how many there are."""
    n = 0
    for anchor in range(ANCHORS):
        if own_events[anchor] < 0:
            break
        visit = latest_of_item(own[anchor], position, walks.item_chain, walks.latest)
        n_visits = steps = 0
        # The user's own visits do not count, and there may be many.
        while visit >= 0 and n_visits < VISITS and steps < 2 * VISITS:
            if walks.user[visit] != user:
                n = _count_beside(counted, n, walks, visit, position, anchor)
                n_visits += 1
            visit = walks.item_chain[visit]
            steps += 1
    return n


@compiled
def _leave_out(counted: Counted, own: Integers) -> None:
    for item in own:
        if item == 0:
            break
        place = _place_of(counted.items, item)
        if counted.items[place] == item:
            counted.weight[place] = 0.0


@compiled
def _best(counted: Counted, n: int, found: Integers) -> tuple[int, float]:
    """Fill in the places of the largest counts, in order; give how many, and the sum of all."""
    n_found, total = 0, 0.0
    for k in range(n):
        place = counted.used[k]
        weight, item = counted.weight[place], counted.items[place]
        if weight <= 0:
            continue
        total += weight
        at = n_found
        while at > 0:
            other = found[at - 1]
            if counted.weight[other] > weight:
                break
            if counted.weight[other] == weight and counted.items[other] < item:
                break
            if at < len(found):
                found[at] = other
            at -= 1
        if at < len(found):
            found[at] = place
            n_found = min(n_found + 1, len(found))
    return n_found, total


@compiled
def _propose_rows(
    first: int,
    last: int,
    users: Integers,
    at: Floats,
    positions: Integers,
    own: Integers,
    own_events: Integers,
    walks: Walks,
    items: Integers,
    events: Integers,
    out: Numbers,
) -> None:
    counted, places = _nothing_counted(), np.zeros(items.shape[1], np.int64)
    for row in range(first, last):
        position, now = positions[row], at[row]
        n = _count_all(counted, walks, users[row], position, own[row], own_events[row])
        _leave_out(counted, own[row])
        n_found, total = _best(counted, n, places)
        for slot in range(n_found):
            place = places[slot]
            item, weight = counted.items[place], counted.weight[place]
            led = own_events[row, counted.first[place]]
            items[row, slot], events[row, slot] = item, led
            latest = latest_of_item(item, position, walks.item_chain, walks.latest)
            known = popularity(item, position, walks.item_chain, walks.latest, walks.counts)
            numbers = out[row, slot]
            numbers[0] = np.log(weight) / 2
            numbers[1] = np.log(weight / total) / 2
            numbers[2] = np.log(weight) / 2 - 2 * known
            numbers[3] = counted.forward[place] / weight
            numbers[4] = np.log(counted.n_anchors[place]) + 0.3 * counted.first[place]
            numbers[5] = log_time(now - walks.time[counted.link[place]])
            numbers[6] = log_time(now - walks.time[latest])
            numbers[7] = log_time(now - walks.time[led])
            numbers[8] = activity(latest, now, walks.time, walks.item_chain)
            numbers[9] = known
        for k in range(n):
            counted.items[counted.used[k]] = 0


_propose_all = in_parallel(_propose_rows)


@compiled
def _propose(
    threads: int,
    users: Integers,
    at: Floats,
    positions: Integers,
    own: Integers,
    own_events: Integers,
    walks: Walks,
    items: Integers,
    events: Integers,
    out: npt.NDArray[np.float32],
) -> None:
    rows = users, at, positions, own, own_events, walks, items, events, out
    _propose_all(threads, len(at), rows)
