"""Users and items that nobody had seen, and what is told of items."""

import time
from itertools import product

import numpy as np
import pandas as pd
import pytest

from recbole_imn.errors import ServingError
from recbole_imn.serving.journal import SqliteJournal
from tests.serving.shops import moment


def test_newcomers_change_no_score_of_others(recommender):
    users, items = recommender.users, recommender.items
    before = recommender.scores(users)[1]
    recommender.add_items({"item": ["new-1", "new-2"], "brand": ["brand1", None]})
    for number in range(300):
        recommender.observe(f"newcomer-{number}", f"never-{number % 270}", moment(recommender))
    assert len(recommender.users) == len(users) + 300
    assert recommender.items[len(items) :][:2] == ["new-1", "new-2"]
    twin_users = recommender.users[: len(users)]
    columns, after = recommender.scores(twin_users, candidates=items)
    assert columns == items
    # What newcomers did may be proposed; by itself it tells nothing of old items and users.
    fresh = recommender.recommend("newcomer-299", k=3)
    assert len(fresh) == 3
    assert np.isfinite(after).all()
    assert before.shape == after.shape


def test_items_that_nobody_has_touched_change_no_score_of_others(recommender):
    users, items = recommender.users, recommender.items
    before = recommender.scores(users)[1]
    frame = {"item": [f"new-{number}" for number in range(600)], "price": list(range(600))}
    assert recommender.add_items(frame) == 600
    assert recommender.add_items({"item": ["new-0"], "price": [5]}) == 0
    assert np.array_equal(recommender.scores(users, candidates=items)[1], before)


def test_a_stranger_is_who_they_will_be(recommender):
    before = recommender.scores(["somebody"])[1]
    other = recommender.scores(["somebody else"])[1]
    assert np.array_equal(before, other)
    item = recommender.items[0]
    recommender.observe("somebody", item, moment(recommender))
    assert recommender.recommend("somebody", k=3, exclude="seen")["item"].tolist()
    assert item not in recommender.recommend("somebody", k=20, exclude="seen")["item"].tolist()


def test_an_item_with_features_is_not_one_without(recommender):
    shelf = recommender.recommend(recommender.users[0], k=1, attributes=["brand", "price"])
    recommender.add_items({"item": ["bare"]})
    told = {"brand": shelf["brand"].tolist(), "price": shelf["price"].tolist()}
    recommender.add_items({"item": ["told"], **told})
    recommender.list_items(["bare", "told"])
    columns, scores = recommender.scores(recommender.users[:5], candidates=["bare", "told"])
    assert columns == ["bare", "told"]
    assert (scores[:, 0] != scores[:, 1]).all()
    recommender.add_items({"item": ["bare"], **told})
    _, later = recommender.scores(recommender.users[:5], candidates=["bare", "told"])
    assert np.array_equal(later[:, 1], scores[:, 1])
    assert (later[:, 0] != scores[:, 0]).all()


def test_listing_and_delisting_decide_what_is_on_the_shelf(recommender):
    recommender.add_items({"item": ["x"]})
    user = recommender.users[0]

    def shelf(later):
        at = moment(recommender, later)
        return recommender.recommend(user, at, 10**6, "on_shelf")["item"].tolist()

    assert "x" not in shelf(0)
    recommender.list_items(["x"], moment(recommender, 10))
    assert ["x" in shelf(later) for later in (0, 10, 20)] == [False, True, True]
    recommender.delist_items(["x"], moment(recommender, 30))
    assert ["x" in shelf(later) for later in (20, 30, 31)] == [True, False, False]


def test_an_item_that_is_taken_off_is_off_at_once_and_may_come_back(recommender):
    """Without a moment both happen at that of the last event."""
    recommender.add_items({"item": ["x"]})
    user = recommender.users[0]

    def is_there(at=None):
        return "x" in recommender.recommend(user, at, 10**6, "on_shelf")["item"].tolist()

    for change, expected in (("list", True), ("delist", False), ("list", True)):
        getattr(recommender, f"{change}_items")(["x"])
        assert is_there() == expected
    assert is_there(moment(recommender, 1000))


def test_who_is_forgotten_is_a_stranger(recommender):
    user = recommender.users[0]
    position, strangers = recommender.position, recommender.scores(["nobody"])[1]
    assert recommender.forget(user)
    assert not recommender.forget(user)
    assert user not in recommender.users
    assert recommender.position == position
    assert np.array_equal(recommender.scores([user])[1], strangers)
    recommender.observe(user, recommender.items[0], moment(recommender))
    assert recommender.users[-1] == user


def test_what_cannot_be_applied_is_not_kept(recommender, tmp_path):
    """Else no process could open the journal again."""
    known, before = recommender.items[0], len(recommender.items)
    told = {"item": [known, "new"], "price": [1e25, 1.0]}
    with pytest.raises(ServingError, match="attribute 'price': price is 1e\\+25, too far"):
        recommender.add_items(told)
    assert len(recommender.items) == before
    assert recommender.add_items({"item": ["new"], "price": [1.0]}) == 1


def test_what_is_told_of_some_changes_nothing_else(recommender):
    first, second = recommender.items[:2]
    features = recommender.market.snapshot.item_features[1:3].clone()
    brands = recommender.market.snapshot.attributes.cells("brand", [1, 2])
    recommender.add_items({"item": [first], "title": ["a nice car"]})
    assert recommender.tell_items([(first, {"price": 5}), (second, {"brand": None})]) == 0
    after = recommender.market.snapshot
    assert after.attributes.cells("brand", [1, 2]) == [brands[0], None]
    assert after.attributes.cells("price", [1])[0] == 5
    recommender.tell_items([(second, {"brand": brands[1]})])
    owners = np.array(after.feature_maps["item_features"].owners)
    kept = recommender.market.snapshot.item_features[1:3]
    assert np.array_equal(kept[1], features[1])
    assert np.array_equal(kept[0][owners != "price"], features[0][owners != "price"])


@pytest.mark.parametrize("name", ["user", "rank", "item", "score"])
def test_items_have_no_attribute_of_the_name_of_a_list_s_own_columns(recommender, name):
    first, second = recommender.items[:2]
    before = recommender.market.snapshot.attributes.cells("price", [1, 2])
    told = {"price": 5, name: second}
    with pytest.raises(ServingError, match=f"the attribute '{name}' cannot be told"):
        recommender.tell_items([(first, told)])
    if name != "item":
        with pytest.raises(ServingError, match=f"the attribute '{name}' cannot be told"):
            recommender.add_items({"item": [first], name: [second]})
    assert recommender.market.snapshot.attributes.cells("price", [1, 2]) == before


def test_a_journal_with_such_an_attribute_is_read(recommender):
    record = {"kind": "items", "item": [recommender.items[0]], "attributes": {"score": [5.0]}}
    recommender.apply([record])
    user = recommender.users[0]
    assert len(recommender.recommend(user, k=3)) == 3
    with pytest.raises(ServingError, match="the attribute 'score' cannot be told"):
        recommender.recommend(user, attributes=["score"])
    recommender.tell_items([(recommender.items[0], {"price": 5})])


@pytest.mark.parametrize("name", ["user", "item", "time", "key", "behavior"])
def test_a_feature_changes_nothing_else_of_its_event(recommender, name):
    user, item = recommender.users[0], recommender.items[0]
    told = {"behavior": recommender.behaviors[0], "features": {name: "7"}}
    with pytest.raises(ServingError, match=f"the feature '{name}' is '7'"):
        recommender.observe(user, item, moment(recommender), **told)


def test_a_name_of_the_forgotten_is_nobody_elses(recommender):
    user, other = recommender.users[:2]
    recommender.observe("forgotten-1", recommender.items[0], moment(recommender))
    assert recommender.forget(user)
    assert recommender.forget(other)
    names = [name for name in recommender.users if name.startswith("forgotten-")]
    assert len(set(names)) == 3


def test_what_has_no_time_is_never_late(recommender, monkeypatch):
    recommender.observe("ahead", recommender.items[0], time.time() + 250)
    assert recommender.observe("later", recommender.items[0]).accepted == 1


def test_times_that_are_none_or_centuries_away_are_refused(recommender):
    with pytest.raises(ServingError, match="is no moment"):
        recommender.observe("u", recommender.items[0], pd.NaT)
    for change in (recommender.list_items, recommender.delist_items):
        with pytest.raises(ServingError, match="times are in seconds, not milliseconds"):
            change([recommender.items[0]], at=1.7e12)


def test_telling_nothing_keeps_nothing(recommender, tmp_path, shop):
    journal = SqliteJournal(tmp_path / "shop.db")
    told = shop.recommender(journal=journal)
    assert told.add_items({"item": [], "price": []}) == 0
    assert told.tell_items([]) == 0
    told.list_items([])
    told.delist_items([])
    assert told.observe_many({"user": [], "item": []}).accepted == 0
    assert journal.end == 0
    # What earlier versions have kept can be applied.
    told.apply([{"kind": "items", "item": [], "attributes": {"price": []}}])
    assert len(told.recommend(told.users[0], k=1)) == 1
    journal.close()


def test_the_shelf_changes_at_no_moment_centuries_away(recommender):
    moments = (-1e12, 1e12, 10**400, 10**5000, float("inf"), "nan")
    for change, at in product((recommender.list_items, recommender.delist_items), moments):
        with pytest.raises(ServingError, match=r"years (before|after) the last event|is no moment"):
            change(recommender.items[:1], at)
