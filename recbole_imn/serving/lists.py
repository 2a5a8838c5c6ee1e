"""Lists of items for users, of a market that stands still meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from recbole_imn.errors import ServingError, UnknownItemError
from recbole_imn.log import Integers
from recbole_imn.serving.checks import is_number, whole
from recbole_imn.serving.choice import NOTHING, POOL, Ranking, best_of_rows, cosines, varied
from recbole_imn.serving.market import Market
from recbole_imn.serving.names import raw_ids, require_attributes
from recbole_imn.session import Query
from recbole_imn.validation import shown

Candidates = Literal["on_shelf"] | Sequence[str] | None
SEEN, PURCHASED = "seen", "purchased"
# Users who are scored together.
BATCH = 256
# For fewer than these, the catalogue is read once for each and not scored as a whole.
FEW = 4


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
        object.__setattr__(self, "k", whole(self.k, "k"))
        if not is_number(self.diversify) or not 0 <= self.diversify <= 1:
            raise ServingError(f"diversify is {shown(self.diversify)}; it must be between 0 and 1")
        if isinstance(self.attributes, str) or not isinstance(self.attributes, Iterable):
            raise ServingError(f"attributes is {shown(self.attributes)}; give a list of names")
        require_attributes(self.attributes)


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
        ranking = self.rank(users, moment, self.candidates(wish.candidates, moment), wish)
        owners = pd.Series(np.repeat(np.array(users, object), ranking.counts), dtype=object)
        return pd.DataFrame({"user": owners, **self._columns(ranking, wish.attributes)})

    def recommend_one(self, user: str, moment: float, wish: Wish) -> pd.DataFrame:
        """Rank items for one user: the same without the column ``user``."""
        ranking = self.rank([user], moment, self.candidates(wish.candidates, moment), wish)
        return pd.DataFrame(self._columns(ranking, wish.attributes))

    def rank(
        self,
        users: Sequence[str],
        moment: float,
        items: Integers,
        wish: Wish,
        batch: int = BATCH,
    ) -> Ranking:
        """Rank items for users, as numbers.

        Parameters
        ----------
        users, moment, wish
            As of :meth:`recommend`.
        items : int64 [n]
            From :meth:`candidates`.
        batch : int
            Users who are scored together: a bound of memory, which changes no bit.

        Raises
        ------
        ServingError
        """
        parts = (users[start : start + batch] for start in range(0, len(users), batch))
        return Ranking.joined([self._rank(part, moment, items, wish) for part in parts])

    def _rank(self, users: Sequence[str], moment: float, items: Integers, wish: Wish) -> Ranking:
        left_out = self.left_out(users, items, wish.exclude)
        if wish.diversify == 0 and len(users) <= FEW:
            return self._rank_few(users, moment, items, wish.k, left_out)
        scores = self.scores(users, moment, items)
        if wish.diversify == 0:
            return best_of_rows(items, scores, wish.k, left_out)
        pools = best_of_rows(items, scores, POOL * wish.k, left_out)
        vectors, found = self._vectors(), []
        for pool, worth in pools.lists():
            own = vectors[torch.from_numpy(pool).to(vectors.device)]
            chosen, kept = varied(pool, worth, own, wish.k, wish.diversify)
            found.append(Ranking(np.array([len(chosen)]), chosen, kept))
        return Ranking.joined(found)

    def _rank_few(
        self,
        users: Sequence[str],
        moment: float,
        items: Integers,
        k: int,
        left_out: Sequence[Integers],
    ) -> Ranking:
        """Rank items for few users, without scoring all of them exactly."""
        session = self.market.session
        found = session.contenders(self._query(users, moment), k, items, left_out)
        rankings = (best_of_rows(few, row.unsqueeze(0), k, [NOTHING]) for few, row in found)
        return Ranking.joined(list(rankings))

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
        alike = cosines(self._vectors(), number, items).unsqueeze(0)
        ranking = best_of_rows(items, alike, wish.k, [NOTHING])
        return pd.DataFrame(self._columns(ranking, wish.attributes))

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
        return market.known_items(raw_ids(wish, "candidate"))

    def scores(self, names: Sequence[str], moment: float, items: Integers) -> Tensor:
        """Score items for users, float [n_users, n_items]."""
        market, session = self.market, self.market.session
        query = self._query(names, moment)
        if len(items) == len(market.items) - 1:
            return session.scores(query)[:, 1 : len(market.items)]
        return session.scores_of(query, items)

    def _query(self, names: Sequence[str], moment: float) -> Query:
        market = self.market
        numbers = [market.users.get(name) or market.stranger for name in names]
        return market.session.query(numbers, np.full(len(numbers), moment))

    def left_out(
        self, users: Sequence[str], items: Integers, exclude: Sequence[str] | str
    ) -> list[Integers]:
        """Give the places of candidates that are left out, int64 [any], of each user.

        Raises
        ------
        ServingError
        """
        if isinstance(exclude, str):
            if exclude not in (SEEN, PURCHASED):
                raise ServingError(
                    f"exclude is {exclude!r}; it must be {SEEN!r}, {PURCHASED!r} or a list of items"
                )
            # The past of a session that still has to replay is not yet that of the present.
            self.market.session.query([], [])
            return [_places(items, self._own_items(user, exclude)) for user in users]
        names = raw_ids(exclude, "item to be left out")
        unknown = [name for name in names if name not in self.market.items]
        if unknown:
            raise UnknownItemError(unknown[0], "exclude names items that there are")
        numbers = np.array([self.market.number_of(name) for name in names], np.int64)
        return [_places(items, numbers)] * len(users)

    def _own_items(self, user: str, kind: str) -> Integers:
        number = self.market.users.get(user)
        if number is None:
            return NOTHING
        events, log = self.market.history(number), self.market.session.past.log
        if kind == PURCHASED:
            events = events[log.purchase[events]]
        return log.item[events].astype(np.int64)

    def _vectors(self) -> Tensor:
        """Give what the model knows of each item, its state and its embedding."""
        session = self.market.session
        session.query([], [])  # brings states to the present
        return session.catalogue()[:, : 2 * session.network.settings.embedding_size]

    def _columns(self, ranking: Ranking, attributes: Sequence[str]) -> dict[str, Any]:
        """Give rank, item, score and the attributes as columns."""
        market, numbers = self.market, ranking.items.tolist()
        columns: dict[str, Any] = {
            "rank": ranking.ranks,
            # Of a type that pandas need not find out.
            "item": pd.Series([market.items.name(number) for number in numbers], dtype=object),
            "score": ranking.scores,
        }
        for name in attributes:
            columns[name] = market.snapshot.attributes.cells(name, numbers)
        return columns


def _places(items: Integers, out: Integers) -> Integers:
    """Give where candidates lie, in rising order, that are among some items, int64 [any]."""
    places = np.unique(np.searchsorted(items, out))
    places = places[places < len(items)]
    found: Integers = places[np.isin(items[places], out)]
    return found
