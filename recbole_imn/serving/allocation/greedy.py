"""Lists filled by going through the candidates once, in an order."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import exact
from recbole_imn.log import Flags, Integers
from recbole_imn.serving.allocation.problem import Problem


def greedy(problem: Problem) -> Flags:
    """Give the best candidates first, whoever's they are.

    The sum is at least half of the largest possible one (Mestre 2006, "Greedy in
    approximation algorithms"): whatever the best lists have and these have not is barred by
    at most two entries of these, each worth at least as much.

    Returns
    -------
    bool [n_edges]
    """
    return fill(problem, np.zeros(len(problem.item), bool))


def fill(problem: Problem, chosen: Flags) -> Flags:
    """Add to lists what still has room, the best first; ties by item id, then user."""
    order = np.lexsort((problem.user, problem.items[problem.item], -problem.score))
    return _take(problem, order, chosen)


def first_come(problem: Problem) -> Flags:
    """Serve users in the order of their rows, each with the best of what is left."""
    nobody = np.zeros(len(problem.item), bool)
    return _take(problem, np.arange(len(problem.item)), nobody)


def own_lists_in_stock(problem: Problem) -> Flags:
    """Strike from own lists what earlier users have used up, and put nothing in its place."""
    nobody = np.zeros(len(problem.item), bool)
    return _take(problem, np.flatnonzero(problem.own_lists), nobody)


def _take(problem: Problem, order: Integers, chosen: Flags) -> Flags:
    chosen = chosen.copy()
    slots = problem.slots - problem.lengths(chosen)
    stock = problem.capacity - problem.exposures(chosen)
    _take_in_order(order, problem.user, problem.item, slots, stock, chosen)
    return chosen


@exact
def _take_in_order(
    order: Integers, user: Integers, item: Integers, slots: Integers, stock: Integers, chosen: Flags
) -> None:
    """Choose each edge that is not chosen and has room on both sides."""
    for edge in order:
        if not chosen[edge] and slots[user[edge]] > 0 and stock[item[edge]] > 0:
            chosen[edge] = True
            slots[user[edge]] -= 1
            stock[item[edge]] -= 1
