"""The service over HTTP: the server on one core, clients on another."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any
from urllib.parse import quote

import numpy as np

from benchmarks.serving_shop import Shop

CLIENTS = 8
POSTED = 100


def measure_http(shop: Shop, requests: int, events: int, alone: float) -> str:
    """Send requests of ten recommendations to one event, then the rest of the events.

    Parameters
    ----------
    shop : Shop
    requests : int
        Recommendations.
    events : int
    alone : float
        Requests a second of the same kind in one process.
    """
    others = sorted(os.sched_getaffinity(os.getppid()))
    mine = others[-1]
    with server(shop) as port:
        os.sched_setaffinity(0, {mine})
        seconds, rate, failed, single = _mixed(shop, port, requests)
        posted, wrong = _posted(shop, port, single, events)
        os.sched_setaffinity(0, {0})
    return "\n".join(
        [
            f"## Over HTTP, {CLIENTS} clients on a core of their own",
            "",
            "| | figure | target |",
            "|---|---|---|",
            f"| ten recommendations to one event | {rate:,.0f} requests/s | {alone / 2:,.0f} |",
            f"| the same in one process, one thread | {alone:,.0f} requests/s | |",
            f"| over HTTP / in one process | {rate / alone:.2f} | 0.5 |",
            f"| recommendation, p50 and p99, {CLIENTS} at a time "
            f"| {1e3 * np.median(seconds):.1f} and {1e3 * np.quantile(seconds, 0.99):.1f} ms | |",
            f"| {requests:,} recommendations and {single:,} single events: errors | {failed} | 0 |",
            f"| {events - single:,} further events in batches of {POSTED} "
            f"| {posted:,.0f} events/s, {wrong} errors | 0 errors |",
        ]
    )


class server:
    """A running service on core 0, stopped in the end."""

    def __init__(self, shop: Shop) -> None:
        command = [
            sys.executable, "-m", "recbole_imn", "serve", str(shop.checkpoint), "--port=0",
            f"--journal={shop.folder / 'http.sqlite'}", "--rate=0", "--duplicate=accept",
            f"--snapshots={shop.folder / 'snapshots'}",
        ]  # fmt: skip
        here = str(Path(__file__).parents[1])
        environment = {**os.environ, "PYTHONPATH": here, "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, {0}),
        )

    def __enter__(self) -> int:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        port = int(line.rstrip("/\n").rpartition(":")[2])
        while not _ready(port):
            sleep(0.2)
        return port

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/ready")
    return connection.getresponse().status == 200


def _mixed(shop: Shop, port: int, requests: int) -> tuple[list[float], float, int, int]:
    """Give seconds of recommendations, requests a second, errors and events."""
    users = iter(shop.some_users(requests))
    events = shop.rows(requests // 10)
    lock = threading.Lock()
    seconds: list[float] = []
    counts = {"failed": 0, "asked": 0, "told": 0}

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                user = next(users, None)
                counts["asked"] += user is not None
                tell = counts["asked"] % 10 == 0 and user is not None
                # Sent under the lock, so that events arrive in the order of their times.
                if tell:
                    status = _post(connection, next(events))
                    counts["told"] += 1
                    counts["failed"] += status != 200
            if user is None:
                return
            start = perf_counter()
            status = _get(connection, f"/users/{quote(user, safe='')}/recommendations?k=10")
            seconds.append(perf_counter() - start)
            with lock:
                counts["failed"] += status != 200

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    start = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = (requests + counts["told"]) / (perf_counter() - start)
    return seconds, rate, counts["failed"], counts["told"]


def _posted(shop: Shop, port: int, first: int, events: int) -> tuple[float, int]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    wrong, start, batch = 0, perf_counter(), list[dict[str, Any]]()
    for batch in _batches(shop.rows(events, first)):
        wrong += _post(connection, {"events": batch}) != 200
    return (events - first) / (perf_counter() - start), wrong


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == POSTED:
            yield batch
            batch = []
    if batch:
        yield batch


def _get(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _post(connection: http.client.HTTPConnection, values: Any) -> int:
    connection.request("POST", "/events", json.dumps(values), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status
