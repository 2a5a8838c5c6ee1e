"""Items: like which others, new ones, and the shelf."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from recbole_imn.serving.http.answers import Count, RankingAnswer, ranking
from recbole_imn.serving.http.json_bodies import JsonRoute
from recbole_imn.serving.http.models import Identifier, ItemsAt, NewItems, PathIdentifier
from recbole_imn.serving.http.problems import declared
from recbole_imn.serving.http.service import Service

WRITES = declared(400, 404, 408, 409, 413, 415, 422, 429, 503)


def items_router(service: Service) -> APIRouter:
    """Give the routes about items."""
    router = APIRouter(tags=["items"], route_class=JsonRoute)

    @router.get("/items/{item}/similar", responses=declared(404, 409, 422, 429, 503))
    def similar(
        item: PathIdentifier,
        k: Annotated[int, Query(ge=1, le=1000)] = 10,
        candidates: Literal["all", "on_shelf"] = "all",
        attributes: Annotated[list[Identifier], Query(max_length=100)] = [],  # noqa: B006
    ) -> RankingAnswer:
        """Rank items by how like they are to one."""
        recommender = service.reader()
        frame = recommender.similar(
            item,
            k=k,
            candidates=None if candidates == "all" else candidates,
            attributes=tuple(attributes),
        )
        return ranking(frame, recommender.position)

    @router.post("/items", responses=WRITES)
    def add_items(body: NewItems) -> Count:
        """Make items known, or their attributes."""
        told = [(item.item, item.attributes) for item in body.items]
        service.writer().tell_items(told)
        return Count(items=len(told))

    @router.post("/items/list", responses=WRITES)
    def list_items(body: ItemsAt) -> Count:
        """Put items on the shelf."""
        service.writer().list_items(body.items, at=body.at)
        return Count(items=len(set(body.items)))

    @router.post("/items/delist", responses=WRITES)
    def delist_items(body: ItemsAt) -> Count:
        """Take items off the shelf."""
        service.writer().delist_items(body.items, at=body.at)
        return Count(items=len(set(body.items)))

    return router
