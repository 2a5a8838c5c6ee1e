"""GET /explain: why an item stands where it does for a user."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from recbole_imn.serving.http.answers import Answer, plain
from recbole_imn.serving.http.models import AskedMoment, Identifier
from recbole_imn.serving.http.problems import declared
from recbole_imn.serving.http.service import Service


class Explained(Answer):
    """An explanation; see :class:`~recbole_imn.serving.explanation.Explanation`."""

    user: str
    item: str
    at: str
    sentence: str = Field(description="The most important of it, for people.")
    score: float | None
    rank: int | None = Field(description="None where the item is not among those ranked.")
    n_ranked: int
    parts: list[dict[str, Any]] = Field(description="Their values add up to the score.")
    proposals: list[dict[str, Any]] = Field(description="What of the past points to the item.")
    taste: list[dict[str, Any]] = Field(description="The part 'taste' by attributes.")
    purchases: dict[str, Any] | None = Field(description="What the last purchases have changed.")
    why_not: str | None = Field(description="Why that is not known.")
    simulated: str | None
    is_new: bool = Field(description="Whether the log has no event of the user.")
    has_purchased: bool = Field(description="Whether the log has a purchase of the user.")


def explain_router(service: Service) -> APIRouter:
    """Give the route that explains."""
    router = APIRouter(tags=["users"])

    @router.get("/explain", responses=declared(404, 409, 422, 429, 503))
    def explain(
        user: Identifier,
        item: Identifier,
        at: AskedMoment | None = None,
        candidates: Literal["all", "on_shelf"] = "all",
        purchases: Annotated[
            int, Query(ge=0, le=100, description="Last purchases to be taken away; 0: not asked.")
        ] = 1,
    ) -> Explained:
        """Say why an item has its place for a user, and what the last purchases have changed."""
        wish = None if candidates == "all" else candidates
        found = service.reader().explain(user, item, at, purchases, wish)
        return Explained(**plain(found.to_dict()))

    return router
