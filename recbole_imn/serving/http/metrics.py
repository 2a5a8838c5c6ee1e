"""Figures for Prometheus."""

from __future__ import annotations

import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recbole_imn.serving.http.served import Served
from recbole_imn.serving.policies import Observed

METHODS = ("GET", "POST", "DELETE", "HEAD")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters, histograms and gauges of one app.

    Parameters
    ----------
    served : Served
        Tells the position and the lag whenever they are asked for.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"namespace": "recbole_imn", "registry": self.registry}
        self.requests = Counter(
            "requests", "Requests by route, method and status", ["route", "method", "status"], **own
        )
        self.seconds = Histogram(
            "request_seconds", "Seconds of requests", ["route"], buckets=SECONDS, **own
        )
        self.accepted = Counter("events_accepted", "Events that were taken", **own)
        self.dropped = Counter("events_dropped", "Events left out, by reason", ["reason"], **own)
        self.ready = Gauge("ready", "1 when the recommender is loaded", **own)
        self.position = Gauge("position", "Events of the log", **own)
        self.lag = Gauge("replica_lag_records", "Records of the journal not applied yet", **own)
        self.weights = Gauge("weights", "1 for the weights in use", ["version"], **own)

    def count(self, observed: Observed) -> None:
        """Count events."""
        self.accepted.inc(observed.accepted)
        for reason, number in observed.dropped.items():
            self.dropped.labels(reason).inc(number)

    def text(self) -> bytes:
        """Give all figures as Prometheus reads them."""
        self.ready.set(self._served.ready)
        if self._served.ready:
            self.position.set(self._served.get().position)
            self.lag.set(self._served.lag)
            self.weights.clear()
            self.weights.labels(self._served.version()).set(1)
        return generate_latest(self.registry)


class Measured:
    """Counts and times requests.

    Parameters
    ----------
    app : callable
        What lies behind.
    metrics : Metrics
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it when it has been answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, start = 500, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # Templates of paths, not paths: those hold ids, and there is no end of them.
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.requests.labels(route, method, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - start)
