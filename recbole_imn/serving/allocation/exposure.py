"""How evenly items are shown."""

from __future__ import annotations

from dataclasses import dataclass

from recbole_imn.log import Integers
from recbole_imn.rank_metrics import gini_of


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
    """Describe the number of lists that items are on.

    Parameters
    ----------
    counts : int64 [n_items]
        0 for an item that is on none.
    """
    if not counts.any():
        return Exposure(0.0, 0.0, 0)
    return Exposure(
        gini=gini_of(counts, len(counts)),
        shown=float((counts > 0).mean()),
        most=int(counts.max()),
    )
