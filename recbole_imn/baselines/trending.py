r"""Popularity that fades: how much of all events, the latest ones most, is of which items.

With a half-life h, an item has :math:`g_i(t) = \sum_k 2^{-(t - t_k)/h}` over its events k so far.
All items fade alike, so what is kept is the level :math:`\log_2 g_i(t) + t/h`, which only the
item's own events change, and by which items are ranked at any time.
"""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import exact
from recbole_imn.log import Floats, Ids, Integers


def trending(
    events: Integers, items: Ids, times: Floats, half_life: float, places: Integers, n: int
) -> tuple[Integers, Floats]:
    """Give the items that are most popular before some events.

    Parameters
    ----------
    events : int64 [n_rows]
        Positions; only what lies before each is read.
    items : int32 [n_events]
    times : float64 [n_events]
        Seconds.
    half_life : float
        Seconds.
    places : int64 [n_items]
        By training popularity; the smaller one is first where items are equally popular.
    n : int

    Returns
    -------
    items : int64 [n_rows, n]
        The most popular first; 0 is none.
    shares : float64 [n_rows, n]
        Of the popularity of all items together; 0 for none.
    """
    order = np.argsort(events, kind="stable")
    found, shares = np.zeros((len(events), n), np.int64), np.zeros((len(events), n), np.float64)
    _trending(events, order, items, times, half_life, places, found, shares)
    return found, shares


@exact
def raised(level: float, now: float) -> float:
    """Give a level after an event, ``now`` half-lives after the beginning of time."""
    result: float = now + np.log2(1.0 + 2.0 ** (level - now))
    return result


@exact
def _trending(
    events: Integers,
    order: Integers,
    items: Ids,
    times: Floats,
    half_life: float,
    places: Integers,
    found: Integers,
    shares: Floats,
) -> None:
    levels, total, position = np.full(len(places), -np.inf), -np.inf, 0
    for row in order:
        while position < events[row]:
            # Of the log's first event, so that levels stay small, and exact.
            now = (times[position] - times[0]) / half_life
            levels[items[position]] = raised(levels[items[position]], now)
            total = raised(total, now)
            position += 1
        n_found = _best(levels, places, found[row])
        for slot in range(n_found):
            shares[row, slot] = 2.0 ** (levels[found[row, slot]] - total)


@exact
def _best(levels: Floats, places: Integers, found: Integers) -> int:
    """Put the items with the highest levels in order; give how many there are."""
    n_found = 0
    for item in range(1, len(levels)):
        level = levels[item]
        if level == -np.inf:
            continue
        if n_found == len(found):
            if not _before(item, found[n_found - 1], levels, places):
                continue
            n_found -= 1
        slot = n_found
        while slot > 0 and _before(item, found[slot - 1], levels, places):
            found[slot] = found[slot - 1]
            slot -= 1
        found[slot] = item
        n_found += 1
    return n_found


@exact
def _before(item: int, other: int, levels: Floats, places: Integers) -> bool:
    """Whether an item ranks before another."""
    if levels[item] != levels[other]:
        return bool(levels[item] > levels[other])
    return bool(places[item] < places[other])
