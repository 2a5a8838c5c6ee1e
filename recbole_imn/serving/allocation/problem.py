"""The problem that all ways of allocating solve: who may get what, how often, what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recbole_imn.log import Flags, Floats, Integers


@dataclass(frozen=True)
class Problem:
    """A weighted graph of users and items, with room on both sides (a b-matching).

    Edges lie user by user; those of a user by falling score, equal ones by rising item id.
    An answer is a flag an edge, bool [n_edges].

    Attributes
    ----------
    items : int64 [n_items]
        Ids of the items that are anybody's candidate, rising.
    start : int64 [n_users + 1]
        Edges of user u are start[u] to start[u + 1].
    item : int64 [n_edges]
        Place in ``items``.
    score : float64 [n_edges]
        At least 0.
    slots : int64 [n_users]
        Longest list of each user.
    capacity : int64 [n_items]
        Most lists that each item may be on.
    outside : float64 [n_users]
        No candidate that was left out of the graph is worth more to the user; 0 if none was.
    """

    items: Integers
    start: Integers
    item: Integers
    score: Floats
    slots: Integers
    capacity: Integers
    outside: Floats

    @cached_property
    def user(self) -> Integers:
        """The user of each edge, int64 [n_edges]."""
        return np.repeat(np.arange(len(self.slots)), self.n_candidates)

    @cached_property
    def n_candidates(self) -> Integers:
        """Edges of each user, int64 [n_users]."""
        return np.diff(self.start)

    @cached_property
    def rank(self) -> Integers:
        """Place of each edge among the user's, from 0, int64 [n_edges]."""
        return np.arange(len(self.item)) - np.repeat(self.start[:-1], self.n_candidates)

    @cached_property
    def wanted(self) -> Integers:
        """Edges of each item, int64 [n_items]."""
        return np.bincount(self.item, minlength=len(self.items))

    @cached_property
    def own_lists(self) -> Flags:
        """Everybody's best candidates, as if there were enough of all, bool [n_edges]."""
        return self.rank < self.slots[self.user]

    def value(self, chosen: Flags) -> float:
        """Add up the scores of an answer."""
        return float(self.score[chosen].sum())

    def exposures(self, chosen: Flags) -> Integers:
        """Count the lists that each item is on, int64 [n_items]."""
        return np.bincount(self.item[chosen], minlength=len(self.items))

    def lengths(self, chosen: Flags) -> Integers:
        """Count the items on each list, int64 [n_users]."""
        return np.bincount(self.user[chosen], minlength=len(self.slots))

    def allows(self, chosen: Flags) -> bool:
        """Say whether an answer keeps to what there is room for."""
        within_stock = (self.exposures(chosen) <= self.capacity).all()
        return bool(within_stock and (self.lengths(chosen) <= self.slots).all())
