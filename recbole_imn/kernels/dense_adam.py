"""Adam for many small weights: a step is one call, not a round of Python a weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recbole_imn.kernels.steps import loss_again


@dataclass(frozen=True)
class _Batch:
    """Weights that one call updates, and their states.

    Attributes
    ----------
    weights, means, squares : list of Tensor
    counts : float32 [n_weights]
        Steps so far.
    steps : list of float32 []
        Views of them.
    """

    weights: list[Tensor]
    means: list[Tensor]
    squares: list[Tensor]
    counts: Tensor
    steps: list[Tensor]


class DenseAdam(torch.optim.Adam):
    """What torch's fused Adam (or AdamW) computes, bit for bit.

    A step of torch's first makes lists of all weights and their states; for small weights
    that takes longer than the numbers. Here the lists are made once, and again when other
    weights have gradients than at the step before. Weights without a gradient do not change,
    and the step does not count for them. The saved state is that of torch's, either way.

    Parameters
    ----------
    params, lr, betas, eps, weight_decay, decoupled_weight_decay
        As of :class:`torch.optim.Adam`; its other options are not offered.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        # By number of the group: which weights have gradients, and how they are updated.
        self._made: dict[int, tuple[list[bool], list[_Batch]]] = {}
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            fused=True,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    @classmethod
    def instead_of(cls, other: torch.optim.Adam) -> DenseAdam:
        """Give one with the weights and options of another, which has made no step."""
        options = ("lr", "betas", "eps", "weight_decay", "decoupled_weight_decay")
        kept = ("params", *options)
        groups = [{name: group[name] for name in kept} for group in other.param_groups]
        return cls(groups, **{name: other.defaults[name] for name in options})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a state, loaded or unpickled."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._made = {}

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the weights that have gradients.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss again and returns it.
        """
        loss = loss_again(closure)
        for number, group in enumerate(self.param_groups):
            given = [weight.grad is not None for weight in group["params"]]
            made = self._made.get(number)
            if made is None or made[0] != given:
                made = self._made[number] = given, list(self._batches(group, given))
            for batch in made[1]:
                _update(batch, group)
        return loss

    def _batches(self, group: dict[str, Any], given: list[bool]) -> Iterator[_Batch]:
        """Make lists of the weights with gradients, one batch a device and type of numbers."""
        alike: dict[Any, list[Tensor]] = {}
        for weight, has_gradient in zip(group["params"], given, strict=True):
            if has_gradient:
                alike.setdefault((weight.device, weight.dtype), []).append(weight)
        for weights in alike.values():
            states = [self._state(weight) for weight in weights]
            on = {"device": weights[0].device, "dtype": torch.float32}
            counts = torch.stack([state["step"].to(**on) for state in states])
            steps = list(counts.unbind())
            for state, step in zip(states, steps, strict=True):
                state["step"] = step
            means, squares = ([state[name] for state in states] for name in _MOMENTS)
            yield _Batch(weights, means, squares, counts, steps)

    def _state(self, weight: Tensor) -> dict[str, Any]:
        """Give the state of a weight, begun where there is none."""
        state: dict[str, Any] = self.state[weight]
        if not state:
            state["step"] = torch.zeros((), device=weight.device)
            for name in _MOMENTS:
                state[name] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        return state


_MOMENTS = ("exp_avg", "exp_avg_sq")


def _update(batch: _Batch, group: dict[str, Any]) -> None:
    """Take one step for the weights of a batch."""
    grads = [weight.grad for weight in batch.weights if weight.grad is not None]
    batch.counts.add_(1)
    beta1, beta2 = group["betas"]
    update = torch._fused_adamw_ if group["decoupled_weight_decay"] else torch._fused_adam_
    update(
        batch.weights,
        grads,
        batch.means,
        batch.squares,
        [],
        batch.steps,
        lr=group["lr"],
        beta1=beta1,
        beta2=beta2,
        weight_decay=group["weight_decay"],
        eps=group["eps"],
        amsgrad=False,
        maximize=False,
    )
