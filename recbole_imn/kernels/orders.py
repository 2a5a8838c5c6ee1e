"""Items with scores as a ranking without ties."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import exact

Integers = npt.NDArray[np.int64]


@exact
def write_order(
    found: Integers,
    scores: npt.NDArray[np.float64],
    places: Integers,
    out: npt.NDArray[np.float32],
) -> None:
    """Write 1 to 2 for items by the order of their scores; equal ones by popularity.

    Parameters
    ----------
    found : int64 [n_found]
        The items.
    scores : float64 [n_items]
    places : int64 [n_items]
        Places in the order of popularity, 0 for the most popular item.
    out : float32 [n_items]
        Below 1 for all items.
    """
    found = found[np.argsort(places[found])]
    order = np.argsort(-scores[found], kind="mergesort")
    for place in range(len(found)):
        out[found[order[place]]] = 2.0 - (1.0 + place) / (1.0 + len(out))
