"""What a run needs before it can train: data, loaders, model and trainer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

from recbole_imn.model.settings import SettingsError


def prepare(config: Config) -> tuple[Any, tuple[Any, Any, Any], Any]:
    """Make what a run needs, each part from its own fresh seed as RecBole's quick start does.

    Parameters
    ----------
    config : Config

    Returns
    -------
    dataset : StreamDataset
    loaders : tuple
        Of training, validation and test rows.
    trainer : recbole.trainer.Trainer
        With a new model.

    Raises
    ------
    SettingsError
        If the model needs item attributes that the data set does not load, or if nothing
        would choose the best epoch.
    """
    check_validation(config)
    if config["eval_step"] < 1:
        raise SettingsError(
            f"eval_step is {config['eval_step']}: without validation no epoch is the best"
        )
    with no_options():
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        _check_features(config, dataset)
        loaders = data_preparation(config, dataset)
        init_seed(config["seed"], config["reproducibility"])
        model = get_model(config["model"])(config, loaders[0]._dataset).to(config["device"])
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    return dataset, loaders, trainer


def check_validation(config: Config) -> None:
    """Refuse a metric for early stopping that is not computed, before anything is trained.

    RecBole meets it with a bare KeyError after the first epoch.

    Raises
    ------
    SettingsError
    """
    name, _, cut = config["valid_metric"].partition("@")
    names = [metric.lower() for metric in config["metrics"]]
    cuts = config["topk"] if isinstance(config["topk"], list) else [config["topk"]]
    if name.lower() not in names or (cut and cut not in map(str, cuts)):
        raise SettingsError(
            f"valid_metric is {config['valid_metric']}, which is not computed: metrics are "
            f"{', '.join(config['metrics'])} and topk is {config['topk']}"
        )


def _check_features(config: Config, dataset: Any) -> None:
    """Refuse attributes that are not there, which RecBole meets with a bare KeyError."""
    features = dataset.item_feat
    fields = set() if features is None else set(features.columns) - {dataset.iid_field}
    missing = [name for name in config["selected_features"] or [] if name not in fields]
    if missing:
        known = ", ".join(sorted(fields)) or "none; name some in load_col"
        raise SettingsError(
            f"selected_features of {config['model']} names {missing[0]!r}, which "
            f"{config['dataset']} does not have; set it in a file for --config_files "
            f"(item attributes: {known})"
        )


@contextmanager
def no_options() -> Iterator[None]:
    """Hide the program's options, which RecBole would read as settings."""
    arguments = sys.argv
    sys.argv = arguments[:1]
    try:
        yield
    finally:
        sys.argv = arguments
