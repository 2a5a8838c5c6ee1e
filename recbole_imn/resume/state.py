"""Everything that moves while a model is trained, as tensors and plain values."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from recbole_imn.checkpoints.loading import restore
from recbole_imn.checkpoints.values import encode_parameters, plain_copy

Values = dict[str, Any]


def model_state(trainer: Any) -> Values:
    """Give weights, optimisers and, of a model of the stream, its memories and position."""
    session = getattr(trainer.model, "session", None)
    return {
        "state_dict": trainer.model.state_dict(),
        "other_parameter": encode_parameters(trainer.model.other_parameter()),
        "optimizer": encode_parameters(trainer.optimizer.state_dict()),
        "session": session.state() if session is not None else None,
    }


def load_model_state(trainer: Any, values: Values, file: str) -> None:
    """Take back what :func:`model_state` gave.

    Raises
    ------
    CheckpointError
        If it is of another model; names the file.
    """
    restore(trainer.model, values, file)
    trainer.optimizer.load_state_dict(values["optimizer"])
    if values["session"] is not None:
        trainer.model.session.load_state(values["session"])


def score_state(trainer: Any) -> Values:
    """Give the best epoch's scores, the counter of early stopping and the losses so far."""
    return {
        "cur_step": trainer.cur_step,
        "best_valid_score": float(trainer.best_valid_score),
        "best_valid_result": plain_copy(dict(trainer.best_valid_result or {})) or None,
        "train_loss_dict": plain_copy(trainer.train_loss_dict),
    }


def load_score_state(trainer: Any, values: Values) -> None:
    """Take back what :func:`score_state` gave."""
    for name in ("cur_step", "best_valid_score", "best_valid_result", "train_loss_dict"):
        setattr(trainer, name, values[name])


def random_state() -> Values:
    """Give the global random states of Python, numpy and torch."""
    # RecBole draws from numpy's global state.
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "python": random.getstate(),
        "numpy": (name, torch.tensor(np.asarray(keys, dtype=np.int64)), *plain_copy(rest)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }


def load_random_state(values: Values) -> None:
    """Take back what :func:`random_state` gave."""
    random.setstate(values["python"])
    name, keys, *rest = values["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(values["torch"])
    if values["cuda"]:
        torch.cuda.set_rng_state_all(values["cuda"])
