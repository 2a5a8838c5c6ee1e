"""Items with scores as a ranking without ties: the loops that fitted baselines share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import exact
from recbole_imn.kernels.orders import write_order
from recbole_imn.log import Floats, Ids, Integers

Scores = npt.NDArray[np.float32]


class Scratch(NamedTuple):
    """Scores of the items that a row has found, cleared before the next one.

    Attributes
    ----------
    scores : float64 [n_items]
    is_found : bool [n_items]
    found : int64 [n_items]
        Items with a score, in the order in which they were found.
    """

    scores: Floats
    is_found: npt.NDArray[np.bool_]
    found: Integers


@exact
def make_scratch(n_items: int) -> Scratch:
    """Give a scratch without any scores."""
    return Scratch(
        np.zeros(n_items, np.float64), np.zeros(n_items, np.bool_), np.empty(n_items, np.int64)
    )


@exact
def add(item: int, value: float, scratch: Scratch, n_found: int) -> int:
    """Add to an item's score; give the number of items that have one."""
    if not scratch.is_found[item]:
        scratch.is_found[item] = True
        scratch.found[n_found] = item
        n_found += 1
    scratch.scores[item] += value
    return n_found


@exact
def clear(scratch: Scratch, n_found: int) -> None:
    """Forget all scores."""
    for k in range(n_found):
        scratch.scores[scratch.found[k]] = 0.0
        scratch.is_found[scratch.found[k]] = False


@exact
def rank_of(target: int, scratch: Scratch, n_found: int, places: Integers) -> float:
    """Give the rank of an item among those found, from 1; infinity if it is none of them."""
    if not scratch.is_found[target]:
        return np.inf
    rank, own = 1.0, scratch.scores[target]
    for k in range(n_found):
        other = scratch.found[k]
        score = scratch.scores[other]
        if score > own or (score == own and places[other] < places[target]):
            rank += 1.0
    return rank


def places_of(popularity: Scores) -> Integers:
    """Give the places of items in the order of popularity, int64 [n_items].

    Parameters
    ----------
    popularity : float32 [n_items]
        Larger for more popular items, without ties.
    """
    places = np.empty(len(popularity), np.int64)
    places[np.argsort(-popularity, kind="stable")] = np.arange(len(popularity))
    return places


@exact
def rank_candidates(
    targets: Ids,
    items: Integers,
    scores: Floats,
    starts: Integers,
    places: Integers,
    out: Floats,
) -> None:
    """Write the ranks of rows' targets, infinity for what is no candidate.

    Parameters
    ----------
    targets : int32 [n_rows]
    items : int64 [n]
        Candidates, row by row.
    scores : float64 [n]
    starts : int64 [n_rows + 1]
        Where the candidates of each row start.
    places : int64 [n_items]
    out : float64 [n_rows]
    """
    scratch = make_scratch(len(places))
    for row in range(len(targets)):
        n = 0
        for k in range(starts[row], starts[row + 1]):
            n = add(items[k], scores[k], scratch, n)
        out[row] = rank_of(targets[row], scratch, n, places)
        clear(scratch, n)


@exact
def write_orders(
    items: Integers, scores: Floats, starts: Integers, places: Integers, out: Scores
) -> None:
    """Write 1 to 2 for the candidates of rows, by the order of their scores.

    Parameters are those of :func:`rank_candidates`; ``out`` is float32 [n_rows, n_items], below
    1 for all items.
    """
    scratch = make_scratch(len(places))
    for row in range(len(out)):
        n = 0
        for k in range(starts[row], starts[row + 1]):
            n = add(items[k], scores[k], scratch, n)
        write_order(scratch.found[:n], scratch.scores, places, out[row])
        clear(scratch, n)
