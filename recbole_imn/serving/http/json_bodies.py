"""Bodies in JSON, in whose objects a key stands once: of several, a reader would keep the last."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from recbole_imn.validation import shown


class JsonRoute(APIRoute):
    """A route that refuses bodies in which a key comes twice."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give what answers, and reads the body in its own way."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await answer(_Request(request.scope, request.receive))

        return handler


class _Request(Request):
    async def json(self) -> Any:
        return json.loads(await self.body(), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise HTTPException(400, f"body: the key {shown(twice)} comes twice in one object")
    return found
