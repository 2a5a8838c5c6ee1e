"""One process writes: logs, curves, checkpoints and states; all others wait for it or are still."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from typing import Any

from recbole.trainer import Trainer
from recbole.utils.wandblogger import WandbLogger

from recbole_imn import tracking
from recbole_imn.compat.views import replace
from recbole_imn.processes.group import group, of_first, one_first, wait_for_all


class NoBoard:
    """Stands in for a TensorBoard writer where another process writes."""

    log_dir = ""
    result: Mapping[str, Any] = {}

    def add_scalar(self, *args: Any, **kwargs: Any) -> None:
        """Write nothing."""

    add_hparams = flush = close = add_scalar


def install() -> None:
    """Let one process of a run write (trainer/trainer.py, utils/logger.py, data/utils.py)."""
    upstream = import_module("recbole.quick_start.quick_start")
    for name, wrap in (("init_logger", _one_logger), ("create_dataset", _one_reads_first)):
        original = getattr(upstream, name)
        replace(original, wrap(original), everywhere=True)
    tracking.open_board = _one_board(tracking.open_board)
    WandbLogger.setup = _one_does(WandbLogger.setup)
    Trainer.__init__ = _one_name(Trainer.__init__)
    Trainer._save_checkpoint = _one_does(Trainer._save_checkpoint)


def _one_logger(original: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(original)
    def init_logger(config: Any) -> None:
        if group().writes:
            original(config)
        else:
            logging.basicConfig(level=logging.CRITICAL, handlers=[logging.NullHandler()])

    return init_logger


def _one_reads_first(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let one process make a log that is not there yet, and what is kept beside it."""

    @wraps(original)
    def create_dataset(config: Any) -> Any:
        return one_first(lambda: original(config))

    return create_dataset


def _one_board(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def open_board(*args: Any) -> Any:
        return original(*args) if group().writes else NoBoard()

    return open_board


def _one_name(original: Callable[..., None]) -> Callable[..., None]:
    """Let trainers of one run name the same checkpoint."""

    @wraps(original)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.saved_model_file = of_first(self.saved_model_file)

    return construct


def _one_does(original: Callable[..., None]) -> Callable[..., None]:
    """Let one process do what the others find done."""

    @wraps(original)
    def do(self: Any, *args: Any, **kwargs: Any) -> None:
        if group().writes:
            original(self, *args, **kwargs)
        wait_for_all()

    return do
