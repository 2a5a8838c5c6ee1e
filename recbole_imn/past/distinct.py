"""Distinct ids in increasing order, and where one is among them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Ids, Integers


def distinct(*ids: Ids | Integers) -> Integers:
    """Give the distinct values of some arrays, increasing, int64.

    Parameters
    ----------
    *ids : int32 or int64 [n]
    """
    ordered: npt.NDArray[np.int64] = np.concatenate(ids, dtype=np.int64)
    ordered.sort()
    return ordered[: _drop_repeats(ordered)]


@compiled
def _drop_repeats(ordered: Integers) -> int:
    """Move the first of each value to the front; give how many there are."""
    n = min(len(ordered), 1)
    for place in range(1, len(ordered)):
        if ordered[place] != ordered[n - 1]:
            ordered[n] = ordered[place]
            n += 1
    return n


@compiled
def place_in(ordered: Integers, value: int) -> int:
    """Give the place of a value among increasing ones, or that of the next larger one."""
    low, size = 0, len(ordered)
    while size > 0:
        half = size // 2
        if ordered[low + half] < value:
            low += half + 1
            size -= half + 1
        else:
            size = half
    return low


@compiled
def places_in(ordered: Integers, values: Integers) -> Integers:
    """Give the places of values among increasing ones, int64 [n]."""
    places = np.empty(len(values), np.int64)
    for i in range(len(values)):
        places[i] = place_in(ordered, values[i])
    return places


@compiled
def distinct_places(places: Integers, n: int) -> Integers:
    """Give the distinct ones of places, as they first occur; each becomes its place among them.

    Parameters
    ----------
    places : int64 [n_places]
        ``0 <= place < n``; they are replaced.
    n : int

    Returns
    -------
    int64 [n_distinct]
    """
    seen, found, n_found = np.full(n, -1), np.empty(len(places), np.int64), 0
    for i in range(len(places)):
        place = places[i]
        if seen[place] < 0:
            seen[place], found[n_found] = n_found, place
            n_found += 1
        places[i] = seen[place]
    return found[:n_found].copy()
