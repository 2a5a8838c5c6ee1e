"""What is asked of the service."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest


def test_a_ranking_is_that_of_the_recommender(client, recommender):
    user = recommender.users[0]
    answer = client.get(
        f"/users/{user}/recommendations",
        params={"k": 5, "candidates": "on_shelf", "attributes": ["brand", "price"]},
    ).json()
    expected = recommender.recommend(
        user, k=5, candidates="on_shelf", attributes=("brand", "price")
    )
    rows = expected.to_dict("records")
    assert [row["item"] for row in answer["items"]] == [row["item"] for row in rows]
    assert [row["score"] for row in answer["items"]] == [row["score"] for row in rows]
    assert answer["items"][0]["attributes"] == {name: rows[0][name] for name in ("brand", "price")}


def test_times_are_numbers_dates_or_now(client, recommender, after):
    user = recommender.users[0]
    date = datetime.fromtimestamp(after + 3600, timezone.utc).isoformat()
    ask = lambda at: client.get(f"/users/{user}/recommendations", params={"at": at})  # noqa: E731
    assert ask(after + 3600).json() == ask(date).json()
    assert ask("now").status_code == 200
    wrong = ask("yesterday")
    assert (wrong.status_code, "ISO 8601" in wrong.json()["detail"]) == (422, True)


def test_a_day_is_its_first_moment(client, recommender, after):
    """As it is in Python and on the command line."""
    day = (datetime.fromtimestamp(after, timezone.utc) + timedelta(days=2)).date().isoformat()
    user = recommender.users[0]
    ask = lambda at: client.get(f"/users/{user}/recommendations", params={"at": at})  # noqa: E731
    assert ask(day).json() == ask(f"{day}T00:00:00Z").json()
    assert ask(day[:7]).status_code == 422


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            "/users/{user}/recommendations?K=5",
            "query.K: there is no such parameter; did you mean k?",
        ),
        ("/users/{user}/recommendations?candidate=all", "did you mean candidates?"),
        ("/users?begin=u", "query.begin: there is no such parameter"),
        ("/items/{item}/similar?top=5", "query.top: there is no such parameter"),
        ("/users/{user}/recommendations?k=5&k=1", "query.k: it comes 2 times; give it once"),
        ("/explain?user={user}&item={item}&when=now", "query.when: there is no such parameter"),
    ],
)
def test_parameters_that_nothing_knows_are_refused(client, recommender, address, told):
    user, item = recommender.users[0], recommender.items[0]
    answer = client.get(address.format(user=user, item=item))
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_items_are_left_out(client, recommender, after):
    user, item = recommender.users[0], recommender.items[0]
    client.post("/events", json={"user": user, "item": item, "time": after, "behavior": "trade"})
    path = f"/users/{user}/recommendations"

    def items(**values):
        return [
            row["item"] for row in client.get(path, params={"k": 1000, **values}).json()["items"]
        ]

    whole = items()
    assert item in whole
    assert item not in items(exclude="purchased")
    assert item not in items(exclude="seen")
    assert items(exclude=whole[:2]) == whole[2:]
    assert client.get(path, params={"exclude": ["nothing", "such"]}).status_code == 404


def test_an_unknown_user_is_a_new_one(client):
    answer = client.get("/users/nobody/recommendations?k=3").json()
    assert [row["rank"] for row in answer["items"]] == [1, 2, 3]


@pytest.mark.parametrize("user", ["a/b", "ä ö", "100%", "%2F", "a?b#c", "recommendations", "車"])
def test_any_id_can_stand_in_an_address(client, recommender, after, user):
    item = recommender.items[0]
    client.post("/events", json={"user": user, "item": item, "time": after, "behavior": "bid"})
    path = f"/users/{quote(user, safe='')}"
    known = client.get(f"{path}/recommendations").json()["items"]
    assert [row["item"] for row in known] == recommender.recommend(user)["item"].tolist()
    assert client.delete(path).json() == {"forgotten": True}
    assert user not in recommender.users


def test_an_id_that_is_no_utf8_is_refused(client):
    assert client.get("/users/a%FF/recommendations").status_code == 422


def test_similar_items(client, recommender):
    item = recommender.items[0]
    answer = client.get(f"/items/{item}/similar?k=4&attributes=price").json()["items"]
    assert [row["item"] for row in answer] == recommender.similar(item, k=4)["item"].tolist()
    unknown = client.get("/items/unheard-of/similar")
    assert (unknown.status_code, unknown.json()["status"]) == (404, 404)
    assert "unheard-of" in unknown.json()["detail"]


@pytest.mark.parametrize(
    "query", ["k=0", "k=1001", "k=x", "candidates=some", "diversify=2", "diversify=nan", "at=inf"]
)
def test_wrong_queries_are_refused(client, query):
    answer = client.get(f"/users/u/recommendations?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"query.{query.partition('=')[0]}: ")


def test_an_attribute_that_no_item_has_is_refused(client):
    answer = client.get("/users/u/recommendations?attributes=colour")
    assert (answer.status_code, "colour" in answer.json()["detail"]) == (409, True)


def test_users_are_found_page_by_page(client, recommender):
    users = sorted(recommender.users)
    found, offset = [], 0
    while offset is not None:
        page = client.get("/users", params={"limit": 7, "offset": offset}).json()
        assert page["total"] == len(users)
        found, offset = found + page["names"], page["next"]
    assert found == users
    prefix = users[-1][:1]
    some = client.get("/users", params={"prefix": prefix, "limit": 1000}).json()
    assert some["names"] == [user for user in users if user.startswith(prefix)]
    nobody = client.get("/users?prefix=nobody").json()
    assert nobody == {"names": [], "total": 0, "next": None}


def test_a_user_is_forgotten(client, recommender):
    user = recommender.users[0]
    assert client.delete(f"/users/{user}").json() == {"forgotten": True}
    assert client.get("/users", params={"prefix": user}).json()["names"].count(user) == 0
    assert client.delete(f"/users/{user}").status_code == 404


def test_what_is_served(client, recommender, after):
    answer = client.get("/about").json()
    assert answer["data"] == "czb-mini"
    assert answer["simulated"] is True
    assert answer["latest"] == after - 1
    assert answer["position"] == recommender.position
    assert "price" in answer["attributes"]
    assert {"name": "trade", "purchase": True} in answer["behaviors"]
