"""What an update takes from the event itself, one pass forward and one back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled


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
        _forward(*map(array, (elapsed, behaviour, weight, bias, table, out)))
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
        _backward(*map(array, (elapsed, behaviour, grad, of_by, of_bias, of_table)))
        return None, None, of_by.t(), of_bias, of_table


@compiled
def _forward(elapsed: Any, behaviour: Any, weight: Any, bias: Any, table: Any, out: Any) -> None:
    by = np.ascontiguousarray(weight.T)
    for i in range(len(out)):
        kind, time, first = behaviour[i], elapsed[i, 0], elapsed[i, 1]
        if kind < 0 or kind >= len(table):
            raise IndexError("a behaviour is not one of the table's")
        for j in range(out.shape[1]):
            out[i, j] = time * by[0, j] + first * by[1, j] + bias[j] + table[kind, j]


@compiled
def _backward(
    elapsed: Any, behaviour: Any, grad: Any, of_by: Any, of_bias: Any, of_table: Any
) -> None:
    for i in range(len(grad)):
        kind, time, first = behaviour[i], elapsed[i, 0], elapsed[i, 1]
        for j in range(grad.shape[1]):
            of_by[0, j] += time * grad[i, j]
            of_by[1, j] += first * grad[i, j]
            of_bias[j] += grad[i, j]
            of_table[kind, j] += grad[i, j]
