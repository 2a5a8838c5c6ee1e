"""Curves of training and validation in TensorBoard and Weights & Biases.

RecBole 1.2.1 writes no metric but the one that it selects by, may lose what it wrote last,
puts the curves of all runs of a program into one folder, and hands Weights & Biases names
that its panels do not accept and losses in parts that they cannot plot.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import recbole.trainer.trainer as trainers
from recbole.utils.wandblogger import WandbLogger

from recbole_imn import compat
from recbole_imn.checkpoints import plain_config

_SCORE = 'self.tensorboard.add_scalar("Vaild_score", valid_score, epoch_idx)'
# RecBole's own spelling, kept for those who look for it.
_SCORE_TAG = "Vaild_score"


def mend() -> bool:
    """Make RecBole's trainers and its W&B logger write complete curves."""
    vars(trainers).update(write_validation=write_validation, open_board=open_board)
    call = "write_validation(self.tensorboard, valid_score, valid_result, epoch_idx)"
    for owner in (trainers.Trainer, trainers.NCLTrainer):
        compat._rewrite(owner, "fit", (_SCORE, call))
    board = ("get_tensorboard(self.logger)", "open_board(self.logger, config)")
    compat._rewrite(trainers.Trainer, "__init__", board)
    WandbLogger.setup.__globals__["plain_config"] = plain_config
    plain = ("config=self.config", 'config=plain_config(self.config)["final"]')
    compat._rewrite(WandbLogger, "setup", plain)
    WandbLogger._add_head_to_metrics = _with_head
    return True


def write_validation(board: Any, score: float, result: Mapping[str, Any], epoch: int) -> None:
    """Write every metric of a validation, and let it be seen at once.

    Parameters
    ----------
    board : torch.utils.tensorboard.SummaryWriter
    score : float
        The metric that the best epoch is chosen by.
    result : mapping of str to float
        All metrics.
    epoch : int
    """
    board.add_scalar(_SCORE_TAG, score, epoch)
    for name, value in result.items():
        board.add_scalar(f"Valid/{name}", float(value), epoch)
    board.flush()


def open_board(logger: Any, config: Any) -> Any:
    """Open a TensorBoard folder that no other run of the program writes to.

    RecBole names it after the log file, and all runs of a program share the first one's.
    """
    handlers = [handler for handler in logger.handlers if hasattr(handler, "baseFilename")]
    name = os.path.basename(handlers[0].baseFilename).split(".")[0] if handlers else ""
    if name and not os.path.exists(os.path.join("log_tensorboard", name)):
        return trainers.get_tensorboard(logger)
    name = f"{config['model']}-{config['dataset']}-{trainers.get_local_time()}"
    folder = os.path.join("log_tensorboard", name)
    number = 1
    while os.path.exists(folder):
        number += 1
        folder = os.path.join("log_tensorboard", f"{name}-{number}")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(folder)


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
