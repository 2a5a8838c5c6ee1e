"""A trial trains and validates, and never sees a test row."""

import logging
import sys

import numpy as np
import pytest
import yaml

from recbole_imn import preparation
from recbole_imn.data.dataset import EVENT_INDEX
from recbole_imn.errors import SettingsError
from recbole_imn.evaluation.benchmark.plan import Conditions, make_run
from recbole_imn.tuning.clock import Clock, TimeUp
from recbole_imn.tuning.data import StudyData
from recbole_imn.tuning.objective import TrialRequest, make_data, quiet, validation_score

FIXED = {"use_gpu": False, "embedding_size": 8, "train_batch_size": 32, "topk": [5]}


@pytest.fixture
def make_request(toy):
    """Give a function that makes requests for the toy log."""
    file = toy / "fixed.yaml"
    file.write_text(yaml.safe_dump({**FIXED, "valid_metric": "NDCG@5", "hidden_size": 8}))

    def make(model, epochs=2, **extra):
        (toy / "extra.yaml").write_text(yaml.safe_dump(extra))
        files = (str(file), str(toy / "extra.yaml"))
        return TrialRequest(model, "toy", str(toy), files, epochs, seed=1)

    return make


def score_of(request, values=None, on_epoch=lambda *_: None, clock=None, data=None):
    """Score a trial that has time."""
    clock = clock or Clock(1000.0, True, lambda spent: None)
    return validation_score(request, values or {}, on_epoch, clock, data or StudyData())


class Untouchable:
    """What a trial must not look at."""

    def __getattribute__(self, name):
        raise AssertionError(f"the test part was asked for {name}")

    def __iter__(self):
        raise AssertionError("the test part was iterated")

    def __len__(self):
        raise AssertionError("the test part was counted")

    def __bool__(self):
        raise AssertionError("the test part was looked at")


@pytest.mark.parametrize("model", ["IMNNet", "FPMC", "GRU4Rec"])
def test_the_test_part_is_never_evaluated(make_request, monkeypatch, model):
    bounds, evaluated = [], []

    def without_test(config, dataset):
        train, valid, _ = make_loaders(config, dataset)
        bounds.append(dataset.event_bounds)
        return train, valid, Untouchable()

    def spied_model(name):
        model_class = find(name)
        original = model_class.full_sort_predict

        def full_sort_predict(self, interaction):
            evaluated.append(interaction[EVENT_INDEX].numpy())
            return original(self, interaction)

        monkeypatch.setattr(model_class, "full_sort_predict", full_sort_predict)
        return model_class

    make_loaders, find = preparation.data_preparation, preparation.get_model
    monkeypatch.setattr(preparation, "data_preparation", without_test)
    monkeypatch.setattr(preparation, "get_model", spied_model)
    epochs = []
    score = score_of(make_request(model), {}, lambda *epoch: epochs.append(epoch))
    events = np.concatenate(evaluated)
    _, validation, test, end = bounds[0]
    assert validation <= events.min()
    assert events.max() < test == end
    assert [epoch for epoch, _ in epochs] == [0, 1]
    assert score == max(value for _, value in epochs)


def test_settings_of_a_trial_and_nothing_of_the_program(make_request, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--epochs=7", "--learning_rate=3"])
    config = make_request("FPMC").config({"learning_rate": 0.01})
    assert (config["epochs"], config["learning_rate"], config["seed"]) == (2, 0.01, 1)
    assert config["event_stream"]
    assert sys.argv == ["program", "--epochs=7", "--learning_rate=3"]


@pytest.mark.parametrize("model", ["SASRec", "FPMC", "IMNNet"])
def test_a_trial_begins_where_a_benchmark_does(toy, model):
    request = TrialRequest(model, "toy", str(toy), (), epochs=2, seed=1)
    run = make_run(model, 1, Conditions("toy", toy / "toy", "f", 2, "all", {}))
    settings = request.config({})
    for key in ("embedding_size", "hidden_size", "learning_rate", "train_batch_size"):
        if key in run.settings:
            assert settings[key] == run.settings[key]
    (toy / "mine.yaml").write_text("embedding_size: 8\n")
    mine = TrialRequest(model, "toy", str(toy), ("mine.yaml",), epochs=2, seed=1)
    assert mine.config({})["embedding_size"] == 8
    assert mine.config({"embedding_size": 16})["embedding_size"] == 16


def test_the_same_settings_give_the_same_score(make_request):
    data = StudyData()
    scores = [score_of(make_request("FPMC"), data=data) for _ in range(2)]
    assert scores[0] == scores[1] == score_of(make_request("FPMC"))


def test_a_trial_whose_time_is_over_has_its_best_epoch_so_far(make_request):
    hand = iter(range(10**6))  # a second between two looks at the clock
    scores = []

    def clock(limit, first_is_free):
        return Clock(limit, first_is_free, lambda spent: None, lambda: float(next(hand)))

    def found(limit, first_is_free=False):
        scores.clear()
        request = make_request("FPMC", epochs=30, stopping_step=30)
        ask = {"on_epoch": lambda epoch, score: scores.append(score)}
        return score_of(request, clock=clock(limit, first_is_free), **ask)

    assert found(100) == max(scores)
    assert 1 < len(scores) < 30
    with pytest.raises(TimeUp):
        found(2)
    assert scores == []
    assert found(2, first_is_free=True) == scores[0]
    assert len(scores) == 1


def test_what_learns_nothing_has_one_epoch(make_request):
    epochs = []
    score_of(make_request("SessionKNN"), {}, lambda *epoch: epochs.append(epoch))
    assert len(epochs) == 1
    assert make_request("FPMC", epochs=7).config({})["epochs"] == 7


def test_missing_attributes_are_named(make_request):
    with pytest.raises(SettingsError, match="selected_features of GRU4RecF names 'class'"):
        score_of(make_request("GRU4RecF"))


@pytest.mark.parametrize("model", ["GRU4RecF", "SASRecF"])
def test_models_of_attributes_train_where_those_are_loaded(make_request, toy, model):
    items = "".join(f"i{number}\tb{number % 3}\n" for number in range(1, 21))
    (toy / "toy" / "toy.item").write_text(f"item_id:token\tbrand:token\n{items}")
    load = {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id", "brand"]}
    request = make_request(
        model, epochs=1, selected_features=["brand"], load_col=load, inner_size=8
    )
    assert 0 <= score_of(request) <= 1


def test_other_kinds_of_models_are_refused(make_request):
    with pytest.raises(SettingsError, match="BPR is no sequential model"):
        make_data(make_request("BPR"))


def test_quiet_ends(caplog):
    with quiet():
        logging.getLogger().warning("hidden")
    logging.getLogger().warning("shown")
    assert caplog.messages == ["shown"]


@pytest.mark.parametrize("model", ["SASRec", "GRU4Rec", "NextItNet"])
def test_a_loss_with_drawn_negatives_is_a_choice(make_request, model):
    extra = {"inner_size": 8} if model == "SASRec" else {}
    request = make_request(model, epochs=1, **extra)
    assert request.config({"loss_type": "BPR"})["train_neg_sample_args"]["sample_num"] == 1
    assert 0 <= score_of(request, {"loss_type": "BPR"}) <= 1
