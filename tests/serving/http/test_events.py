"""POST /events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest


def test_an_event_is_taken_and_moves_the_ranking(client, event):
    path = f"/users/{event['user']}/recommendations"
    before = client.get(path).json()
    answer = client.post("/events", json=event)
    assert answer.status_code == 200
    assert answer.json() == {"accepted": 1, "dropped": {}, "position": before["position"] + 1}
    afterwards = client.get(path).json()
    assert afterwards["position"] == before["position"] + 1
    assert afterwards["items"] != before["items"]


def test_a_batch_is_as_its_events_one_by_one(checkpoint, client, event, recommender):
    others = [{**event, "item": item} for item in recommender.items[1:4]]
    answer = client.post("/events", json={"events": [event, *others]})
    assert answer.json()["accepted"] == 4
    alone = type(recommender).load(checkpoint)
    for one in [event, *others]:
        alone.observe(**one)
    served = client.get(f"/users/{event['user']}/recommendations?k=7").json()["items"]
    expected = alone.recommend(event["user"], k=7)
    assert [row["item"] for row in served] == expected["item"].tolist()
    assert [row["score"] for row in served] == expected["score"].tolist()


def test_a_batch_with_a_bad_event_changes_nothing(client, event, recommender):
    position = recommender.position
    bad = {**event, "behavior": "sniff"}
    answer = client.post("/events", json={"events": [event, bad]})
    assert answer.status_code == 409
    assert "event 2" in answer.json()["detail"]
    assert recommender.position == position


def test_a_date_is_the_moment_that_it_names(client, event, recommender, after):
    date = datetime.fromtimestamp(after + 60, timezone.utc).isoformat()
    sent = {**event, "time": date, "key": "dated"}
    assert client.post("/events", json=sent).json()["accepted"] == 1
    assert recommender.last_time == after + 60 - recommender.clock.origin


@pytest.mark.parametrize("place", ["field", "header"])
def test_the_same_key_gives_the_same_answer_and_is_applied_once(client, event, recommender, place):
    position = recommender.position
    headers = {"Idempotency-Key": "order-1"} if place == "header" else {}
    body = event if headers else {**event, "key": "order-1"}
    answers = [client.post("/events", json=body, headers=headers) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert recommender.position == position + 1


def test_the_same_key_at_the_same_time_is_applied_once(client, event, recommender):
    position = recommender.position
    with ThreadPoolExecutor(8) as pool:
        send = lambda _: client.post("/events", json={**event, "key": "k"}).json()  # noqa: E731
        answers = list(pool.map(send, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert recommender.position == position + 1


def test_a_batch_under_a_key_is_applied_once(client, event, recommender):
    body = {"events": [event, {**event, "item": recommender.items[1]}]}
    position, headers = recommender.position, {"Idempotency-Key": "batch"}
    first, second = (client.post("/events", json=body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert recommender.position == position + 2


def test_keys_outlive_the_service_that_has_seen_them(client, make_client, event, recommender):
    headers = {"Idempotency-Key": "batch"}
    client.post("/events", json={"events": [event]}, headers=headers)
    position = recommender.position
    # As after a restart: its answers are gone, but the recommender has the keys.
    again = make_client().post("/events", json={"events": [event]}, headers=headers)
    assert again.json() == {"accepted": 0, "dropped": {"duplicate": 1}, "position": position}


def test_a_key_with_another_content_is_refused(client, event, recommender):
    client.post("/events", json={**event, "key": "k"})
    answer = client.post("/events", json={**event, "key": "k", "item": recommender.items[1]})
    assert answer.status_code == 409
    assert "another content" in answer.json()["detail"]


def test_a_refused_event_can_be_sent_again_under_its_key(client, event):
    late = {**event, "key": "k", "time": 0}
    assert client.post("/events", json=late).status_code == 409
    assert client.post("/events", json=late).status_code == 409
    # The refusal has left no answer behind.
    assert client.post("/events", json={**event, "key": "k"}).json()["accepted"] == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"user": ""}, "at least 1 character"),
        ({"user": "x" * 201}, "at most 200 characters"),
        ({"user": "a\nb"}, "control characters"),
        ({"user": "a\x85b"}, "control characters"),
        ({"user": 5}, "valid string"),
        ({"time": "5"}, "ISO 8601"),
        ({"time": True}, "ISO 8601"),
        ({"time": 1e14}, "ISO 8601"),
        ({"purchase": 2}, "valid boolean"),
        ({"price": 5}, "Extra inputs"),
        ({"features": {"a": [1]}}, "body.event.features"),
    ],
)
def test_wrong_values_are_told_in_one_line(client, event, recommender, change, told):
    position = recommender.position
    answer = client.post("/events", json={**event, **change})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    detail = answer.json()["detail"]
    assert told in detail
    assert "\n" not in detail
    assert recommender.position == position


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "9" * 400])
def test_numbers_that_are_none_are_refused(client, event, number):
    text = f'{{"user": "u", "item": "i", "time": {number}}}'
    answer = client.post("/events", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_what_is_no_json_is_refused(client):
    headers = {"Content-Type": "application/json"}
    assert client.post("/events", content="{", headers=headers).status_code == 422
    assert client.post("/events", content='{"user": "u"}').status_code == 415
    deep = "[" * 100_000
    assert client.post("/events", content=deep, headers=headers).status_code in (400, 422)


def test_more_events_than_a_batch_may_have_are_refused(client, event):
    answer = client.post("/events", json={"events": [event] * 10_001})
    assert answer.status_code == 422
    assert "at most 10000" in answer.json()["detail"]


def test_a_feature_never_stands_for_the_item_of_its_event(client, event, recommender):
    answer = client.post("/events", json={**event, "features": {"item": "another"}})
    assert (answer.status_code, "'item'" in answer.json()["detail"]) == (409, True)
    assert "another" not in recommender.items


def test_a_key_of_a_body_stands_once(client, recommender, after):
    before = recommender.position
    for body in ('{"user":"a","user":"b"}', '{"user":"a","features":{"x":1,"x":2}}'):
        headers = {"Content-Type": "application/json"}
        answer = client.post("/events", content=body, headers=headers)
        assert answer.status_code == 400
        assert "comes twice in one object" in answer.json()["detail"]
    assert recommender.position == before
