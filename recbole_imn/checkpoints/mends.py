"""Checkpoints of RecBole's trainers as plain values under a checksum, and nothing else read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

from recbole_imn.checkpoints import guards, ids
from recbole_imn.checkpoints.ids import IDS, MODEL_IDS
from recbole_imn.checkpoints.loading import (
    load_checkpoint,
    load_data_and_model,
    load_other_parameter,
    restore,
)
from recbole_imn.checkpoints.sealed import CHECKPOINT, NO_RUN, write_sealed
from recbole_imn.checkpoints.values import encode_parameters, plain_config


def install() -> bool:
    """Let RecBole write and read checkpoints through this package only."""
    trainers: Any = import_module("recbole.trainer.trainer")
    trainers.get_local_time = _own_time(trainers.get_local_time)
    trainers.Trainer._save_checkpoint = save_checkpoint
    trainers.Trainer.resume_checkpoint = resume_checkpoint
    trainers.Trainer.evaluate = _evaluate(trainers.Trainer.evaluate)
    trainers.PretrainTrainer.save_pretrained_model = save_pretrained_model
    trainers.DecisionTreeTrainer._save_checkpoint = save_tree_checkpoint
    models = import_module("recbole.model.abstract_recommender")
    models.AbstractRecommender.load_other_parameter = load_other_parameter
    for name in ("recbole.quick_start.quick_start", "recbole.quick_start"):
        vars(import_module(name))["load_data_and_model"] = load_data_and_model
    guards.install()
    ids.install()
    return True


def _own_time(local_time: Callable[[], str]) -> Callable[[], str]:
    """Let runs that start in the same second write to files of their own (trainer.py:131)."""

    @wraps(local_time)
    def own_time() -> str:
        return f"{local_time()}-{uuid4().hex[:4]}"

    return own_time


def save_checkpoint(self: Any, epoch: int, verbose: bool = True, **kwargs: Any) -> None:
    """Store a trainer's model and what training needs (trainer.py:288).

    Parameters
    ----------
    epoch : int
        The present epoch, from 0.
    verbose : bool
        Whether to log the file's name.
    **kwargs
        ``saved_model_file``, another file than the trainer's own.
    """
    if not self.config["single_spec"] and self.config["local_rank"] != 0:
        return
    file = kwargs.pop("saved_model_file", self.saved_model_file)
    values = {
        **_values(self, epoch),
        "cur_step": self.cur_step,
        "best_valid_score": float(self.best_valid_score),
    }
    write_sealed(Path(file), values, CHECKPOINT, getattr(self, "run_id", NO_RUN))
    if verbose:
        self.logger.info(f"Saving current: {file}")


def save_pretrained_model(self: Any, epoch: int, saved_model_file: str | Path) -> None:
    """Store a model after its first stage (trainer.py:753)."""
    write_sealed(Path(saved_model_file), _values(self, epoch), CHECKPOINT)
    self.saved_model_file = saved_model_file


def save_tree_checkpoint(self: Any, epoch: int) -> None:
    """Store where a library of decision trees has put its model (trainer.py:984)."""
    values = {
        "config": plain_config(self.config),
        "epoch": epoch,
        "cur_step": self.cur_step,
        "best_valid_score": float(self.best_valid_score),
        "state_dict": self.temp_best_file,
        "other_parameter": None,
    }
    write_sealed(Path(self.saved_model_file), values, CHECKPOINT)


def _values(trainer: Any, epoch: int) -> dict[str, Any]:
    return {
        "config": plain_config(trainer.config),
        "epoch": epoch,
        "state_dict": trainer.model.state_dict(),
        IDS: getattr(trainer.model, MODEL_IDS, ""),
        "other_parameter": encode_parameters(trainer.model.other_parameter()),
        # Holds the learning rate, which may be a number of numpy.
        "optimizer": encode_parameters(trainer.optimizer.state_dict()),
    }


def resume_checkpoint(self: Any, resume_file: str | Path) -> None:
    """Begin with the weights and the optimiser of a checkpoint (trainer.py:312).

    A checkpoint is the best epoch, without a random state: figures are not those of a run
    without a break. The setting ``resume: True`` goes on with a stopped run exactly.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint of this model with these settings and data.
    """
    checkpoint = load_checkpoint(resume_file)
    restore(self.model, checkpoint, resume_file)
    self.optimizer.load_state_dict(checkpoint["optimizer"])
    self.saved_model_file = str(resume_file)
    self.start_epoch = checkpoint["epoch"] + 1
    self.cur_step, self.best_valid_score = checkpoint["cur_step"], checkpoint["best_valid_score"]
    self.logger.warning(
        f"training begins with the best epoch in {resume_file}; its figures will not be those of "
        "a run without a break, which the setting resume: True gives"
    )


def _evaluate(original: Any) -> Any:
    """Load the best model through the reader that checks it (trainer.py:562)."""

    @wraps(original)
    def evaluate(
        self: Any,
        eval_data: Any,
        load_best_model: bool = True,
        model_file: str | Path | None = None,
        show_progress: bool = False,
    ) -> Any:
        if eval_data and load_best_model:
            file = model_file or self.saved_model_file
            restore(self.model, load_checkpoint(file), file)
            self.logger.info(f"Loading model structure and parameters from {file}")
        return original(self, eval_data, load_best_model=False, show_progress=show_progress)

    return evaluate
