"""The best places of each row of scores, in a fixed order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import exact

Array = npt.NDArray[Any]


def best_places(scores: Array, k: int, out: Array, out_start: Array) -> tuple[Array, Array]:
    """Find the largest scores of each row; of equal ones, those that come first.

    Parameters
    ----------
    scores : float [n, m]
    k : int
        How many a row, at least 1.
    out : int64 [n_out]
        Places that are left out, in ``0..m``; row ``r`` has those from ``out_start[r]`` to
        ``out_start[r + 1]``.
    out_start : int64 [n + 1]

    Returns
    -------
    places : int64 [n, k]
        The best one first; -1 behind the last one of a row with fewer than ``k``.
    counts : int64 [n]

    Raises
    ------
    ValueError
        If a score is NaN.
    """
    n, m = scores.shape
    places, counts = np.full((n, min(k, m)), -1, np.int64), np.zeros(n, np.int64)
    if m and not _find(scores, out, out_start, places, counts):
        raise ValueError("a score is no number")
    return places, counts


@exact
def _is_worse(scores: Array, one: int, other: int) -> bool:
    """Say whether a place comes after another one."""
    if scores[one] != scores[other]:
        return bool(scores[one] < scores[other])
    return one > other


@exact
def _sink(scores: Array, heap: Array, size: int) -> None:
    """Let the first of a heap, whose first is its worst, go down to where it belongs."""
    place, at = heap[0], 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and _is_worse(scores, heap[child + 1], heap[child]):
            child += 1
        if not _is_worse(scores, heap[child], place):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = place


@exact
def _rise(scores: Array, heap: Array, at: int) -> None:
    """Let an entry of a heap go up to where it belongs."""
    place = heap[at]
    while at > 0 and _is_worse(scores, place, heap[(at - 1) // 2]):
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = place


@exact
def _find(scores: Array, out: Array, out_start: Array, places: Array, counts: Array) -> bool:
    """Keep the best of each row in a heap, and sort it; give False if a score is no number."""
    n, m = scores.shape
    k = places.shape[1]
    is_out = np.zeros(m, np.bool_)
    for row in range(n):
        left_out = out[out_start[row] : out_start[row + 1]]
        is_out[left_out] = True
        values, heap = scores[row], places[row]
        size, worst = 0, -np.inf
        for place in range(m):
            # What is no number is neither above the worst nor at most as large.
            if size == k and values[place] <= worst:
                continue
            if values[place] != values[place]:
                return False
            if is_out[place]:
                continue
            if size < k:
                heap[size] = place
                _rise(values, heap, size)
                size += 1
            else:
                heap[0] = place
                _sink(values, heap, size)
            worst = values[heap[0]]
        counts[row] = size
        # The worst of what is left goes behind it, until the best one is first.
        for last in range(size - 1, 0, -1):
            heap[0], heap[last] = heap[last], heap[0]
            _sink(values, heap, last)
        is_out[left_out] = False
    return True
