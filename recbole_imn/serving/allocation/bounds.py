"""How much all lists together can be worth at most."""

from __future__ import annotations

import numpy as np

from recbole_imn.log import Floats
from recbole_imn.serving.allocation.problem import Problem


def upper_bound(problem: Problem, prices: Floats) -> float:
    r"""Bound the largest possible sum of scores by prices of items (weak duality).

    .. math::
        \sum_i c_i p_i + \sum_u \sum_{\text{best } k_u} \max(w_{ui} - p_i, o_u)

    for any prices p of at least 0: whoever's lists keep to the stock pay at most the first sum
    for all items, and nobody's list can be worth more, after paying, than the second has for
    them. Candidates that were left out of the problem count with o, their largest score.

    Parameters
    ----------
    problem : Problem
    prices : float64 [n_items]
        At least 0.
    """
    in_stock = problem.capacity[problem.item] > 0
    worth = np.where(in_stock, problem.score - prices[problem.item], 0.0)
    order = np.lexsort((-worth, problem.user))
    # Within a user's edges the order changes, the places stay.
    best = worth[order][problem.own_lists]
    outside = np.repeat(problem.outside, problem.lengths(problem.own_lists))
    unfilled = np.maximum(problem.slots - problem.n_candidates, 0)
    paid = float((problem.capacity * prices).sum())
    return paid + float(np.maximum(best, outside).sum() + (unfilled * problem.outside).sum())
