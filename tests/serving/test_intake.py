"""What is taken is taken by a process that goes on and by one that was opened again alike."""

from __future__ import annotations

import pytest

from recbole_imn.errors import ServingError
from recbole_imn.serving import Policies, Recommender
from recbole_imn.serving.journal import SqliteJournal
from tests.serving.shops import moment


def test_an_event_may_be_a_purchase_of_an_odd_kind(shop, tmp_path):
    """And those that come after it are what they were before."""
    recommender = shop.recommender()
    (kind,) = [name for name, buys in recommender.market.usual_purchases.items() if not buys][:1]
    told = {"user": "u", "behavior": kind}
    items = recommender.items
    recommender.observe(item=items[0], time=moment(recommender), purchase=True, **told)
    recommender.save(tmp_path / "later.pth")
    opened = Recommender.load(tmp_path / "later.pth")
    for one in (recommender, opened):
        assert one.observe(item=items[1], time=moment(one), **told).accepted == 1
        assert not one.market.purchase_of().get(kind)
    assert opened.market.usual_purchases == recommender.market.usual_purchases


def test_nobody_remembers_the_last_event_of_who_was_forgotten(shop, tmp_path):
    journal = SqliteJournal(tmp_path / "shop.db")
    recommender = shop.recommender(journal=journal)
    event = {"user": "eve", "item": recommender.items[0], "time": moment(recommender)}
    recommender.observe(**event)
    recommender.forget("eve")
    recommender.save(tmp_path / "later.pth")
    replayed = shop.recommender()
    replayed.apply([record for _, record in journal.read(0)])
    for one in (recommender, Recommender.load(tmp_path / "later.pth"), replayed):
        assert "eve" not in str(vars(one._intake))
        if one is not recommender:
            assert one.observe(**event).accepted == 1
    assert recommender.observe(**event).accepted == 1
    journal.close()


def test_what_is_taken_as_of_now_is_a_duplicate_then(shop):
    recommender = shop.recommender(policies=Policies(late="now"))
    event = {"user": "u", "item": recommender.items[0], "time": moment(recommender, -5)}
    told = [recommender.observe(**event) for _ in range(3)]
    assert [one.accepted for one in told] == [1, 0, 0]
    assert told[-1].dropped == {"duplicate": 1}
    both = {name: [cell, cell] for name, cell in event.items()} | {"user": ["v", "v"]}
    assert recommender.observe_many(both).dropped == {"duplicate": 1}


@pytest.mark.parametrize("number", [10**400, -(10**400), 10**5000], ids=["long", "low", "longer"])
def test_numbers_too_large_for_a_float_are_refused(recommender, number):
    item = recommender.items[0]
    for ask in (
        lambda: recommender.observe("u", item, number),
        lambda: recommender.recommend("u", at=number),
        lambda: recommender.add_items({"item": [item], "price": [number]}),
    ):
        with pytest.raises(ServingError) as refused:
            ask()
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 500
