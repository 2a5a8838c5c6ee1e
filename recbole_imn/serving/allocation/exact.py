"""Lists with the largest possible sum, by linear programming."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from recbole_imn.errors import ServingError, one_line
from recbole_imn.log import Flags, Floats, Integers
from recbole_imn.serving.allocation.problem import Problem


def assign_exactly(problem: Problem) -> tuple[Flags, Floats]:
    """Give lists with the largest possible sum of scores, and prices that prove it.

    Every corner of the polytope of a bipartite b-matching is whole, so the simplex method (HiGHS)
    ends in lists. ``linear_sum_assignment`` on copies of users and items would not do: it puts
    an item with two copies twice on a list.

    Returns
    -------
    chosen : bool [n_edges]
    prices : float64 [n_items]
        Of the dual program; 0 where an item is not used up.

    Raises
    ------
    ServingError
        If the solver gives up.
    """
    chosen = np.zeros(len(problem.item), bool)
    prices = np.zeros(len(problem.items))
    usable = (problem.capacity[problem.item] > 0) & (problem.slots[problem.user] > 0)
    edges = np.flatnonzero(usable & (problem.score > 0))
    if not len(edges):
        return chosen, prices
    # The solver's tolerances are absolute, for numbers about 1.
    scale = float(problem.score[edges].max())
    answer = _solve(problem, edges, scale)
    chosen[edges] = answer.x > 0.5
    prices = np.maximum(-answer.ineqlin.marginals[len(problem.slots) :], 0.0) * scale
    return chosen, prices


def _solve(problem: Problem, edges: Integers, scale: float) -> Any:
    """Maximise the sum of scores under both kinds of room."""
    of_users = _incidence(problem.user[edges], len(problem.slots))
    of_items = _incidence(problem.item[edges], len(problem.items))
    answer = linprog(
        -problem.score[edges] / scale,
        A_ub=vstack([of_users, of_items], format="csc"),
        b_ub=np.concatenate([problem.slots, problem.capacity]),
        bounds=(0, 1),
        method="highs-ds",
    )
    if answer.status != 0 or np.abs(answer.x - np.round(answer.x)).max() > 1e-6:
        reason = one_line(answer.message)
        raise ServingError(
            f"the solver found no best lists among {len(edges)} candidates ({reason}); give "
            "method='auction'"
        )
    return answer


def _incidence(place: Integers, n_rows: int) -> Any:
    """Give a matrix with a 1 for each edge, in the row of its end."""
    n_edges = len(place)
    return csr_array((np.ones(n_edges), (place, np.arange(n_edges))), shape=(n_rows, n_edges))
