"""Optimisers of tables of ids that keep one number a row, not one or two a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled
from recbole_imn.kernels.in_parallel import in_parallel, threads_for
from recbole_imn.kernels.lazy_adam import occurrences
from recbole_imn.kernels.steps import ByTable


class RowWise(ByTable, torch.optim.Optimizer):
    r"""Steps of a row in units of how large its gradients have been.

    For a row with a gradient :math:`g` of width :math:`d`, for the :math:`k`-th time,

    .. math::
        v \leftarrow \beta v + (1 - \beta) \lVert g \rVert^2 / d, \quad
        w \leftarrow w - \eta \, g / (\sqrt{v / (1 - \beta^k)} + \epsilon) .

    Eight bytes a row, where Adam keeps eight a weight. There is no mean of gradients: a row is
    seldom touched twice before it has moved on. Row-wise Adagrad, which never forgets, learned
    as well (docs/scale.md).

    Parameters
    ----------
    params : iterable of Tensor
        Tables, float [n_rows, width], with sparse gradients.
    lr : float
    decay : float
        :math:`\beta`, below 1.
    eps : float

    Attributes
    ----------
    zeros : callable
        Makes what is kept of a table, with a shape, ``dtype`` and ``device``.

    Raises
    ------
    RuntimeError
        At a step, if a gradient is dense.
    """

    zeros: Callable[..., Tensor] = staticmethod(torch.zeros)

    def __init__(self, params: Any, lr: float, decay: float = 0.999, eps: float = 1e-8) -> None:
        super().__init__(params, {"lr": lr, "decay": decay, "eps": eps})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what ``state_dict`` gave; torch makes all of it numbers like the weight's."""
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["count"] = state["count"].to(torch.int32)

    def _update(self, weight: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        if not grad.is_sparse:
            raise RuntimeError("RowWise does not support dense gradients")
        state = self.state[weight]
        if not state:
            for name, numbers in (("square", weight.dtype), ("count", torch.int32)):
                state[name] = self.zeros((len(weight),), dtype=numbers, device=weight.device)
        step = float(group["lr"]), float(group["decay"]), float(group["eps"])
        if grad._nnz():
            loops = is_compiled(grad) and weight.is_contiguous() and weight.dtype == grad.dtype
            update = update_rows if loops else update_formula
            update(weight, state["square"], state["count"], grad, step)


def update_rows(
    weight: Tensor, square: Tensor, count: Tensor, grad: Tensor, step: tuple[float, float, float]
) -> None:
    """Update rows in place.

    Parameters
    ----------
    weight : float [n_rows, width]
    square : float [n_rows]
        v of each row.
    count : int32 [n_rows]
        How often each row has had a gradient.
    grad : sparse float [n_rows, width]
        A row may occur more than once.
    step : tuple of float
        Step size, decay, epsilon.
    """
    rows, values = array(grad._indices()[0]), array(grad._values())
    tables = array(weight), array(square), array(count)
    _update_rows(threads_for(len(rows)), *tables, rows, values, np.array(step, values.dtype))
    increment_version((weight, square, count))


def update_formula(
    weight: Tensor, square: Tensor, count: Tensor, grad: Tensor, step: tuple[float, float, float]
) -> None:
    """Do what :func:`update_rows` does, as torch operations."""
    size, decay, epsilon = step
    whole = grad.coalesce()
    (rows,), values = whole._indices().unbind(), whole._values()
    new = values.square().mean(dim=1)
    count[rows] += 1
    square[rows] = square[rows] * decay + new * (1 - decay)
    seen = 1 - decay ** count[rows].to(values.dtype)
    weight[rows] -= size * values / ((square[rows] / seen).sqrt() + epsilon).unsqueeze(1)


@compiled
def _update_places(
    start: int,
    stop: int,
    weight: Any,
    square: Any,
    count: Any,
    rows: Any,
    values: Any,
    step: Any,
    begins: Any,
    following: Any,
) -> None:
    """Update the rows that occur first at some places."""
    size, decay, epsilon = step[0], step[1], step[2]
    one = step.dtype.type(1)
    total, width = np.empty(weight.shape[1], weight.dtype), weight.dtype.type(weight.shape[1])
    for place in range(start, stop):
        if not begins[place]:
            continue
        total[:] = values[place]
        more = following[place]
        while more >= 0:
            total += values[more]
            more = following[more]
        row, length = rows[place], weight.dtype.type(0)
        for j in range(len(total)):
            length += total[j] * total[j]
        count[row] += 1
        square[row] = square[row] * decay + length / width * (one - decay)
        seen = one - decay ** count[row]
        share = size / (np.sqrt(square[row] / seen) + epsilon)
        for j in range(len(total)):
            weight[row, j] -= share * total[j]


_update_all = in_parallel(_update_places)


@compiled
def _update_rows(
    threads: int, weight: Any, square: Any, count: Any, rows: Any, values: Any, step: Any
) -> None:
    begins, following = occurrences(rows, len(weight))
    given = weight, square, count, rows, values, step, begins, following
    _update_all(threads, len(rows), given)
