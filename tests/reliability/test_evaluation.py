"""Evaluation is what it says: rows by themselves, the same each time, and never half a crash."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from recbole.evaluator.collector import Collector
from recbole.evaluator.evaluator import Evaluator
from recbole.utils import get_trainer
from recbole.utils.case_study import full_sort_scores, full_sort_topk

from recbole_imn.errors import DataError, DivergenceError
from recbole_imn.evaluation import collecting
from recbole_imn.evaluation.metrics import metrics_of_ranks
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.evaluation.sampled import draw_others
from tests.conftest import write_log

BEYOND = ["ItemCoverage", "GiniIndex", "ShannonEntropy", "TailPercentage", "AveragePopularity"]
SMALL = {"hidden_size": 8, "inner_size": 8, "n_layers": 1, "metric_decimal_place": 12}
NONE = -np.inf

# -- sampled candidates -------------------------------------------------------------------------


def _global_state():
    """Numbers of the random state that RecBole's samplers draw from."""
    return np.random.get_state()[1].copy()  # noqa: NPY002


def evaluated(prepare, model, **options):
    """Train for an epoch; give RecBole's figures of the test, and the recorder of its ranks."""
    config, _, (train, valid, test), network = prepare(model, **{**SMALL, **options})
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    recorder = RankRecorder(trainer)
    trainer.fit(train, valid)
    return trainer, test, trainer.evaluate(test), recorder


@pytest.mark.parametrize("mode", ["uni5", "pop5"])
@pytest.mark.parametrize("model", ["IMNNet", "IMNNetPlus", "SASRec", "FPMC", "LastItem"])
def test_sampled_rows_are_judged_by_themselves(prepare, model, mode):
    options = {"topk": [1, 3], "valid_metric": "NDCG@3", "eval_args": {"mode": mode}}
    options["metrics"] = ["Recall", "NDCG", "MRR", "FullMRR"]
    trainer, test, official, recorder = evaluated(prepare, model, **options)
    table = recorder.table()
    assert recorder.sampled
    # A target a row: as many rows as in full ranking, in the same order.
    assert table["event_index"].tolist() == test._dataset.inter_feat["event_index"].tolist()
    assert table["rank"].max() <= 6
    assert official["mrr@3"] <= official["ndcg@3"] <= official["recall@3"]
    own = metrics_of_ranks(table["rank"].to_numpy(), (1, 3), whole=True)
    if not table["ties"].any():
        assert own == pytest.approx({name: official[name] for name in own}, abs=1e-6)
    # The same weights have the same figures.
    assert trainer.evaluate(test) == official


def test_sampled_ranks_count_ties_half(prepare, monkeypatch):
    from recbole_imn.model.recency import LastItem

    monkeypatch.setattr(LastItem, "predict", lambda self, rows: torch.zeros(len(rows)))
    config, _, (_, _, test), network = prepare("LastItem", eval_args={"mode": "uni5"})
    trainer = get_trainer(config["MODEL_TYPE"], "LastItem")(config, network)
    recorder = RankRecorder(trainer)
    trainer.evaluate(test, load_best_model=False)
    table = recorder.table()
    assert (table["rank"] == 1 + table["ties"] / 2).all()
    assert table["ties"].between(1, 5).all()


def test_candidates_depend_on_the_event_and_the_seed_alone(prepare):
    def candidates(**options):
        _, _, (_, _, test), _ = prepare("SASRec", **SMALL, eval_args={"mode": "uni5"}, **options)
        found = {}
        before = torch.get_rng_state(), _global_state()
        for batch, rows, _, items in test:
            for row in range(len(items)):
                event = int(batch["event_index"][row])
                found[event] = batch["item_id"][rows == row].tolist()
        assert torch.equal(torch.get_rng_state(), before[0])
        assert (_global_state() == before[1]).all()
        return found

    small, large, other = candidates(eval_batch_size=7), candidates(), candidates(seed=1)
    assert small == large
    assert other.keys() == small.keys()
    assert other != small
    assert all(items[0] not in items[1:] for items in small.values())


def test_what_is_drawn_leaves_the_own_item_out_and_follows_the_weights():
    weights = np.array([0.0, 1.0, 5.0, 0.0, 3.0, 1.0])
    drawn = draw_others(weights.cumsum(), 2, 50_000, [1, 2])
    shares = np.bincount(drawn, minlength=6) / len(drawn)
    assert shares == pytest.approx([0, 0.2, 0, 0, 0.6, 0.2], abs=0.01)


def test_a_catalogue_of_one_item_has_no_others(toy, prepare):
    write_log(toy, "one", [(f"u{k % 3}", "i", k, "view", 0) for k in range(60)])
    options = {"topk": [1], "valid_metric": "NDCG@1", "eval_args": {"mode": "uni5"}}
    with pytest.raises(DataError, match="has fewer than two items"):
        prepare("LastItem", dataset="one", **options)


def test_auc_of_sampled_candidates(prepare):
    options = {"metrics": ["AUC"], "valid_metric": "AUC", "eval_args": {"mode": "uni5"}}
    _, _, official, recorder = evaluated(prepare, "SASRec", **options)
    assert 0 < official["auc"] < 1
    assert recorder.table().empty


# -- what is shown ------------------------------------------------------------------------------

SHOWN = np.array([[1, 2], [1, 3], [1, 0]])  # the last row has one candidate only


def test_five_metrics_by_hand():
    assert collecting.coverage(SHOWN, 4) == 3 / 4
    # Shown 0, 1, 1 and 3 times, four items: (-3*0 - 1*1 + 1*1 + 3*3) / (4 * 5).
    assert collecting.gini(SHOWN, 4) == pytest.approx(9 / 20)
    entropy = -(0.6 * np.log(0.6) + 2 * 0.2 * np.log(0.2))
    assert collecting.entropy(SHOWN) == pytest.approx(entropy / 3)
    counts = {1: 10, 2: 4, 3: 1}
    popular = collecting.popularity(SHOWN, counts)
    assert collecting.means_to_each_cut(popular).tolist() == [[10, 7], [10, 5.5], [10, 10]]
    # The seldomest third of the items with events is item 3; items 2 and 3 have at most 4.
    seldom = collecting.tail(SHOWN, counts, 0.34)
    assert collecting.means_to_each_cut(seldom).tolist() == [[0, 0], [0, 0.5], [0, 0]]
    seldom = collecting.tail(SHOWN, counts, 4)
    assert collecting.means_to_each_cut(seldom).tolist() == [[0, 0.5], [0, 0.5], [0, 0]]


def test_nothing_shown_is_no_division_by_zero():
    nothing = np.zeros((2, 2), np.int64)
    assert collecting.coverage(nothing, 4) == collecting.gini(nothing, 4) == 0
    assert collecting.entropy(nothing) == 0
    means = collecting.means_to_each_cut(collecting.popularity(nothing, {1: 2}))
    assert means.tolist() == [[0, 0], [0, 0]]


def test_recbole_reports_them_by_the_same_figures():
    config = {
        "metrics": BEYOND, "topk": [1, 2], "device": "cpu", "metric_decimal_place": 12,
        "eval_args": {"mode": {"valid": "full", "test": "full"}}, "model": "M",
        "valid_metric": "GiniIndex@1", "tail_ratio": 0.34, "event_stream": True,
    }  # fmt: skip
    collector = Collector(config)
    items = torch.tensor([1] * 10 + [2] * 4 + [3])
    data = SimpleNamespace(
        item_num=5, user_num=2, iid_field="item", uid_field="user", event_start=0,
        event_stop=15, events={"item": items, "user": torch.ones(15, dtype=torch.long)},
    )  # fmt: skip
    collector.data_collect(SimpleNamespace(dataset=data))
    scores = torch.tensor(
        [[NONE, 9.0, 8.0, 1.0, 0.0], [NONE, 9.0, 1.0, 8.0, 0.0], [NONE, 9.0, NONE, NONE, NONE]]
    )
    for _ in range(2):  # a second evaluation sees nothing of the first
        for rows in (scores[:1], scores[1:]):
            collector.eval_batch_collect(rows, None, torch.arange(len(rows)), torch.ones(len(rows)))
        found = Evaluator(config).evaluate(collector.get_data_struct())
        assert (found["itemcoverage@1"], found["itemcoverage@2"]) == (0.25, 0.75)
        assert found["giniindex@2"] == pytest.approx(9 / 20)
        assert found["averagepopularity@2"] == pytest.approx((7 + 5.5 + 10) / 3)
        assert found["tailpercentage@2"] == pytest.approx(0.5 / 3)


@pytest.mark.parametrize("model", ["IMNNet", "SASRec", "LastItem"])
def test_they_are_computed_of_all_models(prepare, model):
    _, test, official, _ = evaluated(prepare, model, metrics=[*BEYOND, "NDCG"])
    assert {name.partition("@")[0] for name in official} == {*map(str.lower, BEYOND), "ndcg"}
    n_items = test._dataset.item_num - 1
    assert float(official["itemcoverage@5"] * n_items).is_integer()
    events = test._dataset.events[: test._dataset.event_bounds[1]]
    most = max(Counter(events["item_id"].tolist()).values())
    assert 0 < official["averagepopularity@5"] <= most


# -- online learning ----------------------------------------------------------------------------


def test_online_evaluation_repeats_itself_and_disturbs_nothing(prepare):
    _, _, (_, valid, test), network = prepare("IMNNet", online_updates=True, learning_rate=0.05)
    network.eval()
    before = torch.get_rng_state()

    def scores(loader):
        network.session.weights_changed()
        return torch.cat([network.full_sort_predict(batch[0]) for batch in loader])

    first = scores(test)
    torch.rand(7)
    moved = torch.get_rng_state()
    scores(valid)
    assert torch.equal(scores(test), first)
    assert torch.equal(torch.get_rng_state(), moved)
    assert not torch.equal(moved, before)


# -- divergence ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["IMNNet", "IMNNetPlus", "IMN_MSE", "IMNNetLiteral", "JODIE"])
@pytest.mark.parametrize("rate", [1e3, 1e6])
def test_a_diverging_run_stops_with_place_cause_and_advice(prepare, model, rate):
    config, _, (train, valid, _), network = prepare(model, learning_rate=rate)
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    with pytest.raises(DivergenceError, match=r"in window \d+ of epoch 0") as error:
        trainer.fit(train, valid)
    message = str(error.value)
    assert " went from " in message
    assert f"try a lower learning_rate ({rate:g})" in message
    assert "\n" not in message


@pytest.mark.parametrize("model", ["IMNNet", "IMNNetPlus", "IMN_MSE", "IMNNetLiteral", "JODIE"])
def test_ordinary_runs_do_not_diverge(prepare, model):
    for rate in (1e-4, 1e-2):
        options = {"learning_rate": rate, "epochs": 3, "mse_weight": 1.0, "train_batch_size": 16}
        config, _, (train, valid, _), network = prepare(model, **options)
        get_trainer(config["MODEL_TYPE"], model)(config, network).fit(train, valid)


def test_models_of_recbole_stop_with_advice(prepare):
    config, _, (train, valid, _), network = prepare("SASRec", **SMALL, learning_rate=1e6)
    trainer = get_trainer(config["MODEL_TYPE"], "SASRec")(config, network)
    with pytest.raises(DivergenceError, match=r"in batch \d+ of epoch 0; .*try a lower learning"):
        trainer.fit(train, valid)


def test_weights_that_break_in_the_last_step_are_found(prepare):
    config, _, (train, valid, _), network = prepare("SASRec", **SMALL)
    trainer = get_trainer(config["MODEL_TYPE"], "SASRec")(config, network)
    last = list(network.parameters())[-1]
    trainer._train_epoch = lambda *args, **kwargs: float(last.data.fill_(float("nan")).sum())
    with pytest.raises(DivergenceError, match="training diverged at the end of epoch 0"):
        trainer.fit(train, valid)


def test_scores_that_are_not_numbers_are_refused(prepare, monkeypatch):
    config, _, (train, valid, _), network = prepare("LastItem")
    trainer = get_trainer(config["MODEL_TYPE"], "LastItem")(config, network)
    rank = network.full_sort_predict
    for bad in (float("nan"), float("inf")):
        monkeypatch.setattr(network, "full_sort_predict", lambda rows, bad=bad: rank(rows) * bad)
        with pytest.raises(DivergenceError, match="scores that are not numbers"):
            trainer.fit(train, valid)


# -- single users -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_users_without_test_rows_are_named(prepare, model):
    _, dataset, (_, _, test), network = prepare(model, **SMALL)
    known = int(test._dataset.inter_feat["user_id"][0])
    assert full_sort_scores([known], network, test).shape == (1, dataset.item_num)
    for users in ([0], [known, 99], []):
        with pytest.raises(DataError, match="have no rows in this part of toy"):
            full_sort_topk(users, network, test, 3)
    with pytest.raises(DataError, match="k is 99; it must be 1 to 20"):
        full_sort_topk([known], network, test, 99)


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_each_user_has_the_scores_of_their_latest_row(prepare, model):
    """In the order in which users are asked for, one row each, whatever rows there are."""
    _, _, (_, _, test), network = prepare(model, **SMALL)
    ids = test._dataset.inter_feat["user_id"]
    users = ids.unique()[:3].flip(0)
    latest = [int((ids == user).nonzero()[-1]) for user in users]
    assert len(ids) > len(ids.unique())
    found = full_sort_scores(users, network, test)
    network.eval()
    expected = network.full_sort_predict(test.dataset[latest]).view(3, -1)
    assert found.shape == expected.shape
    assert torch.allclose(found[:, 1:], expected[:, 1:], atol=1e-6)


def test_a_sampled_loader_has_no_scores_of_users(prepare):
    _, _, (_, _, test), network = prepare("IMNNet", eval_args={"mode": "uni5"})
    with pytest.raises(DataError, match="need a loader of full ranking"):
        full_sort_topk([1], network, test, 3)


def test_rows_from_another_loader_are_told_by_their_cause(prepare):
    _, _, (_, valid, _), network = prepare("IMNNet")
    with pytest.raises(ValueError, match="a loader that leaves events out or shuffles them"):
        network.calculate_loss(valid._dataset.inter_feat[[3, 5, 9]])
