"""Numbers for values in the order in which they first occur."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_imn.kernels.compiled import compiled


@compiled
def number(values: Any, size: int, codes: Any, first: Any) -> int:
    """Write the number of each value, and where each number first occurs.

    Parameters
    ----------
    values : int [n]
        ``value < size``; below 0 for none.
    size : int
    codes : int32 [n]
        Is filled; -1 for none.
    first : int64 [size]
        Is filled as far as there are numbers.

    Returns
    -------
    int
        How many there are.
    """
    numbers, n = np.full(size, -1, np.int32), 0
    for row in range(len(values)):
        value = values[row]
        if value < 0:
            codes[row] = -1
            continue
        if numbers[value] < 0:
            numbers[value], first[n] = n, row
            n += 1
        codes[row] = numbers[value]
    return n
