"""How much clients may ask, and who may ask at all."""

from __future__ import annotations

import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.errors import ServingError
from recbole_imn.serving.http import HttpSettings, Served
from recbole_imn.serving.http.bodies import Bodies
from recbole_imn.serving.http.gate import Gate
from recbole_imn.serving.http.limits import CLIENTS, TokenBuckets
from recbole_imn.serving.http.security import is_key

KEY = "a-key-that-nobody-guesses"


class Clock:
    """Time as a test wants it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    waits=st.lists(st.floats(0, 3), max_size=60),
    rate=st.floats(0.1, 50),
    burst=st.integers(1, 20),
)
def test_no_span_of_time_has_more_than_a_burst_and_what_the_rate_allows(waits, rate, burst):
    clock = Clock()
    buckets, taken = TokenBuckets(rate, burst, clock), []
    for wait in waits:
        clock.now += wait
        if buckets.wait("client") == 0:
            taken.append(clock.now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            allowed = burst + (taken[last] - start) * rate
            assert last - first + 1 <= allowed + 1e-6


@given(rate=st.floats(0.01, 50), burst=st.integers(1, 20))
def test_who_waits_as_long_as_told_gets_in(rate, burst):
    clock = Clock()
    buckets = TokenBuckets(rate, burst, clock)
    for _ in range(burst):
        assert buckets.wait("client") == 0
    clock.now += buckets.wait("client")
    assert buckets.wait("client") == 0


def test_clients_have_buckets_of_their_own_and_old_ones_are_dropped():
    buckets = TokenBuckets(1, 1, Clock())
    assert [buckets.wait(client) for client in ("a", "b", "a")] == [0, 0, 1]
    for number in range(CLIENTS):
        buckets.wait(str(number))
    assert len(buckets._buckets) == CLIENTS
    assert buckets.wait("a") == 0


def test_too_many_requests_are_told_when_to_come_back(make_client):
    client = make_client(rate=0.001, burst=2)
    statuses = [client.get("/users").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = client.get("/users")
    assert int(refused.headers["retry-after"]) > 1
    assert refused.headers["content-type"] == "application/problem+json"
    assert client.get("/health").status_code == 200


def test_a_crowd_is_told_to_come_back():
    def inside():
        raise AssertionError("was let in")

    gate = Gate(inside, HttpSettings(waiting=1))
    gate._inside = 1
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/users", "method": "GET", "headers": []}
    asyncio.run(gate(scope, None, send))
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]


@pytest.mark.parametrize("announced", [True, False])
def test_a_long_body_is_refused(make_client, announced):
    client = make_client(body_bytes=1000)
    text = b'{"user": "' + b"x" * 2000 + b'"}'
    body = text if announced else iter([text[:900], text[900:]])
    answer = client.post("/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "1,000 bytes" in answer.json()["detail"]


def test_a_body_that_does_not_come_is_given_up_and_keeps_nobody_out():
    """Many halves of bodies, none of which ever goes on."""
    gate = Gate(_answering, HttpSettings(rate=0, waiting=2, body_seconds=0.2))

    async def ask_all():
        halves = [asyncio.create_task(_status(gate, [half])) for half in (b"{", b"{", b"{")]
        await asyncio.sleep(0.05)
        whole = await _status(gate, [b"{", b"}"], ends=True)
        return whole, [await half for half in halves]

    whole, halves = asyncio.run(ask_all())
    assert whole == 200
    # The oldest one had to make room for each that came when all places were taken.
    assert halves == [503, 503, 408]


def test_bodies_are_given_up_when_the_service_stops():
    bodies = Bodies(HttpSettings())
    gate = Gate(_answering, HttpSettings(rate=0), bodies)

    async def stop_meanwhile():
        half = asyncio.create_task(_status(gate, [b"{"]))
        await asyncio.sleep(0.05)
        bodies.close()
        return await half, await _status(gate, [b"{}"], ends=True)

    assert asyncio.run(stop_meanwhile()) == (503, 503)
    assert len(bodies) == 0


async def _answering(scope, receive, send):
    assert (await receive())["body"] == b"{}"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _status(gate, parts, ends=False) -> int:
    """Send a body part by part, and give the status of the answer."""
    sent, left = [], list(parts)

    async def receive():
        if not left:
            await asyncio.sleep(3600)
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left) or not ends}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/events", "method": "POST", "headers": []}
    await gate(scope, receive, send)
    return sent[0]["status"]


PATHS = ("/users", "/about", "/metrics", "/users/u/recommendations", "/explain?user=u&item=i")


def test_without_the_key_nothing_is_told(make_client, caplog):
    caplog.set_level(logging.DEBUG)
    client = make_client(api_key=KEY)
    for path in PATHS:
        for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": KEY[:-1]}):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("ApiKey")
            assert KEY not in answer.text
    assert client.post("/events", content=b"{").status_code == 401
    assert client.get("/users", headers={"X-API-Key": KEY}).status_code == 200
    assert KEY not in caplog.text


def test_probes_and_the_page_need_no_key(make_client):
    client = make_client(api_key=KEY)
    for path in ("/", "/page/page.js", "/page/page.css", "/health", "/ready", "/openapi.json"):
        assert client.get(path).status_code == 200


def test_keys_are_compared_whatever_they_hold():
    assert is_key("schlüssel-für-alle", "schlüssel-für-alle")
    assert not is_key(None, KEY)
    assert not is_key("", KEY)
    assert not is_key(KEY + " ", KEY)


def test_settings_show_no_key_and_refuse_what_is_none():
    assert KEY not in repr(HttpSettings(api_key=KEY))
    with pytest.raises(ServingError, match="has 5 characters"):
        HttpSettings(api_key="short")
    with pytest.raises(ServingError, match="rate is -1"):
        HttpSettings(rate=-1)
    with pytest.raises(ServingError, match="threads is 0"):
        HttpSettings(threads=0)


def test_a_foreign_name_is_refused(make_client):
    client = make_client(hosts=("127.0.0.1", "localhost", "[::1]"))
    for host, status in {
        "localhost:8000": 200,
        "LOCALHOST": 200,
        "[::1]:8000": 200,
        "evil.example": 421,
        "localhost.evil.example": 421,
    }.items():
        assert client.get("/health", headers={"Host": host}).status_code == status


def test_until_it_is_loaded_the_service_says_so(make_client, recommender):
    from fastapi.testclient import TestClient

    from recbole_imn.serving.http import make_app
    from recbole_imn.serving.http.opening import Running

    served = Served()
    client = TestClient(make_app(served))
    assert client.get("/health").status_code == 200
    assert client.get("/metrics").status_code == 200
    for path in ("/ready", "/users", "/about", "/users/u/recommendations"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    served.fill(Running(lambda: recommender))
    assert client.get("/ready").json() == {"status": "ready"}


def test_a_replica_takes_nothing(make_client, recommender, after):
    client, position = make_client(read_only=True), recommender.position
    user, item = recommender.users[0], recommender.items[0]
    answers = [
        client.post("/events", json={"user": user, "item": item, "time": after}),
        client.post("/items", json={"items": [{"item": "new"}]}),
        client.post("/items/list", json={"items": [item]}),
        client.post("/items/delist", json={"items": [item]}),
        client.delete(f"/users/{user}"),
    ]
    assert {answer.status_code for answer in answers} == {409}
    assert "read-only replica" in answers[0].json()["detail"]
    assert recommender.position == position
    assert client.get(f"/users/{user}/recommendations").status_code == 200
