"""The allocation beside lists that are made without it."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from recbole_imn.errors import ServingError
from recbole_imn.log import Flags
from recbole_imn.serving.allocation.exposure import exposure
from recbole_imn.serving.allocation.greedy import first_come, own_lists_in_stock
from recbole_imn.serving.allocation.problem import Problem

OWN, ALLOCATED = "own lists", "allocation"
STRUCK, FIRST_COME = "own lists, sold out struck", "first come, first served"


def compare(
    problem: Problem, chosen: Flags, n_items: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say what the allocation loses, and how evenly it shows items.

    Parameters
    ----------
    problem : Problem
    chosen : bool [n_edges]
    n_items : int, optional
        How many items are on offer; those of the problem if not given.

    Returns
    -------
    loss, exposure : DataFrame
        As :class:`~recbole_imn.serving.allocation.Allocation` has them.

    Raises
    ------
    ServingError
        If there are fewer items on offer than candidates.
    """
    ways = {
        OWN: problem.own_lists,
        STRUCK: own_lists_in_stock(problem),
        FIRST_COME: first_come(problem),
        ALLOCATED: chosen,
    }
    unseen = np.zeros(_unseen(problem, n_items), np.int64)
    spreads = {
        way: asdict(exposure(np.append(problem.exposures(lists), unseen)))
        for way, lists in ways.items()
    }
    return _losses(problem, ways), pd.DataFrame.from_dict(spreads, orient="index")


def _losses(problem: Problem, ways: dict[str, Flags]) -> pd.DataFrame:
    hits = np.array([problem.value(lists) for lists in ways.values()])
    own = hits[0] or 1.0
    return pd.DataFrame(
        {
            "hits": hits,
            "loss": (hits[0] - hits) / own,
            "entries": [int(lists.sum()) for lists in ways.values()],
        },
        index=list(ways),
    )


def _unseen(problem: Problem, n_items: int | None) -> int:
    """Count items on offer that are nobody's candidate."""
    unseen = 0 if n_items is None else n_items - len(problem.items)
    if unseen < 0:
        raise ServingError(
            f"n_items is {n_items}, and {len(problem.items)} items are candidates; give the "
            "number of items on offer"
        )
    return unseen
