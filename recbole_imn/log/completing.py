"""All columns of some events, of which only a few may be given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.errors import LogError


def complete_columns(
    user: npt.ArrayLike,
    item: npt.ArrayLike,
    time: npt.ArrayLike,
    behaviour: npt.ArrayLike | None = None,
    purchase: npt.ArrayLike | None = None,
    features: npt.ArrayLike | None = None,
    inventory: npt.ArrayLike | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """Give all columns of some events, those that are missing filled with nothing.

    Raises
    ------
    LogError
        If columns have different lengths.
    """
    time = np.atleast_1d(np.asarray(time, np.float64))
    n = len(time)
    columns = {
        "user": np.atleast_1d(np.asarray(user)),
        "item": np.atleast_1d(np.asarray(item)),
        "time": time,
        "behaviour": _or_zeros(behaviour, n, np.int16),
        "purchase": _or_zeros(purchase, n, np.bool_),
        "features": _matrix(features, n),
        "inventory": _matrix(inventory, n),
    }
    for name, column in columns.items():
        if len(column) != n:
            raise LogError(f"column {name} has {len(column)} entries, time has {n}")
    return columns


def _or_zeros(column: npt.ArrayLike | None, n: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.zeros(n, dtype) if column is None else np.atleast_1d(np.asarray(column))


def _matrix(column: npt.ArrayLike | None, n: int) -> npt.NDArray[np.float32]:
    if column is None:
        return np.zeros((n, 0), np.float32)
    return np.asarray(column, np.float32).reshape(n, -1)
