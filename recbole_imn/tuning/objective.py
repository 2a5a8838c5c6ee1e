"""The score of a trial: train, and give the best validation score. There are no test rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recbole.config import Config

from recbole_imn.data.first_use import provide
from recbole_imn.errors import SettingsError
from recbole_imn.evaluation.benchmark.plan import starting_settings
from recbole_imn.evaluation.benchmark.refusals import refuse_options
from recbole_imn.preparation import no_options, prepare
from recbole_imn.quick_start import never_silent
from recbole_imn.registry import is_sequential
from recbole_imn.tuned import Tuned
from recbole_imn.tuning.clock import Clock, TimeUp, compiling_is_free
from recbole_imn.tuning.data import StudyData

# Validations without a better one after which a trial ends.
PATIENCE = 3
# Settings that have an option of the command: a file's would be another one's.
OPTIONS = {
    "model": "--model",
    "dataset": "--dataset",
    "data_path": "--data_path",
    "epochs": "--epochs",
    "seed": "--seed",
}


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
        Epochs at most, and no more than the model's own settings say, which is one where
        nothing is learned; training stops early on validation.
    seed : int
    train_events : int
        How many of the latest training events there are.
    valid_rows : int
        How many validation rows are ranked, evenly spaced.
    """

    model: str
    dataset: str
    data_path: str | None
    config_files: tuple[str, ...]
    epochs: int
    seed: int
    train_events: int = 60_000
    valid_rows: int = 5_000

    def config(self, values: Mapping[str, Any]) -> Config:
        """Make the Config of a trial, blind to the options of the running program.

        What is neither searched nor in a file is as in a benchmark.
        """
        settings = {
            **self._beginning,
            **values,
            "epochs": min(self.epochs, self._usual_epochs),
            # RecBole rounds to 4 places by default; many trials would be level.
            "metric_decimal_place": 12,
            "tuning_events": self.train_events,
            "tuning_rows": self.valid_rows,
        }
        return self._config(settings)

    def _config(self, values: Mapping[str, Any]) -> Config:
        """Make a Config of files and values; files win over nothing."""
        settings = {**values, "event_stream": True, "seed": self.seed, "show_progress": False}
        if self.data_path is not None:
            settings["data_path"] = self.data_path
        with no_options():
            return Config(self.model, self.dataset, config_dict=settings)

    @cached_property
    def fixed(self) -> dict[str, Any]:
        """Settings of files, which are not searched.

        Raises
        ------
        SettingsError
            If one has an option of the command.
        """
        settings: dict[str, Any] = {}
        for file in self.config_files:
            found = Tuned.read(Path(file))
            refuse_options(found.settings, file, OPTIONS)
            settings.update(found.settings)
        return settings

    @cached_property
    def _beginning(self) -> dict[str, Any]:
        """Settings before anything is searched."""
        usual = starting_settings(self.model, self.dataset, self.folder)
        return {"stopping_step": PATIENCE, **usual, **self.fixed}

    @cached_property
    def _usual_epochs(self) -> int:
        return int(self._config({**self._beginning})["epochs"])

    @cached_property
    def folder(self) -> Path:
        """Where the data set lies."""
        return Path(self._config(self.fixed)["data_path"])


def make_data(request: TrialRequest) -> None:
    """Download or simulate the data set if it is not there yet.

    Raises
    ------
    SettingsError
        If the model does not learn from sequences, and so not from the stream's rows.
    DataError
        If there is no such data set.
    """
    request.config({})  # which checks the settings
    if not is_sequential(request.model):
        raise SettingsError(f"{request.model} is no sequential model; only those can be tuned")
    provide(request.folder, request.dataset, logging.getLogger())


def validation_score(
    request: TrialRequest,
    values: Mapping[str, Any],
    on_epoch: Callable[[int, float], None],
    clock: Clock,
    data: StudyData,
) -> float:
    """Train a model with some settings and give its best validation score.

    Parameters
    ----------
    request : TrialRequest
    values : mapping
        Settings of the trial.
    on_epoch : callable
        Called with epoch and validation score after each epoch; may raise to stop.
    clock : Clock
        Ends the training when the trial has had its time; the best epoch so far counts. Neither
        the reading of the data nor the compiling of loops is counted.
    data : StudyData

    Returns
    -------
    float
        The best ``valid_metric`` over the epochs.

    Raises
    ------
    SettingsError
        If the model needs item attributes that the data set does not load.
    TimeUp
        If the time was over before the first validation.
    """
    scores: list[float] = []

    def after_epoch(epoch: int, score: float) -> None:
        scores.append(float(score))
        on_epoch(epoch, score)
        clock.epoch()

    config = request.config(values)
    with never_silent(), quiet(), compiling_is_free(clock):
        with clock.paused():
            dataset = data.read(config, values)
        try:
            _, (train, valid, _), trainer = prepare(config, dataset)
            _watch(trainer, clock)
            trainer.fit(
                train,
                valid,
                verbose=False,
                saved=False,
                show_progress=False,
                callback_fn=after_epoch,
            )
        except TimeUp:
            if not scores:
                raise
    return max(scores) if config["valid_metric_bigger"] else min(scores)


def _watch(trainer: Any, clock: Clock) -> None:
    """Let a trainer look at the time with each batch, where it looks at the loss."""
    check_loss = trainer._check_nan

    def check(loss: Any) -> None:
        check_loss(loss)
        clock.batch()

    trainer._check_nan = check


@contextmanager
def quiet() -> Iterator[None]:
    """Keep notices and warnings of trials out of the progress bar."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
