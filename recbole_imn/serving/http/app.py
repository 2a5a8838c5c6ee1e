"""The HTTP service as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, Security

from recbole_imn.serving.http.bodies import Bodies
from recbole_imn.serving.http.gate import Gate
from recbole_imn.serving.http.metrics import Measured
from recbole_imn.serving.http.parameters import known_parameters
from recbole_imn.serving.http.paths import EncodedPaths
from recbole_imn.serving.http.problems import SCHEMA, add_problems, declared
from recbole_imn.serving.http.routes_events import events_router
from recbole_imn.serving.http.routes_explain import explain_router
from recbole_imn.serving.http.routes_items import items_router
from recbole_imn.serving.http.routes_page import page_router
from recbole_imn.serving.http.routes_status import probes_router, status_router
from recbole_imn.serving.http.routes_users import users_router
from recbole_imn.serving.http.security import KEY, json_only
from recbole_imn.serving.http.served import Served
from recbole_imn.serving.http.service import Service
from recbole_imn.serving.http.settings import HttpSettings

DESCRIPTION = """Recommendations for markets whose users and goods are limited.

Times are epoch seconds or ISO 8601 (UTC where no zone is given); where the log's first moment is
not known, they are seconds of the log. Errors are problem details (RFC 9457) with one line.
"""


def make_app(recommender: Any, settings: HttpSettings | None = None) -> FastAPI:
    """Make the service.

    Parameters
    ----------
    recommender : Recommender or Served
        A place may still be empty: then requests are answered 503 until it is filled.
    settings : HttpSettings, optional

    Returns
    -------
    FastAPI
        An ASGI application for one process: the recommender has one writer.
    """
    settings = settings or HttpSettings()
    served = recommender if isinstance(recommender, Served) else Served(recommender)
    service = Service(served, settings)
    app = FastAPI(
        title="recbole_imn",
        description=DESCRIPTION,
        lifespan=_threads(settings.threads),
        # Its pages come from another server.
        docs_url=None,
        redoc_url=None,
        # An address with a slash too many is none of ours.
        redirect_slashes=False,
    )
    _add_routes(app, service)
    add_problems(app)
    # The last one that is added is the first one that a request meets.
    app.state.bodies = Bodies(settings)
    app.add_middleware(Gate, settings=settings, bodies=app.state.bodies)
    app.add_middleware(Measured, metrics=service.metrics)
    app.add_middleware(EncodedPaths)
    _describe_problems(app)
    return app


def _threads(number: int) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = number
        yield

    return lifespan


def _add_routes(app: FastAPI, service: Service) -> None:
    locked = service.settings.api_key is not None
    key = [Security(KEY)] if locked else []
    asked = [Depends(json_only), Depends(known_parameters)]
    routers = {
        **dict.fromkeys((events_router, users_router, items_router, explain_router), asked),
        # Whoever collects figures may send parameters to every service that it knows.
        status_router: [],
    }
    for router, checks in routers.items():
        app.include_router(
            router(service),
            dependencies=[*checks, *key],
            responses=declared(401) if locked else {},
        )
    app.include_router(probes_router(service))
    app.include_router(page_router())


def _describe_problems(app: FastAPI) -> None:
    make = app.openapi

    def openapi() -> dict[str, Any]:
        description = make()
        description["components"]["schemas"]["Problem"] = SCHEMA
        return description

    app.openapi = openapi  # type: ignore[method-assign]
