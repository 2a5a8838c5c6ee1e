"""Explanations agree with what is recommended, and with a market without the purchases."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_imn.checkpoints.values import plain_config
from recbole_imn.errors import ServingError, UnknownItemError
from recbole_imn.serving import Recommender
from recbole_imn.serving.explanation import explain
from recbole_imn.serving.opening import recbole_weights
from recbole_imn.serving.snapshot import KEY
from recbole_imn.serving.taking import take_snapshot
from recbole_imn.session.counterfactual import COLUMNS, keep_anchor
from tests.conftest import PRICED
from tests.session.streams import learn

MODELS = [
    ("IMNNet", {}),
    ("IMN_MSE", {}),
    ("IMN_NCE", {}),
    ("IMNNetLiteral", {}),
    ("JODIE", {}),
    ("IMNNetPlus", {**PRICED, "resource_branch": "simplified"}),
]


def checkpoint(config, dataset, model):
    snapshot = take_snapshot(model, dataset)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    return {"config": plain_config(config), "state_dict": weights, KEY: snapshot.to_values()}


@pytest.fixture(params=MODELS, ids=lambda case: case[0])
def recommender(request, prepare):
    return opened(prepare, *request.param)


@pytest.fixture
def plus(prepare):
    return opened(prepare, *MODELS[-1])


def opened(prepare, name, options):
    config, dataset, _, model = prepare(name, **options)
    learn(model.session, epochs=2)
    return Recommender(checkpoint(config, dataset, model), "test.pth")


def places(recommender, user, **options):
    frame = recommender.recommend(user, k=len(recommender.items), **options)
    return dict(zip(frame["item"], frame["rank"], strict=True))


def without_last_purchase(recommender, user):
    """Another recommender, of a log in which the purchase is absent, and what was purchased."""
    market = recommender.market
    log, number = market.session.past.log, market.users.get(user)
    last = max(k for k in range(len(log)) if log.user[k] == number and log.purchase[k])
    kept = np.delete(np.arange(len(log)), last)
    found = market.snapshot.to_values()
    found["log"] = {name: torch.tensor(getattr(log, name)[kept]) for name in COLUMNS}
    found["memories"] = None
    weights = recbole_weights(market.session.network)
    values = {**recommender._checkpoint, "state_dict": weights, KEY: found}
    return Recommender(values, "other.pth"), market.items.name(int(log.item[last]))


def test_score_and_rank_are_those_of_the_list(recommender):
    items, scores = recommender.scores(["u3"])
    ranks = places(recommender, "u3")
    for item in items:
        found = explain(recommender, "u3", item, purchases=0)
        assert (found.rank, found.n_ranked) == (ranks[item], len(items))
        assert found.score == scores[0, items.index(item)]
        assert np.isclose(sum(part.value for part in found.parts), found.score, atol=1e-4)
        assert found.purchases is None
        assert found.why_not is None


def test_no_detail_has_a_minus_before_nothing(recommender):
    parts = explain(recommender, "who", "i4").parts
    words = [word for part in parts for word in part.detail.replace(",", " ").split()]
    assert "-0" not in words


def test_the_change_is_that_against_a_market_without_the_purchase(recommender):
    other, purchased = without_last_purchase(recommender, "u3")
    at = recommender.last_time + 600
    moment = recommender.clock.text(at)
    ranks = places(other, "u3", at=moment)
    mean = recommender.scores(["u3"], moment)[1].mean(dtype=np.float64)
    items, scores = other.scores(["u3"], moment)
    for item in ("i1", "i2", "i9"):
        found = explain(recommender, "u3", item, at=moment)
        assert found.purchases.rank_without == ranks[item]
        expected = found.score - mean - scores[0, items.index(item)] + scores.mean(dtype=np.float64)
        assert np.isclose(found.purchases.change, expected, atol=1e-5)
        assert found.purchases.items == (purchased,)
        assert found.purchases.replayed == recommender.position - 1


def test_an_anchor_shortens_the_replay_and_changes_nothing(plus):
    last = plus.clock.text(plus.last_time)
    anchor = keep_anchor(plus.market.session)
    plus.observe("u3", "i2", last, "buy", True)
    plus.observe("newcomer", "new item", last, "view", False)
    expected = explain(plus, "u3", "new item")
    found = explain(plus, "u3", "new item", anchors=[anchor])
    assert found.purchases.items == ("i2",)
    assert (found.purchases.replayed, expected.purchases.replayed) == (1, plus.position - 1)
    assert found.purchases.change == expected.purchases.change
    assert found.parts == expected.parts
    refused = explain(plus, "u3", "new item", most_events=0)
    assert refused.purchases is None
    assert "more than most_events=0; keep an anchor nearer" in refused.why_not


def test_proposals_and_tastes_have_names_and_times(plus):
    log, market = plus.market.session.past.log, plus.market
    found = explain(plus, "u3", "i2")
    own = next(row for row in found.proposals if row.source == "own_items")
    events = [k for k in range(len(log)) if log.user[k] == market.users.get("u3")]
    latest = max(k for k in events if log.item[k] == market.items.get("i2"))
    assert own.item == "i2"
    assert own.time == own.pointed == plus.clock.text(float(log.time[latest]))
    assert own.behavior == market.snapshot.behaviours[log.behaviour[latest]]
    shares = [row.share for row in found.proposals]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) < 1
    part = next(part for part in found.parts if part.name == "taste")
    assert {row.attribute for row in found.taste} == {"brand", "price"}
    assert np.isclose(sum(row.value for row in found.taste), part.value)
    for row in found.taste:
        assert np.isclose(row.everybody + row.user + row.history, row.value)
        contents = plus.recommend("u3", k=30, attributes=[row.attribute]).set_index("item")
        assert row.content == contents.loc["i2", row.attribute]


def test_what_others_had_beside_is_told_by_the_users_own_latest_event(plus):
    log, market = plus.market.session.past.log, plus.market
    number = market.users.get("u3")
    rows = [(item, row) for item in plus.items for row in explain(plus, "u3", item).proposals]
    beside = [(item, row) for item, row in rows if row.source == "co_visited"]
    assert beside
    for item, row in beside:
        assert row.item != item
        mine = (log.user == number) & (log.item == market.items.get(row.item))
        latest = np.flatnonzero(mine)[-1]
        assert row.time == row.pointed == plus.clock.text(float(log.time[latest]))
        assert row.behavior == market.snapshot.behaviours[log.behaviour[latest]]


def test_strangers_and_items_outside_the_candidates_are_explained(plus):
    stranger = explain(plus, "who", "i4", candidates=["i1", "i4", "i5"])
    assert stranger.why_not == "user who has 0 purchases in the log, so 1 cannot be taken away"
    assert stranger.rank == places(plus, "who", candidates=["i1", "i4", "i5"])["i4"]
    assert stranger.n_ranked == 3
    assert all(row.source != "own_items" for row in stranger.proposals)
    assert (stranger.is_new, stranger.has_purchased) == (True, False)
    assert "the user" not in stranger.sentence
    known = explain(plus, "u3", "i4")
    assert (known.is_new, known.has_purchased) == (False, True)
    outside = explain(plus, "u3", "i9", candidates=["i1", "i4"])
    assert (outside.rank, outside.n_ranked, outside.purchases.rank_without) == (None, 2, None)
    plus.list_items(["i1", "i9"])
    shelf = explain(plus, "u3", "i9", candidates="on_shelf")
    assert shelf.rank == places(plus, "u3", candidates="on_shelf")["i9"]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(user=st.sampled_from(["u1", "u3", "u7", "who"]), number=st.integers(1, 20))
def test_everything_is_told_in_plain_values(plus, user, number):
    name = plus.items[(number - 1) % len(plus.items)]
    found = explain(plus, user, name, purchases=number % 3)
    again = explain(plus, user, name, purchases=number % 3)
    assert found == again
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told == found.to_dict()
    assert told["sentence"] == found.sentence
    assert found.sentence.startswith(f"Item {name} is ranked ")
    assert found.sentence.endswith(".")
    assert "\n" not in found.sentence
    frame = found.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["name", "value", "typical", "detail"]
    assert np.isclose(frame["value"].sum(), found.score, atol=1e-4)


def test_what_does_not_exist_is_refused(plus):
    with pytest.raises(UnknownItemError, match="item 'none' is not known"):
        explain(plus, "u3", "none")
    with pytest.raises(ServingError, match="purchases is -1; it must be a whole number from 0"):
        explain(plus, "u3", "i1", purchases=-1)
    with pytest.raises(ServingError, match="candidates is 'shelf'"):
        explain(plus, "u3", "i1", candidates="shelf")


def test_a_writer_goes_on_while_others_ask(plus):
    last = plus.clock.text(plus.last_time)
    users = [f"u{number % 7}" for number in range(30)]

    def write():
        for number, user in enumerate(users):
            plus.observe(user, f"i{1 + number % 15}", last, "buy", True, key=str(number))

    anchor = keep_anchor(plus.market.session)
    with ThreadPoolExecutor(3) as pool:
        writing = pool.submit(write)
        found = [pool.submit(explain, plus, user, "i2", anchors=[anchor]) for user in users]
        for one in found:
            sum_of_parts = sum(part.value for part in one.result().parts)
            assert np.isclose(sum_of_parts, one.result().score, atol=1e-4)
        writing.result()
    found = explain(plus, "u1", "i2", anchors=[anchor])
    assert found.purchases == replace(explain(plus, "u1", "i2").purchases, replayed=29)
