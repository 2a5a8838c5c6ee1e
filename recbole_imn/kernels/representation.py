"""Representations of items: conditioned states beside static embeddings of unit length."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import (
    SHORTEST,
    SOFTENING,
    array,
    condition_rows,
    is_compiled,
    unit,
)
from recbole_imn.kernels.in_parallel import in_parallel, threads_for


def join(states: Tensor, rows: Tensor, centre: Tensor, embedded: Tensor) -> Tensor:
    """Give ``[condition_rows(states, rows, centre), unit(embedded)]`` in one pass.

    Parameters
    ----------
    states : float [m, stored]
        Of which the first ``d`` columns are read.
    rows : int64 [n]
        Rows of ``states``; one may occur more than once.
    centre : float [d]
    embedded : float [n, width]

    Returns
    -------
    float [n, d + width]

    Raises
    ------
    IndexError
        If a row is not one of ``states``.
    """
    if not is_compiled(states):
        return join_formula(states, rows, centre, embedded)
    out: Tensor = _Join.apply(states, rows, centre, embedded)  # type: ignore[no-untyped-call]
    return out


def join_formula(states: Tensor, rows: Tensor, centre: Tensor, embedded: Tensor) -> Tensor:
    """Give :func:`join` as two operations."""
    return torch.cat([condition_rows(states, rows, centre), unit(embedded)], dim=1)


class _Join(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, rows: Tensor, centre: Tensor, embedded: Tensor) -> Tensor:
        n, width = len(rows), len(centre)
        out = states.new_empty(n, width + embedded.shape[1])
        scales = states.new_empty(n, 2)
        _join(threads_for(n), *map(array, (states, rows, centre, embedded, out, scales)))
        ctx.save_for_backward(rows, out, scales)
        ctx.shape, ctx.width = states.shape, width
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, out, scales = ctx.saved_tensors
        of_states, of_centre = grad.new_zeros(ctx.shape), grad.new_zeros(ctx.width)
        of_embedded = grad.new_empty(len(rows), out.shape[1] - ctx.width)
        gradients = of_states, of_centre, of_embedded
        _join_back(threads_for(len(rows)), *map(array, (rows, out, scales, grad, *gradients)))
        return of_states, None, of_centre, of_embedded


@compiled
def _join_rows(
    first: int,
    last: int,
    states: Any,
    rows: Any,
    centre: Any,
    embedded: Any,
    out: Any,
    scales: Any,
) -> None:
    width, n_embedded = len(centre), embedded.shape[1]
    # Slices, whose indices begin at 0, let loops be vectorised.
    rows, embedded = rows[first:last], embedded[first:last]
    out, scales = out[first:last], scales[first:last]
    one = out.dtype.type(1)
    softening, shortest = out.dtype.type(SOFTENING), out.dtype.type(SHORTEST)
    for i in range(len(rows)):
        row = rows[i]
        if row < 0 or row >= len(states):
            raise IndexError("a row is not one of the states")
        square = softening
        for j in range(width):
            away = states[row, j] - centre[j]
            square += away * away
        scale = one / np.sqrt(square)
        for j in range(width):
            out[i, j] = (states[row, j] - centre[j]) * scale
        square = out.dtype.type(0)
        for j in range(n_embedded):
            square += embedded[i, j] * embedded[i, j]
        length = one / max(np.sqrt(square), shortest)
        for j in range(n_embedded):
            out[i, width + j] = embedded[i, j] * length
        scales[i, 0], scales[i, 1] = scale, length


_join_all = in_parallel(_join_rows)


@compiled
def _join(
    threads: int,
    states: Any,
    rows: Any,
    centre: Any,
    embedded: Any,
    out: Any,
    scales: Any,
) -> None:
    _join_all(threads, len(rows), (states, rows, centre, embedded, out, scales))


@compiled
def _embedded_back(
    first: int, last: int, width: int, out: Any, scales: Any, grad: Any, along: Any, of: Any
) -> None:
    """Write the gradients of embeddings, and how far each row's gradient lies along it."""
    n_embedded = of.shape[1]
    out, scales, grad = out[first:last], scales[first:last], grad[first:last]
    along, of = along[first:last], of[first:last]
    for i in range(len(out)):
        total = out.dtype.type(0)
        for j in range(width):
            total += grad[i, j] * out[i, j]
        along[i] = total
        total, length = out.dtype.type(0), scales[i, 1]
        for j in range(n_embedded):
            total += grad[i, width + j] * out[i, width + j]
        for j in range(n_embedded):
            of[i, j] = length * (grad[i, width + j] - total * out[i, width + j])


@compiled
def _states_back(
    first: int,
    last: int,
    rows: Any,
    out: Any,
    scales: Any,
    grad: Any,
    along: Any,
    of_states: Any,
    of_centre: Any,
) -> None:
    """Add to some columns of the gradients: a state may be read by several rows."""
    of_centre = of_centre[first:last]
    for i in range(len(rows)):
        scale, total = scales[i, 0], along[i]
        # Slices of rows are known to lie without gaps.
        given, made = grad[i][first:last], out[i][first:last]
        of_state = of_states[rows[i]][first:last]
        for j in range(len(of_centre)):
            # d out / d away = scale (1 - out out^T).
            slope = scale * (given[j] - total * made[j])
            of_state[j] += slope
            of_centre[j] -= slope


_all_embedded_back, _all_states_back = map(in_parallel, (_embedded_back, _states_back))


@compiled
def _join_back(
    threads: int,
    rows: Any,
    out: Any,
    scales: Any,
    grad: Any,
    of_states: Any,
    of_centre: Any,
    of_embedded: Any,
) -> None:
    n, width, along = len(rows), len(of_centre), np.empty(len(rows), out.dtype)
    _all_embedded_back(threads, n, (width, out, scales, grad, along, of_embedded))
    _all_states_back(threads, width, (rows, out, scales, grad, along, of_states, of_centre))
