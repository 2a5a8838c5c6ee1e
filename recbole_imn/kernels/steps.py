"""Steps of optimisers, whatever they do to a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def loss_again(closure: Callable[[], Any] | None) -> Any:
    """Compute the loss once more, with gradients, where a step is given how; None elsewhere."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


class ByTable:
    """An optimiser that takes its steps table by table."""

    param_groups: list[dict[str, Any]]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the rows that have gradients; those of a row are added up in their order.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss again and returns it.
        """
        loss = loss_again(closure)
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, weight.grad, group)
        return loss

    def _update(self, weight: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        """Take one step for one table."""
        raise NotImplementedError
