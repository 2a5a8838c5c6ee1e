"""Stopping a training run that diverges, with the place, the parameter and what to try.

RecBole stops at a loss that is not a number and goes on at 1e14. Here every batch's loss is
compared with that of a model that knows nothing: the logarithm of the number of items for a
ratio, or the loss before the first step, whichever is larger. In ordinary runs of any model
the largest window is below ten times that, also in those with unnormalised losses; a step
size of 1 gives thousands, of 10 hundreds of thousands and more.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from recbole.trainer import Trainer
from torch import Tensor, nn

from recbole_imn.errors import DivergenceError

# Times the loss of a model that knows nothing: of one batch, and of the mean of the latest ones.
# A single batch may have an outlier, such as a user who comes back after years.
ONE_BATCH, SEVERAL = 1e6, 1e3
LATEST = 20
# Settings by which equation (22) weighs its parts.
LOSS_WEIGHTS = ("mse_weight", "nce_weight", "user_drift_weight", "item_drift_weight")


def mend() -> None:
    """Let all trainers of RecBole watch their losses and weights (trainer/trainer.py:370)."""
    original: Callable[..., str] = Trainer._generate_train_loss_output

    @wraps(original)
    def after_epoch(self: Any, epoch_idx: int, *args: Any) -> str:
        watch_of(self).check_weights(epoch_idx)
        return original(self, epoch_idx, *args)

    Trainer._check_nan = lambda self, loss: watch_of(self).check_loss(loss)
    Trainer._generate_train_loss_output = after_epoch


def watch_of(trainer: Any) -> Watch:
    """Give the watch of a trainer; it begins with the first batch."""
    if "_divergence_watch" not in vars(trainer):
        trainer._divergence_watch = Watch(trainer)
    watch: Watch = trainer._divergence_watch
    return watch


class Watch:
    """Knows how large losses and weights were in the beginning.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
        Before its first step.
    """

    def __init__(self, trainer: Any) -> None:
        self.trainer = trainer
        self._sizes = sizes(trainer.model)
        self._reference: float | None = None
        self._latest: deque[float] = deque(maxlen=LATEST)
        self._place, self._steps = (-1, 0), 0

    def check_loss(self, loss: Tensor) -> None:
        """Look at the loss of a batch, before its step.

        Parameters
        ----------
        loss : float []

        Raises
        ------
        DivergenceError
            If it is not finite, or on a stream has exploded.
        """
        value = float(loss.detach())
        self._move()
        if not math.isfinite(value):
            raise DivergenceError(f"Training loss is {value:g} {self._where()}; {self._advice()}")
        if self._reference is None:
            self._reference = max(abs(value), self._ignorance())
        self._latest.append(abs(value))
        full = len(self._latest) == LATEST
        several = sum(self._latest) / LATEST if full else 0.0
        worst = max(abs(value) / ONE_BATCH, several / SEVERAL)
        if self.trainer.config["event_stream"] and worst > self._reference:
            raise DivergenceError(
                f"training diverged {self._where()}: the loss is {value:.3g}, and "
                f"{self._reference:.3g} for a model that knows nothing; {self._advice()}"
            )

    def check_weights(self, epoch: int) -> None:
        """Look at all weights after an epoch.

        Raises
        ------
        DivergenceError
            If one is not finite.
        """
        if not all(map(math.isfinite, sizes(self.trainer.model).values())):
            raise DivergenceError(
                f"training diverged at the end of epoch {epoch}; {self._advice()}"
            )

    def _ignorance(self) -> float:
        """Loss of a model that knows nothing, about."""
        config, model = self.trainer.config, self.trainer.model
        weighs = hasattr(model, "session")
        weights = [float(config[name] or 0.0) for name in LOSS_WEIGHTS if weighs]
        return math.log(max(getattr(model, "n_items", 0), 3)) * max([1.0, *weights])

    def _move(self) -> None:
        """Count the batches of the running epoch."""
        trainer = self.trainer
        epoch = max(trainer.train_loss_dict, default=trainer.start_epoch - 1) + 1
        batch = self._place[1] + 1 if epoch == self._place[0] else 1
        session = getattr(trainer.model, "session", None)
        if session is not None:
            # Also right where training was resumed inside an epoch.
            batch = math.ceil(session.position / trainer.config["train_batch_size"])
        self._place, self._steps = (epoch, batch), self._steps + 1

    def _where(self) -> str:
        epoch, batch = self._place
        kind = "window" if hasattr(self.trainer.model, "session") else "batch"
        return f"in {kind} {batch} of epoch {epoch}"

    def _advice(self) -> str:
        """Name the weight that blew up, and what to try."""
        name, before, now = self._worst()
        config = self.trainer.config
        if self._steps == 1 and math.isfinite(now):
            return "no step was made yet: look for extreme values among the features and times"
        others = ("table_learning_rate", "pointer_learning_rate")
        own = "".join(f" and {key} ({config[key]:g})" for key in others if config[key])
        return (
            f"{name} went from {before:.3g} to {now:.3g}; try a lower learning_rate "
            f"({config['learning_rate']:g}){own}"
        )

    def _worst(self) -> tuple[str, float, float]:
        """Give the weight that is not finite or has grown most, and its sizes."""
        now = sizes(self.trainer.model)

        def growth(name: str) -> float:
            size = now[name] / max(self._sizes.get(name, 0.0), 1e-3)
            return size if math.isfinite(size) else math.inf

        name = max(now, key=growth, default="")
        return name, self._sizes.get(name, 0.0), now.get(name, 0.0)


@torch.no_grad()
def sizes(model: nn.Module) -> dict[str, float]:
    """Give the largest absolute value of each weight of a model; nan where one is nan."""
    found = {}
    for name, weight in model.named_parameters():
        low, high = torch.aminmax(weight) if weight.numel() else (0.0, 0.0)
        # Not max(), which would lose a nan.
        found[name] = abs(float(low)) if -low > high else float(high)
    return found
