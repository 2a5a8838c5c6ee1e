"""What a user holds of each kind of item, fading since the purchases; with a backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled


def held(cells: Tensor, items: Tensor, ages: Tensor, rate: Tensor) -> Tensor:
    r"""Give how much of each cell is held after purchases, from 0 to 1.

    .. math::
        1 - \exp(-\sum_k e^{-r a_k} c(x_k))

    with the rate r: about the chance that one purchased item is still there, if each is sold
    on at that rate. A row's result depends on no other row. On another device than the CPU
    this is ``held_by_formula``.

    Parameters
    ----------
    cells : float [n_items, n_cells]
        How much of an item is in each cell, c, from 0 on; without a gradient.
    items : int64 [n, length]
        Purchased items x; 0 or less where there is none.
    ages : float [n, length]
        How long ago they were purchased, a, from 0 on, in any unit; without a gradient. Not
        looked at where there is no item.
    rate : float []
        How fast they fade, r, by the same unit.

    Returns
    -------
    float [n, n_cells]
    """
    if not is_compiled(rate):
        return held_by_formula(cells, items, ages, rate)
    found: Tensor = _Held.apply(cells, items, ages, rate)  # type: ignore[no-untyped-call]
    return found


def held_by_formula(cells: Tensor, items: Tensor, ages: Tensor, rate: Tensor) -> Tensor:
    """Give what ``held`` gives, by operations of torch on any device."""
    known = items > 0
    weights = torch.exp(-rate * ages.masked_fill(~known, 0)) * known
    inside = cells[items.masked_fill(~known, 0)]
    return 1 - torch.exp(-(weights.unsqueeze(2) * inside).sum(dim=1))


class _Held(torch.autograd.Function):
    """The compiled loops."""

    @staticmethod
    def forward(ctx: Any, cells: Tensor, items: Tensor, ages: Tensor, rate: Tensor) -> Tensor:
        sums = rate.new_zeros(len(items), cells.shape[1])
        chances = torch.empty_like(sums)
        given = cells, items, ages, rate.reshape(1), sums, chances
        _forward(*(array(values) for values in given))
        ctx.save_for_backward(cells, items, ages, rate, sums)
        return chances

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        cells, items, ages, rate, sums = ctx.saved_tensors
        to_rate = torch.zeros_like(rate.reshape(1))
        given = (gradient, cells, items, ages, rate.reshape(1), sums, to_rate)
        _backward(*(array(values) for values in given))
        return None, None, None, to_rate.reshape(rate.shape)


@compiled
def _forward(cells: Any, items: Any, ages: Any, rate: Any, sums: Any, chances: Any) -> None:
    n_cells = cells.shape[1]
    for row in range(items.shape[0]):
        for k in range(items.shape[1]):
            item = items[row, k]
            if item <= 0:
                continue
            weight = np.exp(-rate[0] * ages[row, k])
            for cell in range(n_cells):
                sums[row, cell] += weight * cells[item, cell]
        for cell in range(n_cells):
            chances[row, cell] = 1 - np.exp(-sums[row, cell])


@compiled
def _backward(
    gradient: Any, cells: Any, items: Any, ages: Any, rate: Any, sums: Any, to_rate: Any
) -> None:
    """Add to the rate's gradient: all that is held fades with it."""
    n_cells = cells.shape[1]
    for row in range(items.shape[0]):
        for k in range(items.shape[1]):
            item = items[row, k]
            if item <= 0:
                continue
            along = gradient.dtype.type(0)
            for cell in range(n_cells):
                along += gradient[row, cell] * cells[item, cell] * np.exp(-sums[row, cell])
            to_rate[0] -= along * ages[row, k] * np.exp(-rate[0] * ages[row, k])
