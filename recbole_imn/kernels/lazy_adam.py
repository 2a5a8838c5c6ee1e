"""Adam for tables of ids: a step touches the rows of its gradient only, in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled
from recbole_imn.kernels.in_parallel import in_parallel, threads_for
from recbole_imn.kernels.steps import ByTable


class LazyAdam(ByTable, torch.optim.SparseAdam):
    r"""What :class:`torch.optim.SparseAdam` computes, without its dozen passes.

    The gradients of a row that occurs more than once are added up in their order. Then, for
    rows with a gradient :math:`g` at step :math:`t`, whichever they are,

    .. math::
        m &\leftarrow m + (1 - \beta_1) (g - m), \quad
        v \leftarrow v + (1 - \beta_2) (g^2 - v) \\
        w &\leftarrow w - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}
        \frac{m}{\sqrt v + \epsilon}

    Parameters, their defaults and the saved state are those of SparseAdam: ``step``, an int,
    ``exp_avg`` and ``exp_avg_sq``, float of the shape of the weight.

    Attributes
    ----------
    zeros : callable
        Makes what is kept of a table, with the shape, ``dtype`` and ``device`` of it.

    Raises
    ------
    RuntimeError
        At a step, if a gradient is dense.
    """

    zeros: Callable[..., Tensor] = staticmethod(torch.zeros)

    def _update(self, weight: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        if not grad.is_sparse:
            raise RuntimeError(
                "LazyAdam does not support dense gradients, please consider Adam instead"
            )
        state = self.state[weight]
        if not state:
            state["step"] = 0
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = self.zeros(weight.shape, dtype=weight.dtype, device=weight.device)
        state["step"] += 1
        tables = (weight, state["exp_avg"], state["exp_avg_sq"])
        step = _step_values(group, state["step"])
        if grad._nnz():
            (update_rows if _has_loops(tables, grad) else update_formula)(tables, grad, step)


def _step_values(group: dict[str, Any], step: int) -> tuple[float, float, float, float, float]:
    """Give what new values count for in both moments, epsilon, the step size, and the sign."""
    beta1, beta2 = group["betas"]
    size = float(group["lr"]) * math.sqrt(1 - beta2**step) / (1 - beta1**step)
    sign = -1.0 if group.get("maximize", False) else 1.0
    return 1 - beta1, 1 - beta2, group["eps"], size, sign


def _has_loops(tables: tuple[Tensor, ...], grad: Tensor) -> bool:
    """Whether the compiled loops can write to the tables."""
    numbers = grad.dtype
    return (
        is_compiled(grad)
        and all(table.dtype == numbers and table.is_contiguous() for table in tables)
        and grad.ndim == 2
        and grad.sparse_dim() == 1
    )


def update_rows(
    tables: tuple[Tensor, Tensor, Tensor],
    grad: Tensor,
    step: tuple[float, float, float, float, float],
) -> None:
    """Update the weight and its two moments in place, in rows that have gradients.

    Parameters
    ----------
    tables : tuple of float [n_ids, width]
        Weight, mean of gradients, and mean of their squares.
    grad : sparse float [n_ids, width]
        Gradients, of which a row may occur more than once.
    step : tuple of float
        1 - beta1, 1 - beta2, epsilon, step size with bias correction, sign of the gradient.
    """
    weight, mean, square = map(array, tables)
    # Not in double precision where the tables are not.
    numbers = np.array(step, weight.dtype)
    rows, values = grad._indices()[0], grad._values()
    tables_of_numbers = weight, mean, square
    _update_rows(threads_for(len(rows)), *tables_of_numbers, array(rows), array(values), numbers)
    increment_version(tables)


def update_formula(
    tables: tuple[Tensor, Tensor, Tensor],
    grad: Tensor,
    step: tuple[float, float, float, float, float],
) -> None:
    """Do what :func:`update_rows` does, as torch operations."""
    new, new_square, epsilon, size, sign = step
    weight, mean, square = tables
    whole = grad.coalesce()
    places, values = whole._indices().unbind(), sign * whole._values()
    means = mean[places].lerp(values, new)
    squares = square[places].lerp(values.square(), new_square)
    mean[places], square[places] = means, squares
    weight[places] -= size * means / (squares.sqrt() + epsilon)


@compiled
def _update_places(
    start: int,
    stop: int,
    weight: Any,
    mean: Any,
    square: Any,
    rows: Any,
    values: Any,
    step: Any,
    begins: Any,
    following: Any,
) -> None:
    """Update the rows that occur first at some places."""
    new, new_square, epsilon, size, sign = step[0], step[1], step[2], step[3], step[4]
    total = np.empty(weight.shape[1], weight.dtype)
    for place in range(start, stop):
        if not begins[place]:
            continue
        total[:] = values[place]
        more = following[place]
        while more >= 0:
            total += values[more]
            more = following[more]
        row = rows[place]
        weights, means, squares = weight[row], mean[row], square[row]
        for j in range(len(total)):
            slope = sign * total[j]
            first = means[j] + new * (slope - means[j])
            second = squares[j] + new_square * (slope * slope - squares[j])
            means[j], squares[j] = first, second
            weights[j] -= size * first / (np.sqrt(second) + epsilon)


_update_all = in_parallel(_update_places)


@compiled
def _update_rows(
    threads: int, weight: Any, mean: Any, square: Any, rows: Any, values: Any, step: Any
) -> None:
    begins, following = occurrences(rows, len(weight))
    given = weight, mean, square, rows, values, step, begins, following
    _update_all(threads, len(rows), given)


@compiled
def occurrences(rows: Any, n_rows: int) -> tuple[Any, Any]:
    """Find where each row occurs first, and after each place where it occurs next, or -1."""
    n, n_slots = len(rows), 16
    while n_slots < 2 * n:
        n_slots *= 2
    # Hashed by its low bits, a row finds the place where it was first seen.
    seen = np.full(n_slots, -1, np.int32)
    latest, following = np.empty(n, np.int32), np.full(n, -1, np.int32)
    begins = np.zeros(n, np.bool_)
    for place in range(n):
        row = rows[place]
        if row < 0 or row >= n_rows:
            raise IndexError("a gradient is for none of the rows")
        slot = row & (n_slots - 1)
        while seen[slot] >= 0 and rows[seen[slot]] != row:
            slot = (slot + 1) & (n_slots - 1)
        if seen[slot] < 0:
            seen[slot], begins[place] = place, True
        else:
            following[latest[seen[slot]]] = place
        latest[seen[slot]] = place
    return begins, following
