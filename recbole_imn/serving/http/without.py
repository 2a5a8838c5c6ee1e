"""Rankings as they would be, had the last purchases of a user not happened."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pandas as pd

from recbole_imn.errors import CounterfactualError, ServingError
from recbole_imn.log import Integers
from recbole_imn.serving.lists import Lists, Wish
from recbole_imn.session import Session
from recbole_imn.session.counterfactual import latest_purchases, without_events

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
            market.session = _without(recommender, events)
        return Lists(market).recommend([user], moment, wish).drop(columns="user"), taken


def _without(recommender: Recommender, events: Integers) -> Session:
    try:
        return without_events(recommender.market.session, events, recommender.anchors)
    except CounterfactualError as error:
        raise ServingError(str(error)) from None
