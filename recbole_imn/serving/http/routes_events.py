"""POST /events: what has happened."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header

from recbole_imn.serving.columns import with_features
from recbole_imn.serving.http.answers import EventsAnswer
from recbole_imn.serving.http.json_bodies import JsonRoute
from recbole_imn.serving.http.models import Event, EventBatch, Events, Identifier
from recbole_imn.serving.http.problems import declared
from recbole_imn.serving.http.service import Service

COLUMNS = ("user", "item", "time", "behavior", "purchase", "key")


def events_router(service: Service) -> APIRouter:
    """Give the route that takes events."""
    router = APIRouter(tags=["events"], route_class=JsonRoute)

    @router.post("/events", responses=declared(400, 408, 409, 413, 415, 422, 429, 503))
    def post_events(
        body: Events,
        idempotency_key: Annotated[
            Identifier | None,
            Header(description="The same key again gives the same answer, and changes nothing."),
        ] = None,
    ) -> EventsAnswer:
        """Take one event, or a batch of them in order of time.

        All events of a request are taken, or, where one is refused, none.
        """
        recommender = service.writer()
        events = body.events if isinstance(body, EventBatch) else [body]
        if idempotency_key is None and isinstance(body, Event):
            idempotency_key = body.key
        if idempotency_key is None:
            return _observe(service, recommender, events)
        # Keys go to the journal with the events, so that a restart does not forget them.
        named = _with_keys(events, idempotency_key)
        return service.answers.once(
            idempotency_key,
            body.model_dump_json(),
            lambda: _observe(service, recommender, named),
        )

    return router


def _with_keys(events: list[Event], key: str) -> list[Event]:
    """Name events that have no key of their own after the request's key and their place."""
    return [
        event if event.key is not None else event.model_copy(update={"key": f"{key}#{place}"})
        for place, event in enumerate(events)
    ]


def _observe(service: Service, recommender: Any, events: list[Event]) -> EventsAnswer:
    observed = recommender.observe_many(_columns(events))
    service.metrics.count(observed)
    return EventsAnswer(
        accepted=observed.accepted, dropped=observed.dropped, position=observed.position
    )


def _columns(events: list[Event]) -> dict[str, list[Any]]:
    """Lay events out in columns; an event without a feature has an empty cell there."""
    plain = {name: [getattr(event, name) for event in events] for name in COLUMNS}
    return with_features(plain, [event.features for event in events])
