"""What users are shown, who they are, and forgetting them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from recbole_imn.errors import UnknownUserError
from recbole_imn.serving.http.answers import Forgotten, Names, RankingAnswer, ranking
from recbole_imn.serving.http.models import MOST_NAMES, AskedMoment, Identifier, PathIdentifier
from recbole_imn.serving.http.names import page
from recbole_imn.serving.http.problems import declared
from recbole_imn.serving.http.service import Service
from recbole_imn.serving.http.without import rank_without
from recbole_imn.serving.lists import Wish

SEEN = ("seen", "purchased")


def users_router(service: Service) -> APIRouter:
    """Give the routes about users."""
    router = APIRouter(tags=["users"])

    @router.get("/users", responses=declared(422, 429, 503))
    def find_users(
        prefix: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    ) -> Names:
        """List users whose ids begin in a certain way, a page at a time."""
        return page(service.reader().users, prefix, limit, offset)

    @router.get("/users/{user}/recommendations", responses=declared(404, 409, 422, 429, 503))
    def recommend(
        user: PathIdentifier,
        k: Annotated[int, Query(ge=1, le=1000)] = 10,
        at: AskedMoment | None = None,
        candidates: Literal["all", "on_shelf"] = "all",
        exclude: Annotated[
            list[Identifier],
            Query(
                max_length=MOST_NAMES,
                description="Items to be left out; 'seen' or 'purchased' alone: those of the user.",
            ),
        ] = [],  # noqa: B006 (FastAPI copies it)
        diversify: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = 0.0,
        attributes: Annotated[
            list[Identifier], Query(max_length=100, description="Columns of items to be given.")
        ] = [],  # noqa: B006
        without_purchases: Annotated[
            int, Query(ge=0, le=100, description="Last purchases to be taken from the past.")
        ] = 0,
    ) -> RankingAnswer:
        """Rank items for a user; one who is not known yet is ranked for as such."""
        recommender = service.reader()
        wish = Wish(
            k,
            None if candidates == "all" else candidates,
            exclude[0] if len(exclude) == 1 and exclude[0] in SEEN else exclude,
            diversify,
            tuple(attributes),
        )
        if not without_purchases:
            return ranking(recommender.recommend(user, at, **vars(wish)), recommender.position)
        frame, taken = rank_without(recommender, user, without_purchases, at, wish)
        answer = ranking(frame, recommender.position)
        return answer.model_copy(update={"without_purchases": taken})

    @router.delete("/users/{user}", responses=declared(404, 409, 422, 429, 503))
    def forget(user: PathIdentifier) -> Forgotten:
        """Forget a user: the id is removed from the log and the journal."""
        if not service.writer().forget(user):
            raise UnknownUserError(user)
        return Forgotten(forgotten=True)

    return router
