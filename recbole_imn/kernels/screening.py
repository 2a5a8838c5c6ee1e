"""Scores of a whole catalogue to within a bound, at the speed of memory.

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


def screen(table: Array, query: Array, values: Array | None) -> tuple[Array, Array]:
    """Give bounds of the scores of all items.

    Parameters
    ----------
    table : float [n_items, width]
    query : float [width]
    values : float [n_items], optional
        Added to the products.

    Returns
    -------
    low, high : float64 [n_items]
        Whatever order products are summed in, the score that comes out lies between
        (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
    """
    n, width = table.shape
    low, high = np.empty(n), np.empty(n)
    unit = float(np.finfo(table.dtype).eps)
    # Twice the bound of one sum, as both the score and its estimate are rounded; and the sum
    # with the value.
    share = 2 * (width + 4) * unit
    _screen(table, query, np.zeros(0) if values is None else values, share, low, high)
    return low, high


@compiled
def _screen(table: Any, query: Any, values: Any, share: float, low: Any, high: Any) -> None:
    zero = table.dtype.type(0)
    for item in range(len(table)):
        product, size = zero, zero
        for place in range(table.shape[1]):
            part = table[item, place] * query[place]
            product += part
            size += abs(part)
        value = values[item] if len(values) else 0.0
        reach = share * (size + abs(value))
        low[item] = product + value - reach
        high[item] = product + value + reach
