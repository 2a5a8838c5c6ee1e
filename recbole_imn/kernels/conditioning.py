"""Elementwise layers over rows of states, each one pass forward and one pass back.

Windows are small: as a dozen torch operations these layers cost more for the calls than for
the numbers. Each row is computed by the same code, whatever rows are computed with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from recbole_imn.kernels.compiled import compiled

# Square of a length that counts as none; states are about 1 apart.
SOFTENING = 1e-3
# Stands for all rows, one after the other.
ALL_ROWS = np.empty(0, np.int64)
# Length that counts as none where nothing is softened, as in torch.nn.functional.normalize.
SHORTEST = 1e-12


def is_compiled(values: Tensor) -> bool:
    """Whether there are compiled loops for a tensor's device and numbers."""
    return values.device.type == "cpu" and values.dtype in (torch.float32, torch.float64)


def array(values: Tensor) -> Any:
    """Give the numbers of a tensor as a contiguous array, without a copy if they are one."""
    # One layout: another would be compiled to other code, which may round differently.
    return (values.detach() if values.requires_grad else values).contiguous().numpy()


# -- projection ----------------------------------------------------------------------------


def project(states: Tensor, rows: Tensor, elapsed: Tensor, drift: Tensor) -> Tensor:
    r"""Project rows of states to the present: :math:`(1 + W_t \Delta) \odot h`, (7)-(10).

    Parameters
    ----------
    states : float [m, stored]
        States, of which the first ``d`` columns are read.
    rows : int64 [n]
        Rows of ``states``; one may occur more than once.
    elapsed : float32 [n, 2]
        Inputs that tell the elapsed time, standardised, and a flag; they get no gradient.
    drift : float [d, 2]
        The weight :math:`W_t`.

    Returns
    -------
    float [n, d]

    Raises
    ------
    IndexError
        If a row is not one of ``states``.
    ValueError
        If shapes do not agree.
    """
    elapsed = elapsed.detach().to(states.dtype)
    if not is_compiled(states):
        return project_formula(states, rows, elapsed, drift)
    out: Tensor = _Project.apply(states, rows, elapsed, drift)  # type: ignore[no-untyped-call]
    return out


def project_formula(states: Tensor, rows: Tensor, elapsed: Tensor, drift: Tensor) -> Tensor:
    """Give :func:`project` as torch operations."""
    return states[rows, : len(drift)] * (1 + elapsed @ drift.t())


class _Project(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, rows: Tensor, elapsed: Tensor, drift: Tensor) -> Tensor:
        ctx.save_for_backward(states, rows, elapsed, drift)
        out = states.new_empty(len(rows), len(drift))
        _project(array(states), array(rows), array(elapsed), array(drift), out.numpy())
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        states, rows, elapsed, drift = ctx.saved_tensors
        of_states, of_drift = states.new_zeros(states.shape), torch.zeros_like(drift)
        _project_back(*map(array, (states, rows, elapsed, drift, grad, of_states, of_drift)))
        return of_states, None, None, of_drift


@compiled
def _project(states: Any, rows: Any, elapsed: Any, drift: Any, out: Any) -> None:
    n, width = out.shape
    if states.shape[1] < width or len(elapsed) != n:
        raise ValueError("shapes of states, elapsed times and drift do not agree")
    one = out.dtype.type(1)
    by = np.ascontiguousarray(drift.T)
    for i in range(n):
        row, time, first = rows[i], elapsed[i, 0], elapsed[i, 1]
        if row < 0 or row >= len(states):
            raise IndexError("a row is not one of the states")
        for j in range(width):
            out[i, j] = states[row, j] * (one + time * by[0, j] + first * by[1, j])


@compiled
def _project_back(
    states: Any, rows: Any, elapsed: Any, drift: Any, grad: Any, of_states: Any, of_drift: Any
) -> None:
    n, width = grad.shape
    one = grad.dtype.type(1)
    by = np.ascontiguousarray(drift.T)
    of_by = np.zeros_like(by)
    for i in range(n):
        row, time, first = rows[i], elapsed[i, 0], elapsed[i, 1]
        for j in range(width):
            moved = grad[i, j] * states[row, j]
            of_states[row, j] += grad[i, j] * (one + time * by[0, j] + first * by[1, j])
            of_by[0, j] += moved * time
            of_by[1, j] += moved * first
    of_drift[:] = of_by.T


# -- conditioning --------------------------------------------------------------------------


def condition(values: Tensor, centre: Tensor) -> Tensor:
    r"""Centre states and scale them to about unit length.

    .. math:: \frac{h - c}{\sqrt{|h - c|^2 + \epsilon}}

    Parameters
    ----------
    values : float [n, d]
    centre : float [d]

    Returns
    -------
    float [n, d]
    """
    if not is_compiled(values):
        return condition_formula(values, centre)
    out: Tensor = _Condition.apply(values, None, centre)  # type: ignore[no-untyped-call]
    return out


def condition_rows(states: Tensor, rows: Tensor, centre: Tensor) -> Tensor:
    """Condition rows of states without a copy of them; their gradients add up in the states.

    Parameters
    ----------
    states : float [m, stored]
        States, of which the first ``d`` columns are read.
    rows : int64 [n]
        Rows of ``states``; one may occur more than once.
    centre : float [d]

    Returns
    -------
    float [n, d]

    Raises
    ------
    IndexError
        If a row is not one of ``states``.
    """
    if not is_compiled(states):
        return condition_formula(states[rows, : len(centre)], centre)
    out: Tensor = _Condition.apply(states, rows, centre)  # type: ignore[no-untyped-call]
    return out


def condition_formula(values: Tensor, centre: Tensor) -> Tensor:
    """Give :func:`condition` as torch operations."""
    away = values - centre
    # Softened: the length of a state at the centre has no gradient of use.
    return away * torch.rsqrt(away.square().sum(dim=-1, keepdim=True) + SOFTENING)


class _Condition(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, rows: Tensor | None, centre: Tensor) -> Tensor:
        out = states.new_empty(len(states) if rows is None else len(rows), len(centre))
        values = out.numpy()
        ctx.rows = ALL_ROWS if rows is None else array(rows)
        ctx.scale = np.empty(len(values), values.dtype)
        _condition(array(states), ctx.rows, array(centre), values, ctx.scale)
        ctx.save_for_backward(out)
        ctx.shape = states.shape
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (out,) = ctx.saved_tensors
        of_states, of_centre = grad.new_zeros(ctx.shape), grad.new_zeros(out.shape[1])
        given = array(out), ctx.scale, array(grad)
        _condition_back(ctx.rows, *given, of_states.numpy(), of_centre.numpy())
        return of_states, None, of_centre


@compiled
def _condition(states: Any, rows: Any, centre: Any, out: Any, scale: Any) -> None:
    n, width = out.shape
    if states.shape[1] < width:
        raise ValueError("states have fewer columns than the centre")
    one = out.dtype.type(1)
    for i in range(n):
        row = rows[i] if len(rows) else i
        if row < 0 or row >= len(states):
            raise IndexError("a row is not one of the states")
        square = out.dtype.type(SOFTENING)
        for j in range(width):
            away = states[row, j] - centre[j]
            square += away * away
        scale[i] = one / np.sqrt(square)
        for j in range(width):
            out[i, j] = (states[row, j] - centre[j]) * scale[i]


@compiled
def _condition_back(
    rows: Any, out: Any, scale: Any, grad: Any, of_states: Any, of_centre: Any
) -> None:
    n, width = out.shape
    for i in range(n):
        row = rows[i] if len(rows) else i
        along = out.dtype.type(0)
        for j in range(width):
            along += grad[i, j] * out[i, j]
        for j in range(width):
            change = (grad[i, j] - out[i, j] * along) * scale[i]
            of_states[row, j] += change
            of_centre[j] -= change


# -- unit length ---------------------------------------------------------------------------


def unit(values: Tensor) -> Tensor:
    """Scale rows to unit length, as :func:`torch.nn.functional.normalize` does.

    Parameters
    ----------
    values : float [n, d]

    Returns
    -------
    float [n, d]
        Rows shorter than 1e-12 are divided by that.
    """
    if not is_compiled(values):
        return unit_formula(values)
    out: Tensor = _Unit.apply(values)  # type: ignore[no-untyped-call]
    return out


def unit_formula(values: Tensor) -> Tensor:
    """Give :func:`unit` as a torch operation."""
    return functional.normalize(values, dim=-1, eps=SHORTEST)


class _Unit(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        out = values.new_empty(values.shape)
        unscaled = array(values)
        ctx.scale = np.empty(len(unscaled), unscaled.dtype)
        _unit(unscaled, out.numpy(), ctx.scale)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (out,) = ctx.saved_tensors
        of_values = torch.empty_like(out)
        _unit_back(array(out), ctx.scale, array(grad), of_values.numpy())
        return of_values


@compiled
def _unit(values: Any, out: Any, scale: Any) -> None:
    n, width = out.shape
    one, shortest = out.dtype.type(1), out.dtype.type(SHORTEST)
    for i in range(n):
        square = out.dtype.type(0)
        for j in range(width):
            square += values[i, j] * values[i, j]
        # A length that is no number stays none.
        length = np.sqrt(square)
        scale[i] = one / (shortest if length < shortest else length)
        for j in range(width):
            out[i, j] = values[i, j] * scale[i]


@compiled
def _unit_back(out: Any, scale: Any, grad: Any, of_values: Any) -> None:
    n, width = out.shape
    one, shortest = out.dtype.type(1), out.dtype.type(SHORTEST)
    for i in range(n):
        along = out.dtype.type(0)
        # A length that is cut off does not depend on the row.
        if scale[i] * shortest < one:
            for j in range(width):
                along += grad[i, j] * out[i, j]
        for j in range(width):
            of_values[i, j] = (grad[i, j] - out[i, j] * along) * scale[i]
