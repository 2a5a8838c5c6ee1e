"""What every request passes before anything is computed for it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from recbole_imn.serving.http.bodies import Bodies, Refused
from recbole_imn.serving.http.limits import TokenBuckets, too_long
from recbole_imn.serving.http.problems import problem
from recbole_imn.serving.http.security import host_of, is_key, is_open
from recbole_imn.serving.http.settings import HttpSettings

# Probes must be answered when the service is busy: else it would be stopped for that.
PROBES = ("/health", "/ready")


class Gate:
    """Refuses foreign names, too many requests, wrong keys and long bodies, in this order.

    A key that is guessed costs a token each time, and no body is read before the key is right.

    Parameters
    ----------
    app : callable
        What lies behind.
    settings : HttpSettings
    bodies : Bodies, optional
        Reads bodies; whoever stops the service closes it.
    """

    def __init__(self, app: ASGIApp, settings: HttpSettings, bodies: Bodies | None = None) -> None:
        self._app, self._settings = app, settings
        self._bodies = Bodies(settings) if bodies is None else bodies
        self._buckets = TokenBuckets(settings.rate, settings.burst)
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        try:
            body = await self._bodies.read(receive)
        except Refused as refused:
            if refused.answer is not None:
                await refused.answer(scope, receive, send)
            return
        # Whoever has sent half of a body is not inside, and keeps nobody out.
        refusal = None if scope["path"] in PROBES else self._full()
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._app(scope, body, send)
        finally:
            self._inside -= 1

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        probe = scope["path"] in PROBES
        return (
            self._foreign(headers)
            or (None if probe else self._crowded(scope))
            or self._locked(scope, headers)
            or self._long(headers)
        )

    def _foreign(self, headers: Headers) -> Response | None:
        hosts = self._settings.hosts
        if not hosts or host_of(headers) in hosts:
            return None
        return problem(421, "the service does not go by this host name; --allow-host names more")

    def _crowded(self, scope: Scope) -> Response | None:
        client = scope["client"][0] if scope.get("client") else ""
        wait = self._buckets.wait(client) if self._settings.rate else 0
        if wait:
            told = f"more than {self._settings.rate:g} requests a second; wait"
            return problem(429, told, {"Retry-After": str(wait)})
        return self._full()

    def _full(self) -> Response | None:
        if self._inside < self._settings.waiting:
            return None
        return problem(503, "too many requests at a time; wait", {"Retry-After": "1"})

    def _locked(self, scope: Scope, headers: Headers) -> Response | None:
        key = self._settings.api_key
        if key is None or is_open(scope["path"]) or is_key(headers.get("x-api-key"), key):
            return None
        return problem(
            401,
            "the API key is missing or wrong; send it as X-API-Key",
            {"WWW-Authenticate": 'ApiKey realm="recbole_imn", header="X-API-Key"'},
        )

    def _long(self, headers: Headers) -> Response | None:
        length = headers.get("content-length", "0")
        limit = self._settings.body_bytes
        if length.isdecimal() and int(length) <= limit:
            return None
        return problem(413, too_long(limit))
