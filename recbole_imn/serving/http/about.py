"""What a recommender says of itself, for the page and for monitoring."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from recbole_imn.checkpoints.values import weights_sum
from recbole_imn.serving.http.answers import Answer, plain


class Behavior(Answer):
    """A kind of action."""

    name: str
    purchase: bool | None = Field(description="Whether it buys; None where it may or may not.")


class About(Answer):
    """What is served."""

    data: str = Field(description="Name of the data set.")
    simulated: bool
    position: int = Field(description="Events of the log.")
    users: int
    items: int
    latest: float | None = Field(description="Time of the log's last event, as `at` takes it.")
    dated: bool = Field(description="Whether times are epoch seconds; else seconds of the log.")
    behaviors: list[Behavior]
    attributes: list[str] = Field(description="Columns of items.")
    read_only: bool


def about(recommender: Any, read_only: bool) -> About:
    """Say what a recommender serves.

    Parameters
    ----------
    recommender : Recommender
    read_only : bool
    """
    origin, buys = recommender.clock.origin, recommender.market.usual_purchases
    return About(
        data=recommender.data_name,
        simulated=recommender.is_simulated,
        position=recommender.position,
        users=len(recommender.users),
        items=len(recommender.items),
        latest=plain(recommender.last_time + (origin or 0.0)),
        dated=origin is not None,
        behaviors=[Behavior(name=name, purchase=buys.get(name)) for name in recommender.behaviors],
        attributes=list(recommender.attributes),
        read_only=read_only,
    )


def weights_version(recommender: Any) -> str:
    """Name the weights of a recommender: the same for the same weights, 12 hexadecimal digits."""
    return weights_sum(recommender.market.session.network.state_dict())[:12]
