"""A trainer's epochs on a screen."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from recbole_imn.baselines.at_once import AtOnceTrainer
from recbole_imn.screen.epochs import EpochTable
from recbole_imn.screen.terminal import Screen


class Training:
    """Listens to a trainer of RecBole, and shows each epoch when it is done.

    Parameters
    ----------
    screen : Screen
    trainer : recbole.trainer.Trainer
        Methods of this object alone are wrapped, those that its ``fit`` calls
        (trainer/trainer.py:394).

    Attributes
    ----------
    best_epoch : int or None
        The best epoch, where this process has seen it.
    """

    def __init__(self, screen: Screen, trainer: Any) -> None:
        self._screen, self._trainer = screen, trainer
        self._table: EpochTable | None = None
        self._validates = False
        # Epoch, losses and seconds of what is trained and not validated yet.
        self._trained: tuple[int, tuple[float, ...], float] | None = None
        self._fit: Callable[..., Any] = trainer.fit
        self._tell_losses: Callable[..., str] = trainer._generate_train_loss_output
        self._validate: Callable[..., Any] = trainer._valid_epoch
        trainer.fit = self._follow_fit
        trainer._generate_train_loss_output = self._after_training
        trainer._valid_epoch = self._after_validation

    @property
    def best_epoch(self) -> int | None:
        """The best epoch, where this process has seen it."""
        return self._table.best_epoch if self._table else None

    def _follow_fit(self, train_data: Any, valid_data: Any = None, **how: Any) -> Any:
        self._validates = bool(valid_data) and self._trainer.eval_step > 0
        found = self._fit(train_data, valid_data, **how)
        if self._table is None:
            # Every epoch was done before; there is none to show.
            self._open_table()
        return found

    def _after_training(self, epoch: int, start: float, end: float, losses: Any) -> str:
        run = getattr(self._trainer, "run", None)
        seconds = end - start + (run.earlier if run is not None else 0.0)
        self._trained = epoch, self._parts(losses), seconds
        if not self._is_validated(epoch):
            self._show()
        return self._tell_losses(epoch, start, end, losses)

    def _after_validation(self, valid_data: Any, show_progress: bool = False) -> Any:
        start, best = perf_counter(), self._trainer.best_valid_score
        score, result = self._validate(valid_data, show_progress=show_progress)
        # As RecBole's early_stopping (utils/utils.py:113) is about to decide.
        is_best = score >= best if self._trainer.valid_metric_bigger else score <= best
        self._show(result, perf_counter() - start, bool(is_best))
        return score, result

    def _show(self, result: Any = None, seconds: float = 0.0, is_best: bool = False) -> None:
        if self._trained is None:
            return
        epoch, losses, trained = self._trained
        table = self._table or self._open_table()
        table.add(epoch, losses, trained + seconds, result, is_best)
        self._trained = None

    def _open_table(self) -> EpochTable:
        trainer = self._trainer
        if trainer.start_epoch:
            self._screen.show(self._done_before())
        self._table = EpochTable(self._screen, trainer.config, self._validates)
        return self._table

    def _done_before(self) -> str:
        trainer = self._trainer
        last = trainer.start_epoch - 1
        epochs = f"epochs 0 to {last} were" if last else "epoch 0 was"
        if trainer.best_valid_result is None:
            return f"{epochs} done before"
        score = f"{trainer.valid_metric} {trainer.best_valid_score:.4f}"
        return f"{epochs} done before; the best of them has {score} on validation"

    def _is_validated(self, epoch: int) -> bool:
        return self._validates and (epoch + 1) % self._trainer.eval_step == 0

    def _parts(self, losses: Any) -> tuple[float, ...]:
        if isinstance(self._trainer, AtOnceTrainer):
            # There is no loss where nothing is descended.
            return ()
        return losses if isinstance(losses, tuple) else (losses,)
