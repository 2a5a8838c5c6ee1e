"""What an update takes from the event itself, one pass forward and one back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled

Weights = tuple[Tensor, Tensor, Tensor]


def event_inputs(
    elapsed: tuple[Tensor, Tensor], behaviour: Tensor, of_user: Weights, of_item: Weights
) -> Tensor:
    r"""Give :math:`W_3 \Delta + c + b` of users and items, where b is the behaviour's row.

    Parameters
    ----------
    elapsed : tuple of float32 [n, 2]
        Inputs that tell the times elapsed for user and item, standardised, and a flag; they get
        no gradient.
    behaviour : int64 [n]
    of_user, of_item : tuple of float [width, 2], float [width], float [n_behaviours, width]
        The weights W, c, and the table of b.

    Returns
    -------
    float [n, 2 * width]
        Users' side by side with items'.

    Raises
    ------
    IndexError
        If a behaviour is not one of the tables'.
    """
    since_user, since_item = (times.to(of_user[0].dtype) for times in elapsed)
    if not is_compiled(of_user[0]):
        both = ((since_user, of_user), (since_item, of_item))
        parts = [event_input_formula(times, behaviour, *weights) for times, weights in both]
        return torch.cat(parts, dim=1)
    given = (since_user, since_item, behaviour, *of_user, *of_item)
    out: Tensor = _EventInputs.apply(*given)  # type: ignore[no-untyped-call]
    return out


def event_input(
    elapsed: Tensor, behaviour: Tensor, weight: Tensor, bias: Tensor, table: Tensor
) -> Tensor:
    r"""Give :math:`W_3 \Delta + c + b`, where b is the row of the event's behaviour.

    Parameters
    ----------
    elapsed : float32 [n, 2]
        Inputs that tell the elapsed time, standardised, and a flag; they get no gradient.
    behaviour : int64 [n]
    weight : float [width, 2]
    bias : float [width]
    table : float [n_behaviours, width]

    Returns
    -------
    float [n, width]

    Raises
    ------
    IndexError
        If a behaviour is not one of the table's.
    """
    elapsed = elapsed.to(weight.dtype)
    if not is_compiled(weight):
        return event_input_formula(elapsed, behaviour, weight, bias, table)
    out: Tensor = _EventInput.apply(elapsed, behaviour, weight, bias, table)  # type: ignore[no-untyped-call]
    return out


def event_input_formula(
    elapsed: Tensor, behaviour: Tensor, weight: Tensor, bias: Tensor, table: Tensor
) -> Tensor:
    """Give :func:`event_input` as torch operations."""
    return elapsed @ weight.t() + bias + table[behaviour]


class _EventInput(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, elapsed: Tensor, behaviour: Tensor, weight: Tensor, bias: Tensor, table: Tensor
    ) -> Tensor:
        out = weight.new_empty(len(behaviour), len(bias))
        given = map(array, (elapsed, behaviour, weight, bias, table))
        arrays: Any = *given, 0, out.numpy()
        _forward(*arrays)
        ctx.save_for_backward(elapsed, behaviour)
        ctx.n_behaviours = len(table)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        elapsed, behaviour = ctx.saved_tensors
        width = grad.shape[1]
        of_by, of_bias = grad.new_zeros(2, width), grad.new_zeros(width)
        of_table = grad.new_zeros(ctx.n_behaviours, width)
        into = of_by.numpy(), of_bias.numpy(), of_table.numpy()
        arrays: Any = *map(array, (elapsed, behaviour, grad)), 0, *into
        _backward(*arrays)
        return None, None, of_by.t(), of_bias, of_table


class _EventInputs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, since_user: Tensor, since_item: Tensor, behaviour: Tensor, *weights: Tensor
    ) -> Tensor:
        width = len(weights[1])
        out = weights[0].new_empty(len(behaviour), 2 * width)
        ctx.given = array(since_user), array(since_item), array(behaviour)
        user, item, kinds = ctx.given
        w1, c1, b1, w2, c2, b2 = map(array, weights)
        _forward(user, kinds, w1, c1, b1, 0, out.numpy())
        _forward(item, kinds, w2, c2, b2, width, out.numpy())
        ctx.n_behaviours = len(b1), len(b2)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        user, item, kinds = ctx.given
        width, values = grad.shape[1] // 2, array(grad)
        found: list[Tensor] = []
        for side, elapsed in enumerate((user, item)):
            of_by, of_bias = grad.new_zeros(2, width), grad.new_zeros(width)
            of_table = grad.new_zeros(ctx.n_behaviours[side], width)
            into = of_by.numpy(), of_bias.numpy(), of_table.numpy()
            _backward(elapsed, kinds, values, side * width, *into)
            found += [of_by.t(), of_bias, of_table]
        return None, None, None, *found


@compiled
def _forward(
    elapsed: Any, behaviour: Any, weight: Any, bias: Any, table: Any, start: int, out: Any
) -> None:
    by = np.ascontiguousarray(weight.T)
    for i in range(len(out)):
        kind, time, first = behaviour[i], elapsed[i, 0], elapsed[i, 1]
        if kind < 0 or kind >= len(table):
            raise IndexError("a behaviour is not one of the table's")
        row = out[i, start:]
        for j in range(len(bias)):
            row[j] = time * by[0, j] + first * by[1, j] + bias[j] + table[kind, j]


@compiled
def _backward(
    elapsed: Any, behaviour: Any, grad: Any, start: int, of_by: Any, of_bias: Any, of_table: Any
) -> None:
    for i in range(len(grad)):
        kind, time, first = behaviour[i], elapsed[i, 0], elapsed[i, 1]
        row = grad[i, start:]
        for j in range(len(of_bias)):
            of_by[0, j] += time * row[j]
            of_by[1, j] += first * row[j]
            of_bias[j] += row[j]
            of_table[kind, j] += row[j]
