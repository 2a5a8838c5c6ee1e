"""Training of models whose loss is a mean over rows, a part of each batch in every process.

``train_batch_size`` is that of all processes together. Each of them makes the whole batch (the
same shuffles, the same negatives) and computes the loss of its part of the rows; torch's
``DistributedDataParallel`` sums the gradients, weighed by rows, while they are computed. All take
the same step then, which is that of one process up to the order of sums.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from recbole_imn.distributed.dropout import masks_of_whole_batch
from recbole_imn.errors import SettingsError
from recbole_imn.processes.group import exchange_of, group
from recbole_imn.processes.rows import own_share, total

Loss = Callable[[Any], Any]
# By so much the loss of a batch may differ from the mean over the parts' rows, relatively.
TOLERANCE = 1e-5


class ByRows:
    """The loss of a batch, of which each process computes a part.

    Parameters
    ----------
    model : nn.Module
    name : str
        Of the model, for messages.
    """

    def __init__(self, model: nn.Module, name: str) -> None:
        self.model, self.name = model, name
        self._parallel: DistributedDataParallel | None = None

    def loss(self, loss_func: Loss) -> Loss:
        """Give a loss function that has the value of the batch and the gradient of a part.

        Its first batch, of an epoch, is looked at as a whole as well.
        """
        is_checked = False

        def shared(interaction: Any) -> Any:
            nonlocal is_checked
            part = Part(len(interaction))
            if not is_checked:
                # Of weights that know nothing, rows have much the same loss.
                self._check(loss_func, interaction, part)
                is_checked = True
            if self._parallel is None:
                self._parallel = self._wrapped(loss_func, interaction, part)
            with masks_of_whole_batch(part.rows, part.n):
                losses = self._parallel(loss_func, interaction[part.rows])
            if isinstance(losses, tuple):
                return tuple(_weighed(loss, part.weight) for loss in losses)
            return _weighed(losses, part.weight)

        return shared

    def _check(self, loss_func: Loss, interaction: Any, part: Part) -> None:
        """Refuse a loss that is no mean over rows: processes would train on another one.

        Raises
        ------
        SettingsError
        """
        with torch.no_grad():
            with _same_random_state():
                whole = _sum(loss_func(interaction))
            with _same_random_state(), masks_of_whole_batch(part.rows, part.n):
                own = part.weight * _sum(loss_func(interaction[part.rows]))
        mean = float(total(own))
        if abs(float(whole) - mean) > TOLERANCE * max(abs(float(whole)), 1.0):
            raise SettingsError(
                f"the loss of {self.name} is no mean over the rows of a batch (its first one has "
                f"{float(whole):.6g}, and {mean:.6g} in {group().size} parts), so that several "
                "processes would train on another loss; train it on one process"
            )

    def _wrapped(self, loss_func: Loss, interaction: Any, part: Part) -> DistributedDataParallel:
        """Give the model as torch trains it on several processes."""
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        with _same_random_state(), masks_of_whole_batch(part.rows, part.n):
            loss = _sum(loss_func(interaction[part.rows]))
            found = torch.autograd.grad(loss, weights, allow_unused=True)
        parallel = DistributedDataParallel(
            _LossOf(self.model),
            process_group=exchange_of(loss.device),
            find_unused_parameters=any(gradient is None for gradient in found),
        )
        # torch reads annotations of a hook, which are texts here.
        hook = lambda exchange, bucket: _sum_over_processes(exchange, bucket)  # noqa: E731
        parallel.register_comm_hook(exchange_of(loss.device), hook)
        return parallel


class Part:
    """The rows of a batch that this process computes.

    Parameters
    ----------
    n : int
        Rows of the batch.

    Attributes
    ----------
    rows : slice
        One of no weight where there are fewer rows than processes: somebody waits for its zeros.
    weight : float
        Their share of the batch.
    """

    def __init__(self, n: int) -> None:
        self.n, self.rows = n, own_share(n)
        self.weight = (self.rows.stop - self.rows.start) / n
        if not self.weight:
            self.rows = slice(0, 1)


class _LossOf(nn.Module):
    """A model whose forward pass is its loss, as torch's wrapper wants it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, loss_func: Loss, interaction: Any) -> Any:
        return loss_func(interaction)


class _Weighed(torch.autograd.Function):
    """The loss of the whole batch, with the gradient of the part."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return total(loss * weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.weight, None


def _weighed(loss: Tensor, weight: float) -> Tensor:
    weighed: Tensor = _Weighed.apply(loss, weight)  # type: ignore[no-untyped-call]
    return weighed


def _sum_over_processes(exchange: Any, bucket: Any) -> Any:
    """Sum a bucket of gradients: they are weighed already."""
    work = distributed.all_reduce(bucket.buffer(), group=exchange, async_op=True)
    return work.get_future().then(lambda future: future.value()[0])


def _sum(losses: Any) -> Tensor:
    whole: Any = sum(losses) if isinstance(losses, tuple) else losses
    return cast(Tensor, whole)


@contextmanager
def _same_random_state() -> Iterator[None]:
    """Put random states back afterwards."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng():
        yield
    random.setstate(python)
    np.random.set_state(numpy)  # noqa: NPY002
