"""Lists for many users of a recommender, made together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_imn.errors import ServingError
from recbole_imn.log import Floats, Integers
from recbole_imn.serving.allocation.allocating import Method, allocate
from recbole_imn.serving.allocation.reading import PerUser, per_user, require_both, whole_numbers
from recbole_imn.serving.allocation.result import Allocation
from recbole_imn.serving.allocation.shortlists import Offer, Shortlists, shortlists
from recbole_imn.serving.checks import is_number_or_truth, whole
from recbole_imn.serving.lists import Candidates, Lists, Wish
from recbole_imn.serving.names import first_twice, raw_ids
from recbole_imn.validation import shown

if TYPE_CHECKING:
    from recbole_imn.serving.answers import Answers

# Candidates of all users, those of padding included, at which shortlists grow no further.
MOST_CANDIDATES = 10_000_000


def allocate_lists(
    recommender: Answers,
    users: Iterable[Any],
    capacity: int | Mapping[str, int] = 1,
    k: PerUser = 10,
    at: Any = None,
    candidates: Candidates = "on_shelf",
    exclude: Sequence[str] | str = (),
    *,
    temperature: float = 1.0,
    budget: PerUser | None = None,
    price: str | Mapping[str, float] | None = None,
    method: Method = "auto",
    tolerance: float = 0.01,
    width: int = 100,
    attributes: Sequence[str] = (),
) -> Allocation:
    """Give users lists with the most expected hits in which no item is on too many.

    All users are scored as of one moment: the market stands still until lists are made, and
    events that come meanwhile wait.

    Parameters
    ----------
    recommender : Answers
    users : sequence of str or int
        Raw ids, each once; one that is not known is a new user.
    capacity : int or mapping of str to int
        How many lists an item may be on; a mapping has all candidates.
    k : int, mapping of str to int, or int [n_users]
        Length of a list, of all users or of each.
    at, candidates, exclude, attributes
        As of :meth:`~recbole_imn.serving.Recommender.recommend`.
    temperature : float
        Of scores, from :func:`~recbole_imn.serving.allocation.fit_temperature`.
    budget : float, mapping of str to float, or float [n_users], optional
        The most that a user can pay for an item; a mapping has all users.
    price : str or mapping of str to float, optional
        With ``budget``: the attribute that is an item's price, or the price of each candidate.
    method, tolerance
        As of :func:`~recbole_imn.serving.allocation.allocate`.
    width : int
        How many candidates of each user are looked at first. While there is stock, users whose
        lists are short are looked at again with twice as many, up to 10 million of all users.
        ``bound`` holds for all candidates, looked at or not.

    Returns
    -------
    Allocation
        Its lists have raw ids, and the attributes; scores are probabilities among all
        candidates.

    Raises
    ------
    ServingError
        If something that is asked for does not exist, or an argument is nothing of the kind.
    """
    width = whole(width, "width")
    # Attributes are checked as those of all lists are, before anything is computed.
    attributes = Wish(attributes=attributes).attributes
    names = _each_once(raw_ids(users, "user"))
    slots = whole_numbers(per_user(k, names, "k"), "k")
    lists = recommender.lists
    with recommender.standing_still(at) as moment:
        for name in attributes:
            lists.market.snapshot.attributes.cells(name, ())
        items = lists.candidates(candidates, moment)
        prices, budgets = _prices(lists, items, names, budget, price)
        offer = Offer(lists, names, moment, items, exclude, temperature, prices, budgets)
        stock = _by_number(lists, items, capacity, "capacity")
        found = _grown(offer, stock, slots, width, method, tolerance)
        return _named(lists, found, attributes)


def _grown(
    offer: Offer, stock: Floats, slots: Integers, width: int, method: Method, tolerance: float
) -> Allocation:
    """Make lists, with longer shortlists where lists are short and there is stock."""
    rows = np.arange(len(offer.names))
    known = shortlists(offer, rows, max(width, int(slots.max(initial=0))))
    while True:
        found = allocate(
            known.items,
            known.scores,
            stock,
            slots,
            method=method,
            tolerance=tolerance,
            users=offer.names,
            n_items=len(offer.items),
            outside=known.outside,
        )
        short = _short(found, known, offer, stock, slots)
        wider = min(2 * known.width, len(offer.items))
        if not len(short) or len(rows) * wider > MOST_CANDIDATES:
            return found
        known = known.with_longer(short, shortlists(offer, short, wider))


def _short(
    found: Allocation, known: Shortlists, offer: Offer, stock: Floats, slots: Integers
) -> Integers:
    """Give the rows whose lists could be longer if more candidates were looked at."""
    used = np.bincount(found.lists["item"], minlength=len(stock))
    if not (stock > used)[offer.items].any():
        return np.empty(0, np.int64)
    place = {name: row for row, name in enumerate(offer.names)}
    lengths = np.bincount(found.lists["user"].map(place), minlength=len(offer.names))
    short: Integers = np.flatnonzero(known.left_out & (lengths < slots))
    return short


def _named(lists: Lists, found: Allocation, attributes: Sequence[str]) -> Allocation:
    """Give raw ids and attributes of items instead of their numbers."""
    market, numbers = lists.market, [int(number) for number in found.lists["item"]]
    frame = found.lists.assign(item=[market.items.name(number) for number in numbers])
    for name in attributes:
        frame[name] = market.snapshot.attributes.cells(name, numbers)
    return replace(found, lists=frame)


def _each_once(names: list[str]) -> list[str]:
    if (twice := first_twice(names)) is not None:
        raise ServingError(f"user {twice!r} is there twice; everybody has one list")
    return names


def _prices(
    lists: Lists,
    items: Integers,
    names: Sequence[str],
    budget: PerUser | None,
    price: str | Mapping[str, float] | None,
) -> tuple[Floats | None, Floats | None]:
    """Give the price of each candidate and the budget of each user, or None for both."""
    require_both(budget, price)
    if budget is None or price is None:
        return None, None
    if isinstance(price, str):
        cells = lists.market.snapshot.attributes.cells(price, [int(item) for item in items])
        known = [lists.market.items.name(int(item)) for item in items]
        price = dict(zip(known, cells, strict=True))
    budgets = per_user(budget, names, "budget")
    return _by_number(lists, items, price, "price")[items], budgets


def _by_number(
    lists: Lists, items: Integers, given: float | Mapping[str, Any], what: str
) -> Floats:
    """Give a number at each candidate's number, float64 [largest number + 1]."""
    found = np.zeros(int(items.max(initial=0)) + 1)
    for item in items:
        name = lists.market.items.name(int(item))
        value: Any = given.get(name) if isinstance(given, Mapping) else given
        if not is_number_or_truth(value) or not value >= 0:
            raise ServingError(
                f"{what} of item {name!r}, a candidate, is {shown(value)}; it is a number of at "
                "least 0"
            )
        found[item] = value
    return found
