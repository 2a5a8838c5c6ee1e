"""Training by several processes, all of which take the same steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from recbole.trainer import Trainer
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from recbole_imn import own_models
from recbole_imn.distributed.by_rows import ByRows
from recbole_imn.errors import DifferentWeightsError, SettingsError
from recbole_imn.processes.group import group, in_step
from recbole_imn.processes.rows import join_numbered


def install() -> None:
    """Let all trainers train on several processes (trainer/trainer.py:59, :185, :363)."""
    Trainer.__init__ = _construct(Trainer.__init__)
    Trainer._train_epoch = _train_epoch(Trainer._train_epoch)


def _construct(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if group().is_several:
            _check(self)

    return construct


def _train_epoch(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def train_epoch(
        self: Any,
        train_data: Any,
        epoch_idx: int,
        loss_func: Callable[[Any], Any] | None = None,
        show_progress: bool = False,
    ) -> Any:
        if not group().is_several:
            return original(self, train_data, epoch_idx, loss_func, show_progress)
        if _is_by_rows(self):
            loss_func = _rows_of(self).loss(loss_func or self.model.calculate_loss)
        with in_step():
            losses = original(self, train_data, epoch_idx, loss_func, show_progress)
        require_same_weights(self.model, epoch_idx)
        return losses

    return train_epoch


def _is_by_rows(trainer: Any) -> bool:
    """Whether a model learns from rows that do not depend on each other.

    Models of the stream do not: every process plays the whole stream.
    """
    return not own_models.is_played(trainer.config["model"])


def _rows_of(trainer: Any) -> ByRows:
    if "_by_rows" not in vars(trainer):
        trainer._by_rows = ByRows(trainer.model, trainer.config["model"])
    rows: ByRows = trainer._by_rows
    return rows


def _check(trainer: Any) -> None:
    """Refuse what several processes would train otherwise than one.

    Raises
    ------
    SettingsError
    """
    name, size = trainer.config["model"], group().size
    if not _is_by_rows(trainer):
        return
    if type(trainer).fit is not Trainer.fit:
        raise SettingsError(
            f"{name} has a training of its own ({type(trainer).__name__}), which {size} processes "
            "cannot share; train it on one process"
        )
    if any(isinstance(module, _BatchNorm) for module in trainer.model.modules()):
        raise SettingsError(
            f"{name} normalises by the statistics of a batch, of which each of {size} processes "
            "would have others; train it on one process"
        )


@torch.no_grad()
def require_same_weights(model: nn.Module, epoch: int) -> None:
    """See that all processes have come to the same weights, bit for bit.

    Raises
    ------
    DifferentWeightsError
        With the first weight that differs.
    """
    names = [name for name, _ in model.named_parameters()]
    own = [_digest(weight) for weight in model.parameters()]
    first, *others = join_numbered({group().rank: own})
    for rank, digests in enumerate(others, 1):
        for name, one, other in zip(names, first, digests, strict=True):
            if one != other:
                raise DifferentWeightsError(
                    f"after epoch {epoch}, process {rank} has other weights ({name}) than process "
                    "0: their machines or their libraries compute differently; use equal ones"
                )


def _digest(weight: Tensor) -> tuple[int, int]:
    """Give two numbers that change where a bit of a weight does."""
    numbers = weight.detach().contiguous().view(-1).view(torch.uint8).to(torch.int64)
    places = torch.arange(1, len(numbers) + 1, device=numbers.device) % 65521
    return int(numbers.sum()), int((numbers * places).sum())
