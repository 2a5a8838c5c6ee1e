"""What a run needs before it can train: data, loaders, model and trainer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

from recbole_imn.errors import SettingsError


def prepare(config: Config, dataset: Any = None) -> tuple[Any, tuple[Any, Any, Any], Any]:
    """Make what a run needs, each part from its own fresh seed as RecBole's quick start does.

    Parameters
    ----------
    config : Config
    dataset : StreamDataset, optional
        One that was read before by these settings; by default it is read.

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
        If nothing would choose the best epoch.
    """
    if config["eval_step"] < 1:
        raise SettingsError(
            f"eval_step is {config['eval_step']}: without validation no epoch is the best"
        )
    dataset, loaders, model = make_model(config, dataset)
    with no_options():
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    return dataset, loaders, trainer


def make_model(config: Config, dataset: Any = None) -> tuple[Any, tuple[Any, Any, Any], Any]:
    """Make a data set, its loaders and a new model, as :func:`prepare` does."""
    with no_options():
        init_seed(config["seed"], config["reproducibility"])
        if dataset is None:
            dataset = create_dataset(config)
        loaders = data_preparation(config, dataset)
        init_seed(config["seed"], config["reproducibility"])
        model = get_model(config["model"])(config, loaders[0]._dataset).to(config["device"])
    return dataset, loaders, model


@contextmanager
def no_options() -> Iterator[None]:
    """Hide the program's options, which RecBole would read as settings."""
    arguments = sys.argv
    sys.argv = arguments[:1]
    try:
        yield
    finally:
        sys.argv = arguments
