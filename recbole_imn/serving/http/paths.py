"""Ids in paths: an id may hold a slash, which its address writes as ``%2F``."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send


class EncodedPaths:
    """Lets routes match addresses as they were sent; ids are decoded after that.

    Servers decode a path before it is matched, and an id with a slash would then be two parts.

    Parameters
    ----------
    app : callable
        What lies behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw is not None:
            # A copy: the server's log has the other path.
            scope = {**scope, "path": raw.partition(b"?")[0].decode("latin-1")}
        await self._app(scope, receive, send)


def decoded(part: Any) -> Any:
    """Give a part of a path as it was meant.

    Raises
    ------
    ValueError
        If it is no UTF-8.
    """
    try:
        return unquote(part, errors="strict") if isinstance(part, str) else part
    except UnicodeDecodeError as error:
        raise ValueError("is no UTF-8") from error
