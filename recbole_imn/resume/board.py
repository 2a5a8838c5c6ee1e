"""Curves in TensorBoard that go on in their folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recbole_imn.tracking import board_folder


def continue_board(trainer: Any, name: str, epoch: int) -> None:
    """Let a trainer write into the folder of the stopped run, from an epoch on.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
    name : str
        Of the folder in ``log_tensorboard``; a folder that is gone is not made again.
    epoch : int
        What was written for it and later epochs no longer counts.
    """
    folder = board_folder(Path(name).name)
    new = Path(trainer.tensorboard.log_dir)
    if not folder.is_dir() or folder.resolve() == new.resolve():
        return
    trainer.tensorboard.close()
    events = list(new.iterdir()) if new.is_dir() else []
    if len(events) == 1:  # just opened
        events[0].unlink()
        new.rmdir()
    trainer.tensorboard = type(trainer.tensorboard)(str(folder), purge_step=epoch)
