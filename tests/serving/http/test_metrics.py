"""Figures for Prometheus."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


def figures(client) -> dict[tuple[str, ...], float]:
    text = client.get("/metrics").text
    return {
        (sample.name.removeprefix("recbole_imn_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_not_by_what_they_ask(client, recommender):
    for user in recommender.users[:3]:
        client.get(f"/users/{user}/recommendations")
    client.get("/items/unheard-of/similar")
    client.get("/no/such/place")
    client.request("BREW", "/users")
    found = figures(client)
    route = "/users/{user}/recommendations"
    assert found["requests_total", "GET", route, "200"] == 3
    assert found["request_seconds_count", route] == 3
    assert found["requests_total", "GET", "/items/{item}/similar", "404"] == 1
    assert found["requests_total", "GET", "none", "404"] == 1
    assert not any("BREW" in name or "unheard-of" in name for name in found)


def test_refused_requests_are_counted(make_client):
    client = make_client(rate=0.001, burst=2)
    for _ in range(4):
        client.get("/users")
    client = make_client(body_bytes=10)
    client.post("/events", json={"user": "a user with a long name"})
    assert figures(client)["requests_total", "POST", "none", "413"] == 1


def test_events_position_and_weights(client, recommender, after):
    user, item = recommender.users[0], recommender.items[0]
    event = {"user": user, "item": item, "time": after, "behavior": "bid"}
    client.post("/events", json={"events": [event, event]})
    found = figures(client)
    assert found["events_accepted_total",] == 1
    assert found["events_dropped_total", "duplicate"] == 1
    assert found["position",] == recommender.position
    assert found["ready",] == 1
    assert found["replica_lag_records",] == 0
    (version,) = (name[1] for name in found if name[0] == "weights")
    assert len(version) == 12


def test_other_weights_have_another_version(recommender):
    from recbole_imn.serving.http.about import weights_version

    version = weights_version(recommender)
    assert weights_version(recommender) == version
    next(recommender.market.session.network.parameters()).data.add_(1.0)
    assert weights_version(recommender) != version
