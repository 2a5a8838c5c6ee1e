"""Observing the test part and recommending gives the ranks of the offline evaluation."""

import numpy as np
import pytest
import torch

from recbole_imn.evaluation.shelf import read_shelf
from tests.serving.conftest import FULL
from tests.serving.shops import ranks_of

MODELS = [
    ("IMNNet", {}),
    ("IMNNet", FULL),
    ("IMN_MSE", {}),
    ("IMN_NCE", {}),
    ("IMNNetStar", {}),
    ("IMNNetLiteral", {}),
    ("JODIE", {}),
    ("IMNNetPlus", {}),
    ("IMNNetPlus", {"resource_branch": "simplified"}),
]


@pytest.fixture(params=MODELS, ids=lambda case: "-".join([case[0], *case[1]]))
def opened(request, make):
    """A shop of each model, and its recommender at the beginning of the test part."""
    name, options = request.param
    shop = make(name, **options)
    return shop, shop.recommender()


def test_events_observed_one_by_one_are_ranked_as_offline(opened):
    shop, recommender = opened
    events = np.arange(shop.start, min(shop.stop, shop.start + 60))
    offline = shop.model.session.scores_before(events)[:, 1:].numpy()
    items = recommender.items
    online = []
    for number in events:
        told = shop.told(number)
        columns, scores = recommender.scores([told["user"]], at=told["time"])
        assert columns == items
        online.append(scores[0])
        assert recommender.observe(**told).accepted == 1
    assert np.array_equal(np.stack(online), offline)
    places = [items.index(shop.event(number)["item"]) for number in events]
    assert ranks_of(np.stack(online), places) == ranks_of(offline, places)


def test_what_is_for_sale_is_ranked_as_offline(opened):
    shop, recommender = opened
    shelf = read_shelf(shop.dataset)
    events = np.arange(shop.start, min(shop.stop, shop.start + 40))
    offline = shop.model.session.scores_before(events)
    for row, number in enumerate(events):
        told = shop.event(number)
        there = np.flatnonzero(shelf.on_shelf(shop.dataset.log.time[[number]])[0])
        columns, scores = recommender.scores([told["user"]], told["time"], "on_shelf")
        names = shop.dataset.field2id_token["item_id"]
        assert columns == [str(names[item]) for item in there]
        assert np.array_equal(scores[0], offline[row, there].numpy())
        found = recommender.recommend(told["user"], told["time"], 5, "on_shelf")
        order = sorted(range(len(there)), key=lambda place: (-scores[0, place], place))
        assert found["item"].tolist() == [columns[place] for place in order[:5]]
        recommender.observe_many({name: [cell] for name, cell in told.items()})


def test_a_snapshot_of_the_whole_log_is_where_observing_leads(opened):
    shop, recommender = opened
    recommender.observe_many(shop.events(shop.start, shop.stop))
    users = recommender.users[:20]
    shop.model.session.seek(shop.stop)
    last = shop.dataset.log.time[-1]
    numbers = np.arange(1, len(users) + 1)
    offline = shop.model.session
    expected = offline.scores(offline.query(numbers, np.full(len(numbers), last)))[:, 1:]
    _, scores = recommender.scores(users)
    assert torch.equal(torch.from_numpy(scores), expected)
