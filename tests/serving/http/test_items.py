"""New items and the shelf."""

from __future__ import annotations

from recbole_imn.serving.http.models import Item


def shelf(client, user: str = "nobody") -> list[str]:
    answer = client.get(f"/users/{user}/recommendations?k=1000&candidates=on_shelf").json()
    return [row["item"] for row in answer["items"]]


def test_a_new_item_is_listed_and_recommended(client):
    car = {"item": "new car", "attributes": {"brand": "brand1", "price": 12345.0}}
    answer = client.post("/items", json={"items": [car]})
    assert (answer.status_code, answer.json()) == (200, {"items": 1})
    assert "new car" not in shelf(client)
    assert client.post("/items/list", json={"items": ["new car"]}).json() == {"items": 1}
    assert "new car" in shelf(client)
    whole = client.get("/users/nobody/recommendations?k=1000&attributes=price").json()["items"]
    assert {"price": 12345.0} in [row["attributes"] for row in whole if row["item"] == "new car"]


def test_items_that_were_known_are_counted_as_well(client, recommender):
    told = [{"item": name, "attributes": {"price": 7.0}} for name in recommender.items[:2]]
    assert client.post("/items", json={"items": told}).json() == {"items": 2}


def test_an_item_is_delisted(client, after):
    item = shelf(client)[0]
    answer = client.post("/items/delist", json={"items": [item], "at": after})
    assert answer.json() == {"items": 1}
    later = client.get(
        "/users/nobody/recommendations",
        params={"k": 1000, "candidates": "on_shelf", "at": after + 1},
    ).json()["items"]
    assert item not in [row["item"] for row in later]


def test_an_unknown_item_is_not_listed(client, recommender):
    before = shelf(client)
    answer = client.post("/items/list", json={"items": [recommender.items[0], "unheard-of"]})
    assert answer.status_code == 404
    assert shelf(client) == before


def test_an_item_that_comes_twice_is_refused(client, recommender):
    known = recommender.items
    answer = client.post("/items", json={"items": [{"item": "a"}, {"item": "a"}]})
    assert (answer.status_code, "twice" in answer.json()["detail"]) == (409, True)
    assert recommender.items == known


def test_whole_numbers_stay_whole():
    told = Item.model_validate({"item": "a", "attributes": {"year": 2015, "all": [1, 2.5]}})
    assert told.model_dump_json() == '{"item":"a","attributes":{"year":2015,"all":[1,2.5]}}'


def test_an_attribute_never_stands_for_another_item(client, recommender):
    first, second = recommender.items[:2]
    told = {"item": first, "attributes": {"item": second, "price": 77}}
    answer = client.post("/items", json={"items": [told]})
    assert (answer.status_code, "'item' cannot be told" in answer.json()["detail"]) == (409, True)
    assert 77 not in recommender.market.snapshot.attributes.cells("price", [1, 2])


def test_attributes_without_content_are_null(client):
    client.post("/items", json={"items": [{"item": "bare"}]})
    whole = client.get("/users/nobody/recommendations?k=1000&attributes=price").json()["items"]
    assert {"price": None} in [row["attributes"] for row in whole if row["item"] == "bare"]
