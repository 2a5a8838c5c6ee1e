"""Numbers of callers, checked: what is none is refused in one line."""

from __future__ import annotations

from numbers import Real
from operator import index
from typing import Any

import numpy as np

from recbole_imn.errors import ServingError
from recbole_imn.validation import shown


def whole(value: Any, what: str, least: int = 1) -> int:
    """Give a whole number of any library as int; truth values are none.

    Raises
    ------
    ServingError
        If it is no whole number, or too small.
    """
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise ServingError(f"{what} is {shown(value)}; it must be a whole number from {least}")
    return number


def is_number(value: Any) -> bool:
    """Whether a value is one number of any library; truth values are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_number_or_truth(value: Any) -> bool:
    """Whether a value is one number, or a truth value, which counts as 0 or 1."""
    return is_number(value) or isinstance(value, bool)


def floats(given: Any, what: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give a number, or several, as float64 of the same shape.

    Raises
    ------
    ServingError
        If they are no numbers, or not as many in each row.
    """
    try:
        values = np.asarray(given)
        # numpy makes NaN of None, and numbers of text.
        mixed = values.ravel().tolist() if values.dtype.kind == "O" else []
        if values.dtype.kind in "biufO" and all(map(is_number_or_truth, mixed)):
            return values.astype(np.float64)
    except (ValueError, OverflowError):
        pass
    raise ServingError(f"{what} is {shown(given)}; give numbers")
