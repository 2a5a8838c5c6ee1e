"""What needs no training, on exactly the rows of a run: figures that a model has to beat."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from recbole.trainer import Trainer

from recbole_imn.data.scaling import is_global_time_split
from recbole_imn.model.recency import LastItem, RecentHistory
from recbole_imn.registry import PROPERTIES
from recbole_imn.run_checks import OF_PROBABILITIES
from recbole_imn.settings_files import read_any_settings

MODELS: tuple[type[RecentHistory], ...] = (RecentHistory, LastItem)


@dataclass(frozen=True)
class References:
    """Test figures of models that need no training.

    Attributes
    ----------
    results : mapping of str to mapping
        By model, its metrics.
    reason : str
        Why there are none; empty where there are.
    """

    results: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    reason: str = ""


def evaluate_references(trainer: Any, test_data: Any) -> References:
    """Evaluate RecentHistory and LastItem as a trainer has evaluated its own model.

    Rows, candidates, metrics and what counts of equal scores are those of the trainer's
    loader and evaluator, whatever its model. All processes of a run call it.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
        After its test.
    test_data : recbole.data.dataloader.AbstractDataLoader
        The one that it was tested on.
    """
    config = trainer.config
    reason = why_not(config, test_data._dataset)
    if reason:
        return References(reason=reason)
    models = [model for model in MODELS if model.__name__ != config["model"]]
    results = {model.__name__: _evaluated(trainer, model, test_data) for model in models}
    return References(results)


def why_not(config: Any, dataset: Any) -> str:
    """Say why these models cannot be evaluated with the settings of a run; empty if they can."""
    if not (hasattr(dataset, "log") and is_global_time_split(config["eval_args"])):
        return "they need one cut in time for all users"
    others = {metric.lower() for metric in config["metrics"]} & set(OF_PROBABILITIES)
    if others:
        return f"their scores are no probabilities, which {', '.join(sorted(others))} needs"
    return ""


def _evaluated(trainer: Any, model: type[RecentHistory], test_data: Any) -> Mapping[str, float]:
    config = trainer.config
    # A trainer without habits of its own: it neither keeps curves nor changes the checkpoint.
    plain = Trainer.__new__(Trainer)
    vars(plain).update(vars(trainer))
    for own in ("evaluate", "fit", "_valid_epoch", "run"):
        vars(plain).pop(own, None)
    plain.wandblogger = SimpleNamespace(log_eval_metrics=lambda *_, **__: None)
    plain.model = model(_config_of(config, model), test_data._dataset).to(config["device"])
    result: Mapping[str, float] = plain.evaluate(
        test_data, load_best_model=False, show_progress=config["show_progress"]
    )
    return result


def _config_of(config: Any, model: type[RecentHistory]) -> Any:
    """Give the settings of a run with a model's own ones in their place."""
    settings = read_any_settings(PROPERTIES / "model" / f"{model.__name__}.yaml")
    other = copy.copy(config)
    other.final_config_dict = {**config.final_config_dict, **settings, "model": model.__name__}
    return other
