"""Whether the service lives, what it serves, and its figures."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from recbole_imn.serving.http.about import About, about
from recbole_imn.serving.http.answers import Status
from recbole_imn.serving.http.problems import NotReadyError, declared
from recbole_imn.serving.http.service import Service


class FiguresResponse(PlainTextResponse):
    """Text as Prometheus reads it."""

    media_type = CONTENT_TYPE_LATEST


def probes_router(service: Service) -> APIRouter:
    """Give the routes of probes, which need no key and are answered when all threads are busy."""
    router = APIRouter(tags=["status"])

    @router.get("/health")
    async def health() -> Status:
        """Say that the service lives."""
        return Status(status="alive")

    @router.get("/ready", responses=declared(503))
    async def ready() -> Status:
        """Say whether the recommender is loaded and the journal replayed."""
        if not service.served.ready:
            raise NotReadyError
        return Status(status="ready")

    return router


def status_router(service: Service) -> APIRouter:
    """Give the routes that say what is served."""
    router = APIRouter(tags=["status"])

    @router.get("/metrics", response_class=FiguresResponse, responses=declared(429, 503))
    def metrics() -> FiguresResponse:
        """Give figures for Prometheus."""
        # On a thread: the position may have to wait for a writer.
        return FiguresResponse(service.metrics.text())

    @router.get("/about", responses=declared(429, 503))
    def get_about() -> About:
        """Say what is served."""
        return about(service.reader(), service.settings.read_only)

    return router
