"""The page, from the package's own files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

FOLDER = Path(__file__).parent / "page"
TYPES = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
}
HEADERS = {
    # Nothing from elsewhere, and nobody's frame.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_router() -> APIRouter:
    """Give the routes of the page; they stand beside the interface, not in its description."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def index() -> Response:
        """Give the page."""
        return _file("index.html")

    for name in ("page.css", "page.js"):
        router.add_api_route(f"/page/{name}", _giver(name), methods=["GET"])
    return router


def _giver(name: str) -> Callable[[], Awaitable[Response]]:
    async def give() -> Response:
        return _file(name)

    return give


def _file(name: str) -> Response:
    content = (FOLDER / name).read_bytes()
    return Response(content, headers=HEADERS, media_type=TYPES[name])
