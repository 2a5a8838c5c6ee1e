"""The score of a trial: train, and give the best validation score. Test rows are not touched."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import ModelType, get_model, get_trainer, init_seed

from recbole_imn.model.settings import SettingsError


@dataclass(frozen=True)
class TrialRequest:
    """What is the same in every trial of a study.

    Attributes
    ----------
    model, dataset : str
    data_path : str or None
        Folder of the data sets; None leaves it to the settings.
    config_files : tuple of str
        Files with settings that are not searched.
    epochs : int
        Epochs at most; training stops early on validation.
    seed : int
    """

    model: str
    dataset: str
    data_path: str | None
    config_files: tuple[str, ...]
    epochs: int
    seed: int

    def config(self, values: Mapping[str, Any]) -> Config:
        """Make the Config of a trial, blind to the options of the running program."""
        settings = {
            **values,
            "event_stream": True,
            "epochs": self.epochs,
            "seed": self.seed,
            "show_progress": False,
        }
        if self.data_path is not None:
            settings["data_path"] = self.data_path
        with no_options():
            return Config(self.model, self.dataset, list(self.config_files), settings)

    @property
    def folder(self) -> Path:
        """Where the data set lies."""
        return Path(self.config({})["data_path"])


def make_data(request: TrialRequest) -> None:
    """Download or simulate the data set if it is not there yet.

    Raises
    ------
    SettingsError
        If the model does not learn from sequences, and so not from the stream's rows.
    DataError
        If there is no such data set.
    """
    config = request.config({})
    if config["MODEL_TYPE"] != ModelType.SEQUENTIAL:
        raise SettingsError(f"{request.model} is no sequential model; only those can be tuned")
    if not (request.folder / f"{request.dataset}.inter").is_file():
        with no_options():
            create_dataset(config)


def validation_score(
    request: TrialRequest,
    values: Mapping[str, Any],
    on_epoch: Callable[[int, float], None],
) -> float:
    """Train a model with some settings and give its best validation score.

    Parameters
    ----------
    request : TrialRequest
    values : mapping
        Settings of the trial.
    on_epoch : callable
        Called with epoch and validation score after each epoch; may raise to stop.

    Returns
    -------
    float
        The best ``valid_metric`` over the epochs.

    Raises
    ------
    SettingsError
        If the model needs item attributes that the data set does not load.
    """
    with quiet():
        _, (train, valid, _), trainer = prepare(request.config(values))
        score, _ = trainer.fit(
            train, valid, verbose=False, saved=False, show_progress=False, callback_fn=on_epoch
        )
    return float(score)


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
        If the model needs item attributes that the data set does not load.
    """
    with no_options():
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        _check_features(config, dataset)
        loaders = data_preparation(config, dataset)
        init_seed(config["seed"], config["reproducibility"])
        model = get_model(config["model"])(config, loaders[0]._dataset).to(config["device"])
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    return dataset, loaders, trainer


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


@contextmanager
def quiet() -> Iterator[None]:
    """Keep notices and warnings of trials out of the progress bar."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
