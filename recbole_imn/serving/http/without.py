"""Rankings as they would be, had the last purchases of a user not happened."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from recbole_imn.errors import CounterfactualError, ServingError
from recbole_imn.log import Integers
from recbole_imn.serving.lists import Lists, Wish
from recbole_imn.session import Query, Session
from recbole_imn.session.counterfactual import latest_purchases, with_all_events, without_events

if TYPE_CHECKING:
    from recbole_imn.serving.recommender import Recommender


def rank_without(
    recommender: Recommender, user: str, purchases: int, at: Any, wish: Wish
) -> tuple[pd.DataFrame, int]:
    """Rank items for a user from whose past the last purchases are taken away.

    The log is replayed without them, and the recommender does not move on meanwhile.

    Parameters
    ----------
    recommender : Recommender
    user : str
        Raw id.
    purchases : int
        How many at most, from 1.
    at : moment
        As of :meth:`~recbole_imn.serving.recommender.Recommender.recommend`.
    wish : Wish

    Returns
    -------
    frame : DataFrame
        As ``recommend`` gives it. Its scores cannot be compared with those of another list.
    taken : int
        How many purchases were taken away: fewer where the user has fewer.

    Raises
    ------
    ServingError
        If too much would have to be replayed.
    """
    with recommender.standing_still(at) as moment:
        market = copy.copy(recommender.market)
        number, taken = market.users.get(user), 0
        if number is not None:
            events = latest_purchases(market.session, number, purchases)
            taken = len(events)
        if taken:
            market.session = _without(recommender, events)  # type: ignore[assignment]
        return Lists(market).recommend([user], moment, wish).drop(columns="user"), taken


def _without(recommender: Recommender, events: Integers) -> Session | _Moved:
    session, anchors = recommender.market.session, recommender.anchors
    try:
        fork = without_events(session, events, anchors)
    except CounterfactualError as error:
        raise ServingError(str(error)) from None
    unchanged = with_all_events(session, fork, anchors)
    return fork if unchanged is session else _Moved(session, unchanged, fork)


class _Moved:
    """The session of now, moved by what events have changed, as two replays tell it.

    Replays know of items what is told today, and the states of now what was told then: what one
    replay says by itself would mix that in.

    Parameters
    ----------
    present, unchanged, fork : Session
        Of now, of a replay of all events, and of one without some of them.
    """

    def __init__(self, present: Session, unchanged: Session, fork: Session) -> None:
        self._three = present, unchanged, fork
        self.past, self.network, self.catalogue = fork.past, fork.network, fork.catalogue

    def query(self, users: npt.ArrayLike, at: npt.ArrayLike) -> tuple[Query, ...]:
        """Ask all three."""
        return tuple(one.query(users, at) for one in self._three)

    def scores(self, asked: tuple[Query, ...]) -> Tensor:
        """Score all items, float [n, n_items]."""
        return _moved(*(one.scores(of) for one, of in zip(self._three, asked, strict=True)))

    def scores_of(self, asked: tuple[Query, ...], items: Integers) -> Tensor:
        """Score some items, float [n, n_chosen]."""
        pairs = zip(self._three, asked, strict=True)
        return _moved(*(one.scores_of(of, items) for one, of in pairs))

    def contenders(
        self, asked: tuple[Query, ...], k: int, items: Integers, left_out: Sequence[Integers]
    ) -> list[tuple[Integers, Tensor]]:
        """Give the items that a list may have, with their scores, a row each."""
        kept = [np.delete(np.arange(len(items)), places) for places in left_out]
        rows = zip(kept, self.scores_of(asked, items), strict=True)
        return [(items[places], row[torch.from_numpy(places)]) for places, row in rows]


def _moved(present: Tensor, unchanged: Tensor, without: Tensor) -> Tensor:
    """Move scores; where a replay says what is known, they are those of the other replay."""
    return torch.where(unchanged == present, without, present + (without - unchanged))
