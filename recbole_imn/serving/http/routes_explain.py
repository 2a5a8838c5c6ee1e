"""GET /explain: why an item stands where it does for a user."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from recbole_imn.serving.http.answers import plain
from recbole_imn.serving.http.models import AskedMoment, Identifier
from recbole_imn.serving.http.problems import declared
from recbole_imn.serving.http.service import Service


def explain_router(service: Service) -> APIRouter:
    """Give the route that explains."""
    router = APIRouter(tags=["users"])

    @router.get("/explain", responses=declared(404, 409, 422, 429, 503))
    def explain(
        user: Identifier,
        item: Identifier,
        at: AskedMoment | None = None,
    ) -> dict[str, Any]:
        """Take an item's score for a user apart."""
        explanation = service.reader().explain(user, item, at=at)
        found: dict[str, Any] = plain(asdict(explanation))
        return found

    return router
