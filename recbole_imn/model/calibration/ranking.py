"""Ranks of rows under any proportions, from what was collected of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recbole_imn.kernels.compiled import exact
from recbole_imn.log import Floats
from recbole_imn.model.calibration.calibration import Proportions, Slots
from recbole_imn.model.calibration.rows import SearchedRows

# Far above what rounding does to a sum of exponential functions of float64.
SLACK = 1e-6


def ranks_of(rows: SearchedRows, slots: Slots, found: Proportions, top: int) -> Floats:
    """Rank each row's item as the mixture does under some proportions.

    Parameters
    ----------
    rows : SearchedRows
    slots : Slots
    found : Proportions
    top : int
        Ranks that matter; not more than rows were collected for.

    Returns
    -------
    float64 [n]
        1 + items ahead + half of the others at the same score; infinity below ``top``.
    """
    ranks, weights = np.empty(len(rows)), np.empty(len(rows.weights))
    reach = np.log(np.arange(len(slots.source) + 2).clip(1)) + SLACK
    _weigh(rows.weights, rows.slots, *slots.line(found), weights)
    _ranks(
        rows.starts, rows.own_stops, rows.items, weights, rows.scores, rows.own, rows.others,
        reach, 2 * (top - 1), ranks,
    )  # fmt: skip
    return ranks


@exact
def _weigh(weights: Any, slots: Any, factors: Any, added: Any, out: Any) -> None:
    for entry in range(len(weights)):
        out[entry] = weights[entry] * factors[slots[entry]] + added[slots[entry]]


@exact
def _joined(score: float, weights: Any, start: int, stop: int) -> float:
    """Give log(e^score + sum e^weight), as ranking adds it up."""
    if stop == start:
        return score
    total = weights[start]
    if stop > start + 1:
        most, far = weights[start:stop].max(), 0.0
        for entry in range(start, stop):
            far += math.exp(weights[entry] - most)
        total = most + math.log(far)
    if score == total:
        return score + math.log(2.0)
    large, small = (score, total) if score > total else (total, score)
    return large + math.log1p(math.exp(small - large))


@exact
def _ranks(
    starts: Any,
    own_stops: Any,
    items: Any,
    weights: Any,
    scores: Any,
    own: Any,
    others: Any,
    reach: Any,
    most: int,
    ranks: Any,
) -> None:
    """Count items ahead twice and ties once, until there are more than ``most``."""
    for row in range(len(own)):
        ranks[row] = np.inf
        if own[row] == -np.inf:
            continue
        place, stop = own_stops[row], starts[row + 1]
        score = _joined(own[row], weights, starts[row], place)
        halves = 0
        for value in others[row]:
            if value < score:
                break
            halves += 2 if value > score else 1
        while place < stop and halves <= most:
            last, largest = place, scores[place]
            while last < stop and items[last] == items[place]:
                largest = max(largest, weights[last])
                last += 1
            if largest > score:
                halves += 2
            elif largest + reach[last - place + 1] >= score:
                value = _joined(scores[place], weights, place, last)
                halves += 2 if value > score else (1 if value == score else 0)
            place = last
        if halves <= most:
            ranks[row] = 1 + halves / 2
