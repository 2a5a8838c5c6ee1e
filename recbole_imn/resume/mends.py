"""Trainers of RecBole whose runs can be stopped at any moment (trainer.py:444)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from recbole.trainer.trainer import DecisionTreeTrainer, NCLTrainer, PretrainTrainer, Trainer

from recbole_imn.distributed.ending import can_go_on_from
from recbole_imn.errors import SettingsError
from recbole_imn.processes.group import group, of_first, wait_for_all
from recbole_imn.resume.run import Run

# Value of the setting ``resume``: go on if there is something to go on with, else begin.
IF_STOPPED = "if stopped"
# Runs that were tested, while somebody says when they are done; None otherwise.
_tested: list[Run] | None = None


def install() -> None:
    """Keep the state of every training of a sequential model on the stream."""
    Trainer.fit = _fit(Trainer.fit)
    Trainer._train_epoch = _train_epoch(Trainer._train_epoch)
    Trainer.evaluate = _evaluate(Trainer.evaluate)
    PretrainTrainer.pretrain = _refusing(PretrainTrainer.pretrain)
    NCLTrainer.fit = _refusing(NCLTrainer.fit)
    DecisionTreeTrainer.fit = _refusing(DecisionTreeTrainer.fit)


def _fit(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def fit(
        self: Any,
        train_data: Any,
        valid_data: Any = None,
        verbose: bool = True,
        saved: bool = True,
        show_progress: bool = False,
        callback_fn: Callable[..., Any] | None = None,
    ) -> Any:
        how = {"show_progress": show_progress, "callback_fn": callback_fn}
        if not _can_resume(self, train_data, saved):
            return original(self, train_data, valid_data, verbose, saved, **how)
        run = self.run = Run(self, train_data, valid_data)
        self.run_id = run.id
        try:
            # One process decides for all, before it writes what the others would find.
            goes_on = self.config["resume"] and of_first(
                self.config["resume"] is True or (group().writes and run.can_resume())
            )
            if goes_on:
                run.resume()
            else:
                run.begin()
            wait_for_all()
            can_go_on_from(run.file)
            # RecBole would save the present weights as the best if no epoch is left.
            saved = not run.is_trained
            if run.is_trained:
                self.start_epoch = self.epochs
            result = original(self, train_data, valid_data, verbose, saved, **how)
            run.trained()
        finally:
            run.lock.give_back()
        return result

    return fit


def _can_resume(trainer: Any, train_data: Any, saved: bool) -> bool:
    """Whether a training can go on after a stop.

    Raises
    ------
    SettingsError
        If it is asked to, and cannot.
    """
    config = trainer.config
    on_stream = hasattr(getattr(train_data, "_dataset", None), "log")
    can = on_stream and saved and config["single_spec"] and trainer.start_epoch == 0
    if config["resume"] not in (None, False, True, IF_STOPPED):
        raise SettingsError(f"resume is {config['resume']!r}; it must be True or False")
    if config["resume"] is True and not can:
        raise SettingsError(
            "resume is True, but only runs of sequential models on an event stream that save "
            "their best epoch can be resumed; leave resume out"
        )
    return bool(can)


def _train_epoch(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def train_epoch(
        self: Any,
        train_data: Any,
        epoch_idx: int,
        loss_func: Callable[[Any], Any] | None = None,
        show_progress: bool = False,
    ) -> Any:
        run: Run | None = getattr(self, "run", None)
        if run is None:
            return original(self, train_data, epoch_idx, loss_func, show_progress)
        run.enter(epoch_idx)
        counted = run.count(loss_func or self.model.calculate_loss)
        original(self, _Batches(run), epoch_idx, counted, show_progress)
        return run.loss

    return train_epoch


class _Batches:
    """A loader that keeps the state of its run between batches."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __len__(self) -> int:
        return len(self._run.train_data)

    def __iter__(self) -> Iterator[Any]:
        return self._run.batches()


def _evaluate(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def evaluate(
        self: Any,
        eval_data: Any,
        load_best_model: bool = True,
        model_file: Any = None,
        show_progress: bool = False,
    ) -> Any:
        result = original(self, eval_data, load_best_model, model_file, show_progress)
        run: Run | None = getattr(self, "run", None)
        if run is not None and run.is_trained and load_best_model and eval_data:
            _done(run)
        return result

    return evaluate


def _done(run: Run) -> None:
    if _tested is None:
        run.finish()
    else:
        _tested.append(run)


@contextmanager
def until_done() -> Iterator[None]:
    """Count a run that is tested meanwhile as finished when the block has ended well.

    Without it, a run is finished, and its state removed, by its first test.
    """
    global _tested
    before, _tested = _tested, []
    try:
        yield
        for run in _tested:
            run.finish()
    finally:
        _tested = before


def _refusing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to resume what is trained by a loop of its own."""

    @wraps(original)
    def train(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.config["resume"]:
            raise SettingsError(
                f"resume is {self.config['resume']!r}, but {self.config['model']} is trained in a "
                "way that cannot be resumed; leave resume out"
            )
        return original(self, *args, **kwargs)

    return train
