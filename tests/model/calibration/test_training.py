"""Each validation searches for proportions, and ranks by them."""

import numpy as np
import pytest
import torch
from recbole.utils import get_trainer

from recbole_imn.errors import SettingsError
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.model.calibration import Proportions
from recbole_imn.model.sources.pointer import SPEED
from recbole_imn.rank_metrics import rank_metric
from tests.conftest import write_log

SHELF = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "none"}


def repeating_rows(n_events=900, n_users=30, n_items=40):
    """A log in which nearly all events repeat the user's previous item at once."""
    rng, last, rows = np.random.default_rng(1), {}, []
    for time in np.cumsum(rng.integers(1, 500, n_events)):
        user = int(rng.integers(n_users))
        if user not in last or rng.random() < 0.08:
            last[user] = int(rng.integers(n_items))
        rows.append((f"u{user}", f"i{last[user]}", int(time), "view", 0))
    return rows


def trainer_of(prepare, **options):
    config, _, (train, valid, test), model = prepare("IMNNetPlus", **options)
    trainer = get_trainer(config["MODEL_TYPE"], "IMNNetPlus")(config, model)
    return trainer, model, train, valid, test


@pytest.mark.parametrize("mode", ["full", "uni5"])
def test_the_search_ranks_as_the_evaluation_does(prepare, mode, caplog):
    caplog.set_level("INFO")
    options = {"eval_args": {**SHELF, "mode": mode}, "metric_decimal_place": 9, "epochs": 2}
    trainer, model, train, valid, _ = trainer_of(prepare, **options)
    recorder = RankRecorder(trainer)
    trainer.fit(train, valid)
    lines = [record.message for record in caplog.records if "calibration:" in record.message]
    assert len(lines) == 2
    ranks = recorder.table()["rank"].to_numpy()
    score = rank_metric("NDCG@5")(ranks).mean()
    assert f"-> {score:.4f} on {len(ranks)} rows" in lines[-1]
    # And so it does without the proportions.
    model.network.pointer.calibration.set(Proportions.neutral(2))
    trainer.calibrates = False
    trainer._valid_epoch(valid)
    neutral = rank_metric("NDCG@5")(recorder.table()["rank"].to_numpy()).mean()
    assert f"NDCG@5 {neutral:.4f} ->" in lines[-1]


def test_a_log_of_immediate_repeats_gains_where_the_catalogue_is_too_strong(toy, prepare):
    write_log(toy, "repeats", repeating_rows())
    trainer, model, train, valid, test = trainer_of(prepare, dataset="repeats")
    calibration = model.network.pointer.calibration
    trainer.fit(train, valid)

    def scores():
        parts = (trainer.evaluate(part, load_best_model=False) for part in (valid, test))
        return np.array([part["ndcg@5"] for part in parts])

    learned = scores()
    with torch.no_grad():
        model.network.pointer.bias.sub_(8 / SPEED)
    weak = scores()
    assert (weak < learned - 0.05).all()
    trainer._valid_epoch(valid)
    assert calibration.proportions != Proportions.neutral(2)
    found = scores()
    assert (found >= learned - 0.01).all()
    # As good as what needs no training.
    config, _, (_, *parts), simple = prepare("RecentHistory", dataset="repeats")
    other = get_trainer(config["MODEL_TYPE"], "RecentHistory")(config, simple)
    history = [other.evaluate(part, load_best_model=False)["ndcg@5"] for part in parts]
    assert (found >= np.array(history) - 0.01).all()


def test_the_same_training_finds_the_same(prepare):
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        trainer, model, train, valid, _ = trainer_of(prepare)
        trainer.fit(train, valid)
        found.append(model.network.pointer.calibration.proportions)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("model", "options", "calibrates"),
    [
        ("IMNNetPlus", {}, True),
        ("IMNNetPlus", {"calibrate": False}, False),
        ("IMNNetPlus", {"sources": [], "calibrate": False}, False),
        ("IMNNet", {}, False),
    ],
)
def test_only_who_asks_for_it_is_calibrated(prepare, model, options, calibrates):
    config, _, _, network = prepare(model, **options)
    assert get_trainer(config["MODEL_TYPE"], model)(config, network).calibrates == calibrates


def test_an_unfit_metric_is_refused_before_training(prepare):
    unfit = {"metrics": ["ItemCoverage"], "valid_metric": "ItemCoverage@5"}
    with pytest.raises(SettingsError, match="calibrate: False"):
        trainer_of(prepare, **unfit)
    assert not trainer_of(prepare, **unfit, calibrate=False)[0].calibrates
