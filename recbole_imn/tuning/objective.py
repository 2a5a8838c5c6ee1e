"""The score of a trial: train, and give the best validation score. Test rows are not touched."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole.config import Config
from recbole.data import create_dataset

from recbole_imn.data.publishing import settle
from recbole_imn.evaluation.benchmark.plan import starting_settings
from recbole_imn.model.settings import SettingsError
from recbole_imn.preparation import no_options, prepare
from recbole_imn.registry import is_sequential
from recbole_imn.settings_files import read_settings


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
        """Make the Config of a trial, blind to the options of the running program.

        What is neither searched nor in a file is as in a benchmark.
        """
        return self._config(starting_settings(self.model, self.dataset, self.folder), values)

    def _config(self, beginning: Mapping[str, Any], values: Mapping[str, Any]) -> Config:
        settings = dict(beginning)
        for file in self.config_files:
            settings.update(read_settings(Path(file)))
        settings |= {
            **values,
            "event_stream": True,
            "epochs": self.epochs,
            "seed": self.seed,
            "show_progress": False,
        }
        if self.data_path is not None:
            settings["data_path"] = self.data_path
        with no_options():
            return Config(self.model, self.dataset, config_dict=settings)

    @property
    def folder(self) -> Path:
        """Where the data set lies."""
        return Path(self._config({}, {})["data_path"])


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
    if not is_sequential(request.model):
        raise SettingsError(f"{request.model} is no sequential model; only those can be tuned")
    settle(request.folder, request.dataset)
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


@contextmanager
def quiet() -> Iterator[None]:
    """Keep notices and warnings of trials out of the progress bar."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
