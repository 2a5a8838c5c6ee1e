"""Lists of a recommender's users keep to the stock, and their scores are probabilities."""

import numpy as np
import pandas as pd
import pytest

from recbole_imn.errors import ServingError, UnknownItemError
from recbole_imn.serving.allocation import allocate, calibrate
from recbole_imn.serving.allocation import lists as lists_module
from recbole_imn.serving.allocation.lists import allocate_lists


def test_with_enough_of_everything_lists_are_those_of_recommend_many(recommender):
    users = [*recommender.users[:6], "nobody yet"]
    found = allocate_lists(recommender, users, len(users), k=4, candidates=None)
    expected = recommender.recommend_many(users, k=4)
    names = ["user", "rank", "item"]
    # Texts are of pandas' own type in one and objects in the other.
    pd.testing.assert_frame_equal(found.to_frame()[names], expected[names], check_dtype=False)
    items, scores = recommender.scores(users)
    at = {item: place for place, item in enumerate(items)}
    places = [at[item] for item in found.to_frame()["item"]]
    rows = np.repeat(np.arange(len(users)), 4)
    assert found.to_frame()["score"].tolist() == calibrate(scores)[rows, places].tolist()


@pytest.mark.parametrize("width", [1, 3, 1000])
def test_short_shortlists_grow_until_lists_are_full(recommender, width):
    users = recommender.users[:8]
    found = allocate_lists(recommender, users, 1, k=3, candidates=None, width=width)
    assert not found.to_frame().duplicated("item").any()
    assert found.to_frame().groupby("user").size().tolist() == [3] * 8
    items, scores = recommender.scores(users)
    numbers = np.tile(np.arange(1, len(items) + 1), (len(users), 1))
    best = allocate(numbers, calibrate(scores), 1, 3, method="exact")
    assert found.hits <= best.hits + 1e-9 <= found.bound + 2e-9
    if width == 1000:
        assert found.hits == pytest.approx(best.hits)


def test_growth_ends_where_memory_would(recommender, monkeypatch):
    monkeypatch.setattr(lists_module, "MOST_CANDIDATES", 100)
    users = recommender.users[:20]
    found = allocate_lists(recommender, users, 1, k=3, candidates=None, width=3)
    assert len(found.to_frame()) < 60
    items, scores = recommender.scores(users)
    numbers = np.tile(np.arange(1, len(items) + 1), (len(users), 1))
    assert allocate(numbers, calibrate(scores), 1, 3).hits <= found.bound + 1e-9


def test_capacity_by_raw_id(recommender):
    users, items = recommender.users[:5], recommender.items[:4]
    capacity = dict(zip(items, [0, 1, 2, 5], strict=True))
    found = allocate_lists(recommender, users, capacity, k=4, candidates=items)
    counts = found.to_frame()["item"].value_counts().to_dict()
    assert counts == {items[1]: 1, items[2]: 2, items[3]: 5}
    assert found.exposure["shown"]["allocation"] == 0.75
    with pytest.raises(ServingError, match=f"capacity of item '{items[3]}', a candidate, is None"):
        allocate_lists(recommender, users, {items[0]: 1} | dict.fromkeys(items[:3], 1),
                       candidates=items)  # fmt: skip


def test_what_is_for_sale_is_the_default(recommender):
    users = recommender.users[:2]
    on_shelf = recommender.scores(users, candidates="on_shelf")[0]
    assert 0 < len(on_shelf) < len(recommender.items)
    found = allocate_lists(recommender, users, capacity=2, k=len(on_shelf))
    assert set(found.to_frame()["item"]) == set(on_shelf)
    np.testing.assert_allclose(found.to_frame().groupby("user")["score"].sum(), 1)


def test_what_is_excluded_keeps_its_probability(recommender):
    users, out = recommender.users[:4], recommender.items[0]
    items, scores = recommender.scores(users)
    found = allocate_lists(
        recommender, users, 9, k=len(items), candidates=None, exclude=[out], temperature=2.0
    )
    assert out not in set(found.to_frame()["item"])
    sums = found.to_frame().groupby("user", sort=False)["score"].sum()
    np.testing.assert_allclose(sums, 1 - calibrate(scores, 2.0)[:, items.index(out)])
    seen = allocate_lists(recommender, users, 9, k=5, candidates=None, exclude="seen")
    expected = recommender.recommend_many(users, k=5, exclude="seen")
    assert seen.to_frame()["item"].tolist() == expected["item"].tolist()
    with pytest.raises(UnknownItemError):
        allocate_lists(recommender, users, candidates=None, exclude=["no such car"])


def test_nobody_is_offered_what_they_cannot_pay(recommender):
    users, items = recommender.users[:3], recommender.items
    price = {item: float(place) for place, item in enumerate(items)}
    found = allocate_lists(
        recommender, users, 3, k=4, candidates=None, budget=[0, 2, 1e9], price=price, width=2
    )
    lists = found.to_frame().groupby("user")["item"].agg(list)
    assert lists[users[0]] == items[:1]
    assert sorted(lists[users[1]]) == sorted(items[:3])
    assert len(lists[users[2]]) == 4
    with pytest.raises(ServingError, match="a budget but no price"):
        allocate_lists(recommender, users, budget=3)


def test_a_price_may_be_an_attribute_and_attributes_are_told(recommender):
    users, items = recommender.users[:3], recommender.items
    price = {item: float(place % 5) for place, item in enumerate(items)}
    recommender.add_items({"item": items, "asking_price": list(price.values())})
    found = allocate_lists(recommender, users, candidates=None, budget=2.0, price="asking_price",
                           attributes=["asking_price"])  # fmt: skip
    frame = found.to_frame()
    assert len(frame) == 30
    assert frame["asking_price"].max() <= 2
    assert frame["asking_price"].tolist() == [price[item] for item in frame["item"]]
    recommender.add_items({"item": ["a car without a price"]})
    with pytest.raises(ServingError, match="price of item 'a car without a price'"):
        allocate_lists(recommender, users, candidates=None, budget=2.0, price="asking_price")


def test_batches_mean_nothing(recommender, monkeypatch):
    from recbole_imn.serving.allocation import shortlists

    users = recommender.users[:10]
    whole = allocate_lists(recommender, users, 2, k=5, candidates=None)
    monkeypatch.setattr(shortlists, "BATCH", 3)
    parts = allocate_lists(recommender, users, 2, k=5, candidates=None)
    pd.testing.assert_frame_equal(whole.to_frame(), parts.to_frame(), check_exact=True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"users": ["ann", "bob", "ann"]}, "user 'ann' is there twice"),
        ({"k": [1]}, r"k has shape \(1,\) for 2 users"),
        ({"width": 0}, "width is 0"),
        ({"capacity": -1}, "capacity of item '.*', a candidate, is -1"),
        ({"candidates": "everything"}, "candidates is 'everything'"),
        ({"budget": [1.0] * 3, "price": "price"}, "budget has shape"),
        ({"budget": 1.0, "price": "prize"}, "no attribute 'prize'"),
    ],
)
def test_messages(recommender, wrong, message):
    given = {"users": ["ann", "bob"], "candidates": None}
    with pytest.raises(ServingError, match=message) as error:
        allocate_lists(recommender, **given | wrong)
    assert "\n" not in str(error.value)


def test_nobody_has_no_lists(recommender):
    assert allocate_lists(recommender, [], candidates=None).to_frame().empty
    assert allocate_lists(recommender, ["ann"], candidates=[]).to_frame().empty
