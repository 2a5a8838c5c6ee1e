"""Rankings without the last purchases."""

from __future__ import annotations

import pytest

from recbole_imn.serving import Recommender


def test_a_purchase_that_is_taken_away_leaves_no_trace(client, checkpoint, recommender, after):
    user, items = recommender.users[0], recommender.items
    bid = {"user": user, "item": items[0], "time": after, "behavior": "bid"}
    purchase = {"user": user, "item": items[1], "time": after + 5, "behavior": "trade"}
    client.post("/events", json={"events": [bid, purchase]})
    asked = {"k": 9, "at": after + 60, "attributes": "price"}
    path = f"/users/{user}/recommendations"
    with_it = client.get(path, params=asked).json()
    without = client.get(path, params={**asked, "without_purchases": 1}).json()
    never = Recommender.load(checkpoint)
    never.observe(**bid)
    expected = never.recommend(user, at=after + 60, k=9)
    assert [row["item"] for row in without["items"]] == expected["item"].tolist()
    assert [row["score"] for row in without["items"]] == expected["score"].tolist()
    assert (with_it["without_purchases"], without["without_purchases"]) == (0, 1)
    assert with_it["items"] != without["items"]
    # Asking has changed nothing.
    assert client.get(path, params=asked).json() == with_it


def test_attributes_told_since_are_no_effect_of_a_purchase(client, recommender, after):
    user, items = recommender.users[0], recommender.items
    events = [(items[0], "bid"), (items[1], "trade"), (items[0], "bid")]
    for number, (item, behavior) in enumerate(events):
        recommender.observe(user, item, after + number, behavior)
    recommender.tell_items([(item, {"price": 900.0, "brand": "brand1"}) for item in items[:100]])
    asked, path = {"at": after + 60, "k": 1000}, f"/users/{user}/recommendations"
    answers = [
        client.get(path, params={**asked, "without_purchases": n}).json()["items"] for n in (0, 1)
    ]
    shown, without = ({row["item"]: row["score"] for row in answer} for answer in answers)
    means = [sum(scores.values()) / len(scores) for scores in (shown, without)]
    for item in items[:5]:
        told = recommender.explain(user, item, at=after + 60, purchases=1).purchases
        moved = (shown[item] - means[0]) - (without[item] - means[1])
        assert moved == pytest.approx(told.change, abs=1e-4)
        assert told.rank_without == 1 + list(without).index(item)
    # Other ways to rank read the same scores.
    few = client.get(path, params={**asked, "k": 5, "without_purchases": 1, "exclude": items[1]})
    best = [item for item in without if item != items[1]][:5]
    assert [row["item"] for row in few.json()["items"]] == best
    varied = {**asked, "k": 5, "without_purchases": 1, "diversify": 0.5}
    assert client.get(path, params=varied).json()["items"][0]["item"] == next(iter(without))


def test_who_has_purchased_nothing_has_nothing_taken_away(client):
    asked = {"k": 5, "without_purchases": 3}
    answer = client.get("/users/nobody/recommendations", params=asked).json()
    assert answer["without_purchases"] == 0
    del asked["without_purchases"]
    assert answer == client.get("/users/nobody/recommendations", params=asked).json()


@pytest.mark.parametrize("kind", ["seen", "purchased"])
def test_without_a_purchase_the_others_are_left_out(client, recommender, after, kind):
    user, items = "buyer", recommender.items[:3]
    events = [
        {"user": user, "item": item, "time": after + number, "behavior": "trade"}
        for number, item in enumerate(items)
    ]
    client.post("/events", json={"events": events})
    asked = {"k": 1000, "exclude": kind, "without_purchases": 1}
    answer = client.get(f"/users/{user}/recommendations", params=asked).json()
    shown = [row["item"] for row in answer["items"]]
    assert answer["without_purchases"] == 1
    assert [item in shown for item in items] == [False, False, True]


def test_an_explanation_adds_up(client, recommender):
    user, item = recommender.users[0], recommender.recommend(recommender.users[0])["item"][2]
    answer = client.get("/explain", params={"user": user, "item": item}).json()
    assert answer["rank"] == 3
    assert answer["sentence"].startswith("In simulated data: ")
    total = sum(part["value"] for part in answer["parts"])
    assert abs(total - answer["score"]) < 1e-4
    assert client.get("/explain", params={"user": user, "item": "unheard-of"}).status_code == 404
    assert client.get("/explain", params={"user": user}).status_code == 422
