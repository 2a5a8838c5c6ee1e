"""A loss of which each process computes a part: one exchange for its value and all gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.processes.group import group
from recbole_imn.processes.rows import total

Part = Callable[[list[Tensor]], Tensor]


def loss_of_parts(
    part: Part,
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    wanted: Sequence[Tensor | None],
    apart: Sequence[Tensor] = (),
    meanwhile: Callable[[], None] | None = None,
) -> Tensor:
    """Give the sum of a loss over all processes, with the gradients of the sum in each of them.

    Gradients of the own part are computed at once, and summed with those of the others, and
    with the loss, as one flat tensor. A later backward pass goes on from there: what lies
    before the inputs is computed by every process, from the same bits.

    Parameters
    ----------
    part : callable
        Gives the loss of this process, float [], of the inputs. Whatever else it depends on, and
        that learns, is among the weights.
    inputs : sequence of float tensor
        The same in all processes.
    weights : sequence of float tensor
        Leaves, the same in all processes. What no process uses gets no gradient.
    wanted : sequence of int64 [n] or None
        Rows of each input whose gradient somebody wants; None for all. Others get zeros.
    apart : sequence of float tensor
        Leaves that the loss must not depend on but by the inputs.
    meanwhile : callable, optional
        Done while gradients are on their way.

    Returns
    -------
    float []

    Raises
    ------
    ValueError
        If it depends on one of them: the gradient of the other processes would be missing.
    """
    learn = [values.requires_grad for values in inputs]
    with torch.enable_grad():
        given = [
            values.detach().requires_grad_(learns)
            for values, learns in zip(inputs, learn, strict=True)
        ]
        loss = part(given)
        leaves = [values for values in [*given, *weights] if values.requires_grad]
        others = [values for values in apart if values.requires_grad]
        found = torch.autograd.grad(loss, [*leaves, *others], allow_unused=True)
    _require_none(found[len(leaves) :], others)
    rows = [some for some, learns in zip(wanted, learn, strict=True) if learns]
    rows += [None] * (len(leaves) - len(rows))
    packed = _packed(loss.detach(), leaves, found[: len(leaves)], rows)
    summed = total(packed, meanwhile)
    reached = [values for values in [*inputs, *weights] if values.requires_grad]
    whole: Tensor = _OfAll.apply(summed, rows, *reached)  # type: ignore[no-untyped-call]
    return whole


def _require_none(gradients: Sequence[Tensor | None], leaves: Sequence[Tensor]) -> None:
    for gradient, leaf in zip(gradients, leaves, strict=True):
        if gradient is not None:
            raise ValueError(
                f"the loss of rows reads a table of shape {list(leaf.shape)} by itself, which "
                f"{group().size} processes cannot share; let the read method of its term read it"
            )


class _OfAll(torch.autograd.Function):
    """The loss of all processes, with the gradients that were found beside it."""

    @staticmethod
    def forward(
        ctx: Any, summed: Tensor, rows: Sequence[Tensor | None], *reached: Tensor
    ) -> Tensor:
        ctx.summed, ctx.rows = summed, rows
        ctx.shapes = [values.shape for values in reached]
        return summed[0].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, *_unpacked(ctx.summed, grad, ctx.shapes, ctx.rows)


def _packed(
    loss: Tensor,
    leaves: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    rows: Sequence[Tensor | None],
) -> Tensor:
    """Give the loss, whether each gradient is there, and the gradients, float [n]."""
    there = loss.new_tensor([gradient is not None for gradient in gradients])
    parts = [loss.reshape(1), there]
    for leaf, gradient, some in zip(leaves, gradients, rows, strict=True):
        found = torch.zeros_like(leaf) if gradient is None else gradient
        parts.append((found if some is None else found.index_select(0, some)).reshape(-1))
    return torch.cat(parts)


def _unpacked(
    packed: Tensor, factor: Tensor, shapes: Sequence[torch.Size], rows: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """Give the gradients, multiplied by a factor; None where no process had one."""
    n = len(shapes)
    there = packed[1 : n + 1].tolist()
    values = packed[n + 1 :] * factor
    sizes = [
        shape.numel() if some is None else len(some) * shape[1:].numel()
        for shape, some in zip(shapes, rows, strict=True)
    ]
    found: list[Tensor | None] = []
    parts = zip(values.split(sizes), shapes, rows, there, strict=True)
    for part, shape, some, is_there in parts:
        found.append(_placed(part, shape, some) if is_there else None)
    return found


def _placed(part: Tensor, shape: torch.Size, rows: Tensor | None) -> Tensor:
    """Give a gradient its shape, with zeros where nobody wants it."""
    if rows is None:
        return part.view(shape)
    return part.new_zeros(shape).index_copy_(0, rows, part.view(len(rows), *shape[1:]))
