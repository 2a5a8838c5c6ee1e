"""Counting what lies beside visits of others to a user's items, in compiled loops."""

from __future__ import annotations

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Floats, Ids, Integers
from recbole_imn.past.before import latest_before

# The user's latest distinct items whose neighbours are counted.
ANCHORS = 10
# Latest visits of others to the newest anchor, and how far on each side neighbours are counted.
VISITS, REACH = 50, 5
# Room in a table of neighbours: twice as many places as there can be neighbours, at least.
PLACES = 4096

# Neighbours are counted in a hash table, a row of which is a cache line: the item (0: empty), its
# count, how much of that came after visits, how many anchors it lies beside, the newest and the
# latest counted one of these, and its latest event there. float64 [PLACES, 8]
ITEM, WEIGHT, AFTER, N_ANCHORS, NEWEST, LATEST_ANCHOR, LINK = range(7)


@compiled
def _place_of(table: Floats, item: int) -> int:
    """Find the place of an item, or the empty one where it belongs."""
    place = (item * 2654435761) & (PLACES - 1)
    while table[place, ITEM] != 0 and table[place, ITEM] != item:
        place = (place + 1) & (PLACES - 1)
    return place


@compiled
def _count(
    table: Floats,
    used: Integers,
    n: int,
    item: int,
    anchor: int,
    event: int,
    by: float,
    after: float,
) -> int:
    """Count a neighbour; give how many there are."""
    place = _place_of(table, item)
    # One number after another: a view of a row costs more than the row.
    if table[place, ITEM] == 0:
        used[n] = place
        n += 1
        table[place, ITEM] = item
        table[place, WEIGHT] = table[place, AFTER] = table[place, N_ANCHORS] = 0.0
        table[place, NEWEST] = anchor
        table[place, LATEST_ANCHOR] = table[place, LINK] = -1.0
    table[place, WEIGHT] += by
    table[place, AFTER] += by * after
    if table[place, LATEST_ANCHOR] != anchor:
        table[place, N_ANCHORS] += 1.0
        table[place, LATEST_ANCHOR] = anchor
    if event > table[place, LINK]:
        table[place, LINK] = event
    return n


@compiled
def _count_side(
    table: Floats,
    used: Integers,
    n: int,
    items: Ids,
    chain: Ids,
    visit: int,
    position: int,
    anchor: int,
    after: float,
) -> int:
    """Count what lies on one side of a visit, before a position; give how many there are."""
    item, event, distance = items[visit], chain[visit], 1
    while 0 <= event < position and distance <= REACH:
        other = items[event]
        if other != item:
            by = 1.0 / ((1 + anchor) * distance)
            n = _count(table, used, n, other, anchor, event, by, after)
        event = chain[event]
        distance += 1
    return n


@compiled
def count_all(
    table: Floats,
    used: Integers,
    user: int,
    position: int,
    own: Integers,
    own_events: Integers,
    users: Ids,
    items: Ids,
    before: Ids,
    following: Ids,
    item_chain: Ids,
    latest: Ids,
) -> int:
    """Count the neighbours of the user's latest items; give how many there are."""
    n = 0
    for anchor in range(ANCHORS):
        if own_events[anchor] < 0:
            break
        visit = latest_before(latest[own[anchor]], position, item_chain)
        n_visits, steps, most = 0, 0, VISITS // (1 + anchor)
        # The user's own visits do not count, and there may be many.
        while visit >= 0 and n_visits < most and steps < 2 * most:
            if users[visit] != user:
                n = _count_side(table, used, n, items, before, visit, position, anchor, 0.0)
                n = _count_side(table, used, n, items, following, visit, position, anchor, 1.0)
                n_visits += 1
            visit = item_chain[visit]
            steps += 1
    return n


@compiled
def leave_out(table: Floats, own: Integers) -> None:
    """Let items count nothing."""
    for item in own:
        if item == 0:
            break
        place = _place_of(table, item)
        if table[place, ITEM] == item:
            table[place, WEIGHT] = 0.0


@compiled
def best(table: Floats, used: Integers, n: int, found: Integers) -> tuple[int, float]:
    """Fill in the places of the largest counts, in order; give how many, and the sum of all."""
    n_found, total = 0, 0.0
    for k in range(n):
        place = used[k]
        weight, item = table[place, WEIGHT], table[place, ITEM]
        if weight <= 0:
            continue
        total += weight
        at = n_found
        while at > 0:
            other = found[at - 1]
            if table[other, WEIGHT] > weight:
                break
            if table[other, WEIGHT] == weight and table[other, ITEM] < item:
                break
            if at < len(found):
                found[at] = other
            at -= 1
        if at < len(found):
            found[at] = place
            n_found = min(n_found + 1, len(found))
    return n_found, total
