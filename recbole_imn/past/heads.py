"""What is latest so far, of every user and every item, at a position of the log."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Flags, Ids
from recbole_imn.past.index import EMPTY, Chains


class UserHeads(NamedTuple):
    """Int32 [n_users] each.

    Attributes
    ----------
    latest, purchase : int32
        The user's latest event and purchase; -1 for none.
    count, repeats : int32
        Number of the user's events, and of those with an item that he had had before.
    """

    latest: Ids
    purchase: Ids
    count: Ids  # type: ignore[assignment]  # hides a method of tuples
    repeats: Ids


class ItemHeads(NamedTuple):
    """Int32 [n_items] each.

    Attributes
    ----------
    first, latest : int32
        The item's first and latest event; -1 for none.
    count : int32
        Number of the item's events.
    link, n_links : int32
        The latest event whose user came from the item, and how many there are.
    """

    first: Ids
    latest: Ids
    count: Ids  # type: ignore[assignment]  # hides a method of tuples
    link: Ids
    n_links: Ids


def no_users(n: int) -> UserHeads:
    """Give the heads of users without events."""
    return UserHeads(_none(n), _none(n), _zeros(n), _zeros(n))


def no_items(n: int) -> ItemHeads:
    """Give the heads of items without events."""
    return ItemHeads(_none(n), _none(n), _zeros(n), _none(n), _zeros(n))


def _none(n: int) -> Ids:
    return np.full(n, EMPTY, np.int32)


def _zeros(n: int) -> Ids:
    return np.zeros(n, np.int32)


@compiled
def move_on(
    start: int,
    stop: int,
    users: Ids,
    items: Ids,
    purchases: Flags,
    chains: Chains,
    of_user: UserHeads,
    of_item: ItemHeads,
) -> None:
    """Move the heads over the events ``start <= k < stop``."""
    for event in range(start, stop):
        user, item = users[event], items[event]
        before = of_user.latest[user]
        if before != EMPTY:
            origin = items[before]
            of_item.link[origin] = event
            of_item.n_links[origin] += 1
        of_user.latest[user] = event
        of_user.count[user] += 1
        of_user.repeats[user] += chains.times[event] > 1
        if purchases[event]:
            of_user.purchase[user] = event
        if of_item.first[item] == EMPTY:
            of_item.first[item] = event
        of_item.latest[item] = event
        of_item.count[item] += 1
