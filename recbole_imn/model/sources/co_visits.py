"""Counting what lies beside visits of others to a user's items, in compiled loops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Floats, Ids, Integers
from recbole_imn.past.before import latest_before
from recbole_imn.past.index import OF_ITEM, OF_USER, ONWARDS, STEP_ITEM

Places = npt.NDArray[np.int16]

# The user's latest distinct items whose neighbours are counted.
ANCHORS = 10
# Latest visits of others to the newest anchor, and how far on each side neighbours are counted.
VISITS, REACH = 50, 5
# Neighbours of a row, at most; and places that are hashed to, a power of two and twice as many.
ROOM = 2 * REACH * sum(VISITS // (1 + anchor) for anchor in range(ANCHORS))
PLACES = 4096

# What is counted of a neighbour, which is a line of the processor's cache: the item, its count, how
# much of that came after visits, how many anchors it lies beside, the newest and the latest counted
# one of these, and its latest event there. They lie in the order in which they were met, so that
# all of them are gone through as memory likes it; float64 [ROOM, 8]. Which one is whose is told by
# places, int16 [PLACES], which stay in the nearest cache: 0 where none is, else one more than its
# row.
ITEM, WEIGHT, AFTER, N_ANCHORS, NEWEST, LATEST_ANCHOR, LINK = range(7)


@compiled
def _place_of(places: Places, met: Floats, item: int) -> int:
    """Find the place of an item, or the empty one where it belongs."""
    place = (item * 2654435761) & (PLACES - 1)
    while places[place] != 0 and met[places[place] - 1, ITEM] != item:
        place = (place + 1) & (PLACES - 1)
    return place


@compiled
def _count(
    places: Places,
    met: Floats,
    n: int,
    item: int,
    anchor: int,
    event: int,
    by: float,
    after: float,
) -> int:
    """Count a neighbour; give how many there are."""
    place = _place_of(places, met, item)
    row = places[place] - 1
    # One number after another: a view of a row costs more than the row.
    if row < 0:
        row = n
        n += 1
        places[place] = n
        met[row, ITEM] = item
        met[row, WEIGHT] = met[row, AFTER] = met[row, N_ANCHORS] = 0.0
        met[row, NEWEST] = anchor
        met[row, LATEST_ANCHOR] = met[row, LINK] = -1.0
    met[row, WEIGHT] += by
    met[row, AFTER] += by * after
    if met[row, LATEST_ANCHOR] != anchor:
        met[row, N_ANCHORS] += 1.0
        met[row, LATEST_ANCHOR] = anchor
    if event > met[row, LINK]:
        met[row, LINK] = event
    return n


@compiled
def _visits_of_others(
    visits: Integers,
    latest: int,
    user: int,
    position: int,
    most: int,
    users: Ids,
    steps: Ids,
) -> int:
    """Find the latest visits of others to an item, before a position; give how many there are."""
    visit, n, n_seen = latest_before(latest, position, steps[:, OF_ITEM]), 0, 0
    # The user's own visits do not count, and there may be many.
    while visit >= 0 and n < most and n_seen < 2 * most:
        if users[visit] != user:
            visits[n] = visit
            n += 1
        visit = steps[visit, OF_ITEM]
        n_seen += 1
    return n


@compiled
def _walk(seen: Ids, visits: Integers, n: int, side: int, position: int, steps: Ids) -> None:
    """Fill in what lies on one side of visits, event by event, -1 where there is no more.

    A step of every visit before the next step of any: they do not depend on each other, so that
    the processor waits for memory once for many of them.
    """
    for k in range(n):
        seen[k, 0, 0] = steps[visits[k], side]
    for distance in range(REACH):
        for k in range(n):
            event = seen[k, distance, 0]
            if event >= position:
                event = -1
                seen[k, distance, 0] = -1
            following = -1
            if event >= 0:
                seen[k, distance, 1] = steps[event, STEP_ITEM]
                following = steps[event, side]
            if distance + 1 < REACH:
                seen[k, distance + 1, 0] = following


@compiled
def _count_side(
    places: Places, met: Floats, n: int, seen: Ids, item: int, anchor: int, after: float
) -> int:
    """Count what was seen on one side of a visit; give how many there are."""
    for k in range(REACH):
        event, other = seen[k, 0], seen[k, 1]
        if event < 0:
            break
        if other != item:
            by = 1.0 / ((1 + anchor) * (k + 1))
            n = _count(places, met, n, other, anchor, event, by, after)
    return n


@compiled
def count_all(
    places: Places,
    met: Floats,
    visits: Integers,
    seen: Ids,
    user: int,
    position: int,
    own: Integers,
    own_events: Integers,
    users: Ids,
    steps: Ids,
    latest: Ids,
) -> int:
    """Count the neighbours of the user's latest items; give how many there are."""
    n = 0
    for anchor in range(ANCHORS):
        if own_events[anchor] < 0:
            break
        item, most = own[anchor], VISITS // (1 + anchor)
        n_visits = _visits_of_others(visits, latest[item], user, position, most, users, steps)
        _walk(seen[0], visits, n_visits, OF_USER, position, steps)
        _walk(seen[1], visits, n_visits, ONWARDS, position, steps)
        for k in range(n_visits):
            n = _count_side(places, met, n, seen[0, k], item, anchor, 0.0)
            n = _count_side(places, met, n, seen[1, k], item, anchor, 1.0)
    return n


@compiled
def leave_out(places: Places, met: Floats, own: Integers) -> None:
    """Let items count nothing."""
    for item in own:
        if item == 0:
            break
        row = places[_place_of(places, met, item)] - 1
        if row >= 0:
            met[row, WEIGHT] = 0.0


@compiled
def best(met: Floats, n: int, found: Integers) -> tuple[int, float]:
    """Fill in the rows of the largest counts, in order; give how many, and the sum of all."""
    n_found, total = 0, 0.0
    for row in range(n):
        weight, item = met[row, WEIGHT], met[row, ITEM]
        if weight <= 0:
            continue
        total += weight
        at = n_found
        while at > 0:
            other = found[at - 1]
            if met[other, WEIGHT] > weight:
                break
            if met[other, WEIGHT] == weight and met[other, ITEM] < item:
                break
            if at < len(found):
                found[at] = other
            at -= 1
        if at < len(found):
            found[at] = row
            n_found = min(n_found + 1, len(found))
    return n_found, total
