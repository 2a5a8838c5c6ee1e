"""Lists of items for users, of a market that stands still meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from recbole_imn.log import Floats, Integers
from recbole_imn.serving.choice import POOL, best, cosines, varied
from recbole_imn.serving.errors import ServingError, UnknownItemError
from recbole_imn.serving.market import Market
from recbole_imn.serving.names import raw_id

Candidates = Literal["on_shelf"] | Sequence[str] | None
# Whose list, its items and their scores.
Row = tuple[str, Integers, Floats]
SEEN, PURCHASED = "seen", "purchased"
# Users who are scored together.
BATCH = 256


@dataclass(frozen=True)
class Wish:
    """What lists shall be like.

    Attributes
    ----------
    k : int
        Length of a list.
    candidates : {'on_shelf'} or sequence of str, optional
        What is for sale, or some items; the whole catalogue by default.
    exclude : sequence of str, or {'seen', 'purchased'}
        Items to be left out, or those that the user had events with, or purchased.
    diversify : float
        0 to 1: how much a list's items shall differ.
    attributes : sequence of str
        What is to be told of each item.

    Raises
    ------
    ServingError
        If it cannot be fulfilled by anybody.
    """

    k: int = 10
    candidates: Candidates = None
    exclude: Sequence[str] | str = ()
    diversify: float = 0.0
    attributes: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what is no length and no share."""
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 1:
            raise ServingError(f"k is {self.k!r}; it must be a whole number from 1")
        if not 0 <= self.diversify <= 1:
            raise ServingError(f"diversify is {self.diversify!r}; it must be between 0 and 1")


class Lists:
    """Ranks items of a market; nobody may move it on meanwhile.

    Parameters
    ----------
    market : Market
    """

    def __init__(self, market: Market) -> None:
        self.market = market

    def recommend(self, users: Sequence[str], moment: float, wish: Wish) -> pd.DataFrame:
        """Rank items for users.

        Parameters
        ----------
        users : sequence of str
            Raw ids; one that is not known is a new user.
        moment : float
            Seconds of the log.
        wish : Wish

        Returns
        -------
        DataFrame
            ``user``, ``rank`` from 1, ``item``, ``score``, and the attributes.

        Raises
        ------
        ServingError
        """
        items = self.candidates(wish.candidates, moment)
        rows: list[Row] = []
        for start in range(0, len(users), BATCH):
            part = users[start : start + BATCH]
            for name, scores in zip(part, self.scores(part, moment, items), strict=True):
                left = self._left(items, name, wish.exclude)
                chosen = (items, scores) if left is None else (items[left], scores[left])
                rows.append((name, *self._chosen(*chosen, wish.k, wish.diversify)))
        return self._frame(rows, wish.attributes)

    def similar(self, item: str, moment: float, wish: Wish) -> pd.DataFrame:
        """Rank items by their cosine to another one.

        Returns
        -------
        DataFrame
            ``rank`` from 1, ``item``, ``score``, and the attributes.

        Raises
        ------
        UnknownItemError
        """
        number = self.market.number_of(item)
        items = self.candidates(wish.candidates, moment)
        items = items[items != number]
        found = best(items, cosines(self._vectors(), number, items), wish.k)
        return self._frame([("", *found)], wish.attributes).drop(columns="user")

    def candidates(self, wish: Candidates, moment: float) -> Integers:
        """Give the numbers of candidates in rising order, int64 [n]."""
        market = self.market
        if wish is None:
            return np.arange(1, len(market.items))
        if isinstance(wish, str):
            if wish != "on_shelf":
                raise ServingError(
                    f"candidates is {wish!r}; it must be 'on_shelf' or a list of items"
                )
            return market.on_shelf(moment)
        return market.known_items([raw_id(item, "item") for item in wish])

    def scores(self, names: Sequence[str], moment: float, items: Integers) -> Tensor:
        """Score items for users, float [n_users, n_items]."""
        market, session = self.market, self.market.session
        numbers = [market.users.get(name) or market.stranger for name in names]
        query = session.query(numbers, np.full(len(numbers), moment))
        if len(items) == len(market.items) - 1:
            return session.scores(query)[:, 1 : len(market.items)]
        return session.scores_of(query, items)

    def _left(self, items: Integers, user: str, exclude: Sequence[str] | str) -> Integers | None:
        """Give the places of candidates that are not left out; None for all of them."""
        if isinstance(exclude, str):
            out = self._own_items(user, exclude)
        else:
            names = [raw_id(item, "item") for item in exclude]
            unknown = [name for name in names if name not in self.market.items]
            if unknown:
                raise UnknownItemError(unknown[0], "exclude names items that there are")
            out = np.array([self.market.number_of(name) for name in names], np.int64)
        return np.flatnonzero(~np.isin(items, out)) if len(out) else None

    def _own_items(self, user: str, kind: str) -> Integers:
        if kind not in (SEEN, PURCHASED):
            raise ServingError(
                f"exclude is {kind!r}; it must be {SEEN!r}, {PURCHASED!r} or a list of items"
            )
        number = self.market.users.get(user)
        if number is None:
            return np.empty(0, np.int64)
        events, log = self.market.history(number), self.market.session.past.log
        if kind == PURCHASED:
            events = events[log.purchase[events]]
        return log.item[events].astype(np.int64)

    def _chosen(self, items: Integers, scores: Tensor, k: int, diversify: float) -> Any:
        if diversify == 0:
            return best(items, scores, k)
        pool, worth = best(items, scores, POOL * k)
        vectors = self._vectors()
        chosen = vectors[torch.from_numpy(pool).to(vectors.device)]
        return varied(pool, worth, chosen, k, diversify)

    def _vectors(self) -> Tensor:
        """Give what the model knows of each item, its state and its embedding."""
        session = self.market.session
        session.query([], [])  # brings states to the present
        return session.catalogue()[:, : 2 * session.network.settings.embedding_size]

    def _frame(self, rows: Sequence[Any], attributes: Sequence[str]) -> pd.DataFrame:
        market = self.market
        numbers = [int(item) for _, items, _ in rows for item in items]
        columns: dict[str, Any] = {
            "user": [user for user, items, _ in rows for _ in items],
            "rank": [rank for _, items, _ in rows for rank in range(1, len(items) + 1)],
            "item": [market.items.name(number) for number in numbers],
            "score": [float(score) for _, _, scores in rows for score in scores],
        }
        for name in attributes:
            columns[name] = market.snapshot.attributes.cells(name, numbers)
        return pd.DataFrame(columns)
