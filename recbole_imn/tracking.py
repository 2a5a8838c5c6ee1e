"""Curves of training and validation in TensorBoard and Weights & Biases.

RecBole 1.2.1 writes no metric but the one that it selects by, may lose what it wrote last,
puts the curves of all runs of a program into one folder, and hands Weights & Biases names
that its panels do not accept and losses in parts that they cannot plot.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import recbole.trainer.trainer as trainers
from recbole.utils.wandblogger import WandbLogger
from torch.utils.tensorboard import SummaryWriter

from recbole_imn.checkpoints import plain_config
from recbole_imn.errors import SettingsError

# RecBole's own spelling, kept for those who look for it.
_SCORE_TAG = "Vaild_score"


class Board(SummaryWriter):
    """A TensorBoard writer that completes the one score that RecBole writes of a validation.

    It keeps its folder when the program moves to another one: a thread writes now and then.

    Parameters
    ----------
    folder : str
    **options
        Of the writer, such as ``purge_step``.

    Attributes
    ----------
    result : mapping of str to float
        All metrics of the latest validation.
    """

    result: Mapping[str, Any] = {}

    def __init__(self, folder: str, **options: Any) -> None:
        super().__init__(os.path.abspath(folder), **options)

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: Any = None, *args: Any, **options: Any
    ) -> None:
        """Write a value; with RecBole's score, every metric of the validation."""
        if tag == _SCORE_TAG:
            write_validation(self, scalar_value, self.result, global_step)
        else:
            super().add_scalar(tag, scalar_value, global_step, *args, **options)


def mend() -> bool:
    """Make RecBole's trainers and its W&B logger write complete curves."""
    # The trainers' own constructors open a board before they know of a config.
    vars(trainers)["get_tensorboard"] = lambda logger: None
    for owner in (trainers.Trainer, trainers.DecisionTreeTrainer):
        _open_boards(owner)
    _keep_results(trainers.Trainer)
    WandbLogger.setup = _setup
    WandbLogger._add_head_to_metrics = _with_head
    return True


def _open_boards(owner: Any) -> None:
    """Let a trainer's constructor open a board of its own (trainer.py, ``__init__``)."""
    original = owner.__init__

    @wraps(original)
    def construct(self: Any, config: Any, model: Any) -> None:
        original(self, config, model)
        self.tensorboard = open_board(self.logger, config)

    owner.__init__ = construct


def _keep_results(owner: Any) -> None:
    """Let the board of a trainer know what a validation has found (trainer.py)."""
    original = owner._valid_epoch

    @wraps(original)
    def validate(self: Any, *args: Any, **kwargs: Any) -> Any:
        score, result = original(self, *args, **kwargs)
        self.tensorboard.result = result
        return score, result

    owner._valid_epoch = validate


def write_validation(board: Board, score: float, result: Mapping[str, Any], epoch: int) -> None:
    """Write every metric of a validation, and let it be seen at once.

    Parameters
    ----------
    board : Board
    score : float
        The metric that the best epoch is chosen by.
    result : mapping of str to float
        All metrics.
    epoch : int
    """
    SummaryWriter.add_scalar(board, _SCORE_TAG, score, epoch)
    for name, value in result.items():
        board.add_scalar(f"Valid/{name}", float(value), epoch)
    board.flush()


def open_board(logger: Any, config: Any) -> Board:
    """Open a TensorBoard folder that no other run of the program writes to.

    RecBole names it after the log file, and all runs of a program share the first one's.
    """
    files = [handler for handler in logger.handlers if hasattr(handler, "baseFilename")]
    name = os.path.basename(files[0].baseFilename).split(".")[0] if files else ""
    if not name or board_folder(name).exists():
        name = f"{config['model']}-{config['dataset']}-{trainers.get_local_time()}"
    folder, number = board_folder(name), 1
    while folder.exists():
        number += 1
        folder = board_folder(f"{name}-{number}")
    return Board(str(folder))


def board_folder(name: str) -> Path:
    """Give the folder of the curves of a run."""
    return Path("log_tensorboard", name)


def _setup(self: Any) -> None:
    """Start a W&B run with plain settings (wandblogger.py, ``setup``).

    Raises
    ------
    SettingsError
        If wandb is not installed.
    """
    if not self.log_wandb:
        return
    try:
        self._wandb = importlib.import_module("wandb")
    except ImportError as error:
        raise SettingsError(
            "log_wandb is True, but wandb is not installed; type: pip install wandb"
        ) from error
    if self._wandb.run is None:
        settings = plain_config(self.config)["final"]
        self._wandb.init(project=self.config.wandb_project, config=settings)
    self._set_steps()


def _with_head(self: Any, metrics: Mapping[str, Any], head: str) -> dict[str, Any]:
    """Name metrics ``head/name`` in characters that panels accept, with plain numbers."""
    named: dict[str, Any] = {}
    for name, value in metrics.items():
        plain = re.sub(r"\W", "_", name.replace("@", "_at_"))
        key = plain if "_step" in name else f"{head}/{plain}"
        if isinstance(value, tuple):
            named.update({f"{key}_{part}": float(loss) for part, loss in enumerate(value, 1)})
            value = sum(value)
        named[key] = value if isinstance(value, int) else float(value)
    return named
