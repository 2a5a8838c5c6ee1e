"""Entries of a column that belong together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.log.columns import Integers


def place_within_group(keys: npt.NDArray[np.integer], order: Integers | None = None) -> Integers:
    """Give the number of earlier entries with the same key, int64 [n].

    Parameters
    ----------
    keys : int [n]
    order : int64 [n], optional
        What sorts them, stably.
    """
    order = np.argsort(keys, kind="stable") if order is None else order
    sorted_keys = keys[order]
    starts = np.searchsorted(sorted_keys, sorted_keys, side="left")
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - starts
    return place
