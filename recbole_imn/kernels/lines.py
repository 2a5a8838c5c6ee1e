"""Lines of a file of columns, counted and checked in one pass over its bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled

Bytes = npt.NDArray[np.uint8]

FINE, CUT, UNEVEN = 0, 1, 2
_ZERO, _FEED, _RETURN = 0, 10, 13


@compiled
def check_lines(lines: Bytes, separator: Bytes, expected: int, counts: Any) -> int:
    """Check whole lines; stop at the first that is wrong.

    Parameters
    ----------
    lines : uint8 [n]
        Whole lines, the last with or without its end.
    separator : uint8 [length]
    expected : int
        Columns of a line that is not blank.
    counts : int64 [3]
        Lines so far, those of them that are not blank, and columns of the latest one; they are
        moved on, to the wrong line if there is one.

    Returns
    -------
    int
        0 if all lines are fine; 1 for a line with a zero byte, or a carriage return that does
        not end it; 2 for a line with other columns than expected.
    """
    place, n, width = 0, len(lines), len(separator)
    while place < n:
        columns, is_blank, is_cut = 1, True, False
        while place < n and lines[place] != _FEED:
            byte = lines[place]
            if byte == _ZERO or (byte == _RETURN and place + 1 < n and lines[place + 1] != _FEED):
                is_cut = True
            if is_blank and not (byte == 32 or 9 <= byte <= 13):
                is_blank = False
            found = byte == separator[0] and place + width <= n
            more = 1
            while found and more < width:
                found = lines[place + more] == separator[more]
                more += 1
            if found:
                columns += 1
                place += width
                for byte in separator:
                    is_blank = is_blank and (byte == 32 or 9 <= byte <= 13)
            else:
                place += 1
        place += 1
        counts[0] += 1
        counts[2] = columns
        if is_cut:
            return CUT
        if not is_blank:
            counts[1] += 1
            if columns != expected:
                return UNEVEN
    return FINE
