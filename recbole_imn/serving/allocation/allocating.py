"""Lists for many users at once, from a stock that not everybody can be offered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from recbole_imn.errors import ServingError
from recbole_imn.log import Flags
from recbole_imn.serving.allocation.auction import auction
from recbole_imn.serving.allocation.bounds import upper_bound
from recbole_imn.serving.allocation.comparing import OWN, compare
from recbole_imn.serving.allocation.exact import assign_exactly
from recbole_imn.serving.allocation.greedy import fill, greedy
from recbole_imn.serving.allocation.problem import Problem
from recbole_imn.serving.allocation.reading import PerItem, PerUser, read_problem
from recbole_imn.serving.allocation.result import Allocation
from recbole_imn.serving.checks import is_number, whole
from recbole_imn.validation import shown

Method = Literal["auto", "exact", "auction", "greedy"]
# Candidates of all users up to which 'auto' is exact: some seconds.
EXACT_CANDIDATES = 500_000


def allocate(
    items: npt.ArrayLike,
    scores: npt.ArrayLike,
    capacity: PerItem = 1,
    k: PerUser = 10,
    *,
    budget: PerUser | None = None,
    price: PerItem | None = None,
    method: Method = "auto",
    tolerance: float = 0.01,
    users: Sequence[Any] | None = None,
    n_items: int | None = None,
    outside: npt.ArrayLike = 0.0,
) -> Allocation:
    """Give lists with the largest sum of scores in which no item is on too many.

    Parameters
    ----------
    items : int64 [n_users, n_candidates]
        Candidates of each user, none twice, in any order; 0 for none.
    scores : float64 [n_users, n_candidates]
        What each is worth, at least 0 and comparable between users: probabilities from
        :func:`~recbole_imn.serving.allocation.calibrate`. Minus infinity for no candidate.
    capacity : int, mapping of item to int, or int [at least the largest item + 1]
        How many lists an item may be on.
    k : int, mapping of user to int, or int [n_users]
        How many items a list may have: a budget of exposures, of all users or of each.
    budget : float, mapping of user to float, or float [n_users], optional
        The most that a user can pay for an item. The items of a list are alternatives of
        which one is bought, so it limits the price of each and not their sum.
    price : float, mapping of item to float, or float by item, optional
        With ``budget``, in its unit.
    method : {'auto', 'exact', 'auction', 'greedy'}
        'exact' has the largest possible sum. 'auction' misses at most ``tolerance`` of it, and
        'greedy' at most half. 'auto' is exact up to 500,000 candidates of all users together,
        and an auction beyond.
    tolerance : float
        Of the auction: the share of the best possible sum that may be lost, above 0 and below 1.
    users : sequence, optional
        Names of the rows; their numbers from 0 if not given.
    n_items : int, optional
        How many items are on offer, for ``exposure``; those that are anybody's candidate if not
        given.
    outside : float or float [n_users]
        No candidate that was left out of ``items`` is worth more than this; then ``bound`` holds
        for them, too.

    Returns
    -------
    Allocation
        The same on every run. Where there is enough of everything, everybody has their own
        list. Of equal candidates the one with the lower id comes first; of answers with equal
        sums one is given.

    Raises
    ------
    ServingError
        If an argument is nothing of the kind.
    """
    _check(method, tolerance)
    n_items = None if n_items is None else whole(n_items, "n_items", 0)
    problem = read_problem(items, scores, capacity, k, budget, price, outside, users)
    names = _names(users, len(problem.slots))
    used, chosen, bound = _solve(problem, method, tolerance)
    loss, spread = compare(problem, chosen, n_items)
    return Allocation(_lists(problem, chosen, names), loss, spread, used, bound)


def _solve(problem: Problem, method: Method, tolerance: float) -> tuple[str, Flags, float]:
    """Give the way that was used, what it chose, and a bound of what anything could reach."""
    free = np.zeros(len(problem.items))
    if problem.allows(problem.own_lists):
        return OWN, problem.own_lists, upper_bound(problem, free)
    if method == "auto":
        method = "exact" if len(problem.item) <= EXACT_CANDIDATES else "auction"
    quick = greedy(problem)
    if method == "greedy":
        return method, quick, _bound_of_greedy(problem, quick)
    if method == "exact":
        chosen, prices = assign_exactly(problem)
    else:
        chosen, prices = auction(problem, _step(problem, quick, tolerance))
    # What is worth nothing fills lists all the same.
    return method, fill(problem, chosen), upper_bound(problem, prices)


def _step(problem: Problem, quick: Flags, tolerance: float) -> float:
    """Give the step by which all entries of all lists miss at most the tolerated share.

    The sum of the greedy lists is no more than the largest one, of which the share is taken.
    """
    entries = np.minimum(problem.slots, problem.n_candidates).sum()
    return tolerance * (problem.value(quick) or 1.0) / int(entries)


def _bound_of_greedy(problem: Problem, quick: Flags) -> float:
    at_no_price = upper_bound(problem, np.zeros(len(problem.items)))
    # Half of the best holds among the candidates that are there.
    return at_no_price if problem.outside.any() else min(at_no_price, 2 * problem.value(quick))


def _lists(problem: Problem, chosen: Flags, names: npt.NDArray[Any]) -> pd.DataFrame:
    user = problem.user[chosen]
    start = np.searchsorted(user, user)
    return pd.DataFrame(
        {
            "user": names[user],
            "rank": np.arange(1, len(user) + 1) - start,
            "item": problem.items[problem.item[chosen]],
            "score": problem.score[chosen],
        }
    )


def _check(method: str, tolerance: float) -> None:
    if not isinstance(method, str) or method not in get_args(Method):
        choices = ", ".join(get_args(Method))
        raise ServingError(f"method is {shown(method)}; choose one of {choices}")
    if not is_number(tolerance) or not 0 < tolerance < 1:
        raise ServingError(f"tolerance is {shown(tolerance)}; it is above 0 and below 1")


def _names(users: Sequence[Any] | None, n_users: int) -> npt.NDArray[Any]:
    if users is None:
        return np.arange(n_users)
    names = np.empty(n_users, object)
    names[:] = list(users)
    return names
