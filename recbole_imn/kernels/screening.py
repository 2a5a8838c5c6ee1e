"""The items that the best ones are among, found at the speed of memory.

Products of one row by the catalogue are read from memory once and used once. A library's
product of matrices copies the catalogue to where it computes, for the bits of all rows to be
alike; where only the best items are wanted, it is enough to know which ones they may be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled

Array = npt.NDArray[Any]


def screen(
    table: Array, query: Array, items: Array, values: Array, passed_over: Array, k: int
) -> Array:
    """Find the items whose score may be among the best ``k``.

    Whatever order products are summed in, a score lies within a bound of its estimate (Higham,
    Accuracy and Stability of Numerical Algorithms, section 3.1). An item is found whose score
    may be as large as the least that the k-th best one has.

    Parameters
    ----------
    table : float [n_items, width]
    query : float [width]
    items : int64 [m]
        Rows of the table to look at.
    values : float [n_items] or [0]
        Added to the products, where there are any.
    passed_over : bool [m]
        Items that are not wanted.
    k : int

    Returns
    -------
    bool [m]
        Whether an item is found.
    """
    # Twice the bound of one sum, as both the score and its estimate are rounded; and the sum
    # with the value.
    share = 2 * (table.shape[1] + 4) * float(np.finfo(table.dtype).eps)
    high, found = np.empty(len(items)), np.empty(len(items), np.bool_)
    _screen(table, query, items, values, passed_over, share, np.full(k, -np.inf), high, found)
    return found


@compiled
def _screen(
    table: Any,
    query: Any,
    items: Any,
    values: Any,
    passed_over: Any,
    share: float,
    best: Any,
    high: Any,
    found: Any,
) -> None:
    """Keep the largest lower bounds in ``best``, the least of them first."""
    zero = table.dtype.type(0)
    for place in range(len(items)):
        item = items[place]
        product, size = zero, zero
        for column in range(table.shape[1]):
            part = table[item, column] * query[column]
            product += part
            size += abs(part)
        value = values[item] if len(values) else 0.0
        reach = share * (size + abs(value))
        high[place] = -np.inf if passed_over[place] else product + value + reach
        low = -np.inf if passed_over[place] else product + value - reach
        slot = 0
        while slot < len(best) and low > best[slot]:
            if slot:
                best[slot - 1] = best[slot]
            best[slot] = low
            slot += 1
    for place in range(len(items)):
        found[place] = high[place] >= best[0] and not passed_over[place]
