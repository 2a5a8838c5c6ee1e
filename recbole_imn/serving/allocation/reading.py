"""What a caller gives, checked and made into a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.errors import ServingError
from recbole_imn.log import Flags, Floats, Integers
from recbole_imn.serving.allocation.problem import Problem
from recbole_imn.serving.checks import floats, is_number_or_truth
from recbole_imn.validation import shown

# A number of all, or one at each name or row.
PerUser = Mapping[Any, Any] | npt.ArrayLike
PerItem = int | float | Mapping[int, Any] | npt.ArrayLike


def read_problem(
    items: npt.ArrayLike,
    scores: npt.ArrayLike,
    capacity: PerItem,
    k: PerUser,
    budget: PerUser | None,
    price: PerItem | None,
    outside: npt.ArrayLike,
    users: Sequence[Any] | None,
) -> Problem:
    """Check a table of candidates and what limits it.

    Parameters and errors are those of :func:`~recbole_imn.serving.allocation.allocate`.
    """
    ids, values = _table(items, scores)
    rows = _rows(users, len(ids))
    there = (ids > 0) & (values != -np.inf)
    known, item = np.unique(ids[there], return_inverse=True)
    user, score = np.nonzero(there)[0], values[there]
    _check_edges(user, known[item], score)
    order = np.lexsort((item, -score, user))
    user, item, score = user[order], item[order], score[order]
    kept = _affordable(user, item, known, rows, budget, price)
    user, item, score = user[kept], item[kept], score[kept]
    return Problem(
        items=known,
        start=np.searchsorted(user, np.arange(len(ids) + 1)),
        item=item,
        score=score,
        slots=whole_numbers(per_user(k, rows, "k"), "k"),
        capacity=whole_numbers(_per_item(capacity, known, "capacity"), "capacity"),
        outside=per_user(outside, rows, "outside"),
    )


def _table(items: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Integers, Floats]:
    ids, values = _asarray(items), floats(scores, "scores")
    if ids.ndim != 2 or ids.shape != values.shape:
        raise ServingError(
            f"items have shape {ids.shape} and scores {values.shape}; both are "
            "[n_users, n_candidates]"
        )
    if ids.size and not np.issubdtype(ids.dtype, np.integer):
        raise ServingError(f"items are {ids.dtype}; they are whole numbers, 0 for none")
    if (ids < 0).any():
        raise ServingError(f"an item is {ids.min()}; ids are above 0, and 0 is for none")
    return ids.astype(np.int64), values


def _asarray(items: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        return np.asarray(items)
    except ValueError as error:
        raise ServingError(
            "items have rows of different lengths; fill them up with 0, and scores with minus "
            "infinity"
        ) from error


def _rows(users: Sequence[Any] | None, n_users: int) -> Sequence[Any]:
    """Name the rows: by their numbers from 0 where nobody has given names."""
    if users is None:
        return range(n_users)
    if isinstance(users, str) or not hasattr(users, "__len__"):
        raise ServingError(f"users are {shown(users)}; give a list of names, one a row")
    if len(users) != n_users:
        raise ServingError(f"there are {len(users)} users for {n_users} rows; name each row")
    return users


def _check_edges(user: Integers, item: Integers, score: Floats) -> None:
    """Refuse scores that do not add up, and items that a user has twice."""
    wrong = np.flatnonzero(~((score >= 0) & (score < np.inf)))
    if len(wrong):
        edge = wrong[0]
        raise ServingError(
            f"the score of item {item[edge]} in row {user[edge]} is {score[edge]}; scores are "
            "added up over users, so make them probabilities first: calibrate(scores)"
        )
    order = np.lexsort((item, user))
    twice = (np.diff(user[order]) == 0) & (np.diff(item[order]) == 0)
    if twice.any():
        edge = order[np.flatnonzero(twice)[0]]
        raise ServingError(
            f"row {user[edge]} has item {item[edge]} twice; give each candidate once"
        )


def _affordable(
    user: Integers,
    item: Integers,
    known: Integers,
    rows: Sequence[Any],
    budget: PerUser | None,
    price: PerItem | None,
) -> Flags:
    """Say of each edge whether the user can pay for the item."""
    require_both(budget, price)
    if budget is None or price is None:
        return np.ones(len(user), bool)
    affordable: Flags = (
        _per_item(price, known, "price")[item] <= per_user(budget, rows, "budget")[user]
    )
    return affordable


def require_both(budget: object, price: object) -> None:
    """Refuse a budget without prices, or prices without a budget.

    Raises
    ------
    ServingError
    """
    if (budget is None) != (price is None):
        given, missing = ("price", "budget") if budget is None else ("budget", "price")
        raise ServingError(f"there is a {given} but no {missing}; give both or neither")


def per_user(given: PerUser, names: Sequence[Any], what: str) -> Floats:
    """Give a number a user, float64 [n_users].

    Parameters
    ----------
    given : number, mapping of name to number, or number [n_users]
    names : sequence
        Of the users.
    what : str
        Named in messages.

    Raises
    ------
    ServingError
        If there are as many as neither one nor users, a user has none, or one is below 0 or NaN.
    """
    if isinstance(given, Mapping):
        return _numbers([_entry(given, name, what, "user") for name in names], what)
    values = floats(given, what)
    if values.shape not in ((), (len(names),)):
        raise ServingError(
            f"{what} has shape {values.shape} for {len(names)} users; give one number, or one a "
            "user"
        )
    return _numbers(np.broadcast_to(values, len(names)), what)


def _per_item(given: PerItem, items: Integers, what: str) -> Floats:
    """Give a number an item, float64 [n_items]."""
    if isinstance(given, Mapping):
        return _numbers([_entry(given, int(item), what, "item") for item in items], what)
    values = floats(given, what)
    if values.ndim > 1:
        raise ServingError(
            f"{what} has shape {values.shape}; give one number, or one at each item's id"
        )
    if values.ndim == 1 and len(items) and items[-1] >= len(values):
        raise ServingError(
            f"{what} ends at item {len(values) - 1}, and item {items[-1]} is a candidate; give "
            "one number at each item's id"
        )
    return _numbers(values[items] if values.ndim else np.full(len(items), values), what)


def _entry(given: Mapping[Any, Any], name: Any, what: str, kind: str) -> Any:
    if name not in given:
        which = ", which is a candidate" if kind == "item" else ""
        raise ServingError(f"{what} has nothing for {kind} {name!r}{which}; add it")
    value = given[name]
    if not is_number_or_truth(value):
        raise ServingError(f"{what} of {kind} {name!r} is {shown(value)}; give a number")
    return value


def _numbers(values: Any, what: str) -> Floats:
    numbers: Floats = floats(values, what)
    wrong = np.flatnonzero(~(numbers >= 0))
    if len(wrong):
        raise ServingError(f"{what} is {numbers[wrong[0]]}; it is a number of at least 0")
    return numbers


def whole_numbers(values: Floats, what: str) -> Integers:
    """Give numbers as int64.

    Raises
    ------
    ServingError
        If one is not whole.
    """
    wrong = np.flatnonzero((np.floor(values) != values) | (values > 2**52))
    if len(wrong):
        raise ServingError(f"{what} is {values[wrong[0]]}; it is a whole number of at least 0")
    return values.astype(np.int64)
