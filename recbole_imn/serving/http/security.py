"""Who may call, and by which name."""

from __future__ import annotations

import hmac

from fastapi.security import APIKeyHeader
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request

# What shows nothing of users and items: probes, the page itself, and how to call the service.
OPEN = ("/", "/health", "/ready", "/openapi.json")
OPEN_FOLDER = "/page/"

# Declares the key in the description of routes; the gate is what checks it.
KEY = APIKeyHeader(name="X-API-Key", auto_error=False)


def is_open(path: str) -> bool:
    """Whether a path needs no API key."""
    return path in OPEN or path.startswith(OPEN_FOLDER)


def is_key(given: str | None, key: str) -> bool:
    """Compare a key with the true one, taking the same time wherever they differ."""
    return hmac.compare_digest((given or "").encode(), key.encode())


def host_of(headers: Headers) -> str:
    """Give the name by which a request calls the service, without the port."""
    host = headers.get("host", "").lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def json_only(request: Request) -> None:
    """Refuse bodies of other kinds: those a page of another site may send without asking.

    Raises
    ------
    HTTPException
        415.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":
        raise HTTPException(415, "send JSON, with Content-Type: application/json")
