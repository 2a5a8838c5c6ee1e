"""Errors as problem details (RFC 9457): JSON with one line for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from recbole_imn.errors import (
    JournalError,
    ServingError,
    UnknownItemError,
    UnknownUserError,
    one_line,
)

MEDIA_TYPE = "application/problem+json"

# What each status means here, for the page of the interface.
MEANING = {
    400: "The body cannot be read.",
    401: "The API key is missing or wrong.",
    404: "The item or user is not known.",
    408: "The body was not there in time.",
    409: "Well formed, but what is known so far does not allow it.",
    413: "The body is too long.",
    415: "The body is no JSON.",
    421: "The service does not go by this name.",
    422: "A value is of the wrong kind, or out of range.",
    429: "Too many requests of this client.",
    503: "Still loading, too busy, or the journal takes nothing now.",
}
SCHEMA = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One line for people."},
    },
}
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
}


class NotReadyError(Exception):
    """The recommender is still being loaded."""


class ReplicaError(Exception):
    """A write that was sent to a replica."""


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Give the answer that says what was wrong."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": one_line(detail),
    }
    return Response(json.dumps(content), status, headers=headers, media_type=MEDIA_TYPE)


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare problems in the description of a route."""
    return {status: _declaration(status) for status in statuses}


def _declaration(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    declaration: dict[str, Any] = {
        "description": MEANING[status],
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
    if status in (429, 503):
        declaration["headers"] = RETRY_AFTER
    return declaration


def add_problems(app: FastAPI) -> None:
    """Let an app answer all errors as problems."""
    app.add_exception_handler(ServingError, _serving)
    app.add_exception_handler(NotReadyError, _not_ready)
    app.add_exception_handler(ReplicaError, _replica)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _internal)


def _serving(request: Request, error: Exception) -> Response:
    if isinstance(error, UnknownItemError | UnknownUserError):
        return problem(404, str(error))
    if isinstance(error, JournalError):
        # Nothing is wrong with the request: it may be sent again.
        return problem(503, str(error), {"Retry-After": "5"})
    # Well formed, and yet refused.
    return problem(409, str(error))


def _not_ready(request: Request, error: Exception) -> Response:
    return problem(
        503, "the recommender is still being loaded; /ready tells when", {"Retry-After": "1"}
    )


def _replica(request: Request, error: Exception) -> Response:
    return problem(409, "this is a read-only replica; send what writes to the writer")


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(422, first_of(error.errors()))


def first_of(faults: Sequence[Mapping[str, Any]]) -> str:
    """Say where the first fault is, what it is, and how many more there are."""
    parts = (str(part) for part in faults[0]["loc"])
    # What pydantic calls a check is nothing that was sent.
    place = ".".join(part for part in parts if not part.startswith("function-"))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    # The value itself is left out: it may be long, secret or no JSON.
    reason = faults[0]["msg"].removeprefix("Value error, ")
    return f"{place[:200]}: {reason}{more}"


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), error.headers)


def _internal(request: Request, error: Exception) -> Response:
    # Starlette raises it again for the server's log.
    return problem(500, "the service failed; its log says why")
