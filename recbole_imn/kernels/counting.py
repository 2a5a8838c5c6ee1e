"""How many scores of a row are above one of them, as high, or no number, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import exact

Array = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]


def count_above(scores: Array, own: Array) -> tuple[Counts, Counts]:
    """Count scores of rows that are above the row's own one, and as high.

    Parameters
    ----------
    scores : float32 or float64 [n_rows, n_items]
        Minus infinity is a score as others.
    own : int64 [n_rows]
        The column of each row's own score.

    Returns
    -------
    above, equal : int64 [n_rows]
        The own one is as high as itself.

    Raises
    ------
    ValueError
        If a score is not a number.
    """
    above, equal = np.zeros((2, len(scores)), np.int64)
    if not _count(scores, own, above, equal):
        raise ValueError("a score is no number")
    return above, equal


@exact
def _count(scores: Array, own: Array, above: Counts, equal: Counts) -> bool:
    """Count row by row; give False if a score is no number."""
    n_rows, n_items = scores.shape
    strange = 0
    for row in range(n_rows):
        values, mine = scores[row], scores[row, own[row]]
        higher, same = 0, 0
        for place in range(n_items):
            higher += values[place] > mine
            same += values[place] == mine
            strange += values[place] != values[place]
        above[row], equal[row] = higher, same
    return strange == 0


@exact
def are_below_infinity(scores: Array) -> bool:
    """Say whether all scores, float [n], are numbers or minus infinity."""
    below = 0
    for place in range(len(scores)):
        below += scores[place] < np.inf
    return below == len(scores)
