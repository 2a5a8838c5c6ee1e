"""How evenly items are shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.log import Integers


@dataclass(frozen=True)
class Exposure:
    """Spread of the lists over items.

    Attributes
    ----------
    gini : float
        Gini coefficient of the number of lists an item is on: 0 if all items are on as many,
        near 1 if one is on all; 0 without any list.
    shown : float
        Share of items that are on a list.
    most : int
        Lists that the most shown item is on.
    """

    gini: float
    shown: float
    most: int


def exposure(counts: Integers) -> Exposure:
    r"""Describe the number of lists that items are on.

    .. math::
        G = \frac{\sum_j (2 j - n - 1) c_{(j)}}{n \sum_j c_j}

    with c in rising order.

    Parameters
    ----------
    counts : int64 [n_items]
        0 for an item that is on none.
    """
    n_items, total = len(counts), int(counts.sum())
    if not total:
        return Exposure(0.0, 0.0, 0)
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return Exposure(
        gini=float((weights * np.sort(counts)).sum() / (n_items * total)),
        shown=float((counts > 0).mean()),
        most=int(counts.max()),
    )
