"""What needs no training has the figures that it has as a model of its own."""

import pytest
from recbole.utils import get_trainer

from recbole_imn.model.recency import LastItem, RecentHistory
from recbole_imn.screen.references import evaluate_references, why_not


def figures_of(prepare, model, **options):
    """Test a new model, and give its trainer, its loader and its figures."""
    config, _, loaders, made = prepare(model, **options)
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, made)
    trainer.eval_collector.data_collect(loaders[0])
    return trainer, loaders[2], trainer.evaluate(loaders[2], load_best_model=False)


SAMPLED = {"eval_args": {"mode": {"valid": "uni5", "test": "uni5"}}}
METRICS = {"metrics": ["NDCG", "ItemCoverage", "FullMRR"], "topk": [5, 10]}


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
@pytest.mark.parametrize("options", [METRICS, SAMPLED])
def test_figures_are_those_of_a_run_of_their_own(prepare, model, options):
    trainer, test_data, own = figures_of(prepare, model, **options)
    found = evaluate_references(trainer, test_data).results
    assert list(found) == ["RecentHistory", "LastItem"]
    for name, result in found.items():
        assert dict(result) == dict(figures_of(prepare, name, **options)[2])
        assert dict(result) != dict(own)
    # Nothing of it stays with the trainer.
    assert not isinstance(trainer.model, RecentHistory)


def test_a_model_is_not_its_own_reference(prepare):
    trainer, test_data, own = figures_of(prepare, "LastItem")
    found = evaluate_references(trainer, test_data).results
    assert list(found) == ["RecentHistory"]
    assert own != found["RecentHistory"]
    assert isinstance(trainer.model, LastItem)


def test_why_there_are_none_is_said(prepare):
    split = {"eval_args": {"split": {"LS": "valid_and_test"}, "group_by": "user"}}
    trainer, test_data, _ = figures_of(prepare, "SASRec", **split)
    reason = evaluate_references(trainer, test_data).reason
    assert reason == "they need one cut in time for all users"
    trainer, test_data, _ = figures_of(prepare, "SASRec")
    trainer.config["metrics"] = ["LogLoss"]
    assert "no probabilities, which logloss needs" in why_not(trainer.config, test_data._dataset)
