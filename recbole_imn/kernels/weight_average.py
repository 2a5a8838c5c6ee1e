"""Bringing the running means of some rows of a table up to date, in one pass."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled


def catch_up(
    mean: Tensor, table: Tensor, known: Tensor, rows: Tensor, step: int, horizon: int
) -> None:
    r"""Bring the means of rows to a step, in place; the rows have not changed since their own.

    .. math::
        \bar w_t = w + (\bar w_s - w) P_t / P_s, \quad
        P_t = \prod_{k \le t} \bigl(1 - 1 / \min(k + 1, H)\bigr)

    Parameters
    ----------
    mean, table : float [n_rows, width]
    known : int64 [n_rows]
        The step s that the mean of each row is of; becomes ``step``.
    rows : int64 [n]
        A row may occur more than once.
    step : int
        The step t.
    horizon : int
        H, 2 or more.
    """
    places = mean, table, known
    if is_compiled(mean) and all(place.is_contiguous() for place in places):
        _catch_up_rows(array(mean), array(table), array(known), array(rows), step, horizon)
        increment_version((mean, known))
    else:
        catch_up_formula(mean, table, known, rows, step, horizon)


def catch_up_formula(
    mean: Tensor, table: Tensor, known: Tensor, rows: Tensor, step: int, horizon: int
) -> None:
    """Do what :func:`catch_up` does, as torch operations."""
    rows = rows.unique()
    now = torch.full_like(known[rows], step)
    share = torch.exp(_log_left(now, horizon) - _log_left(known[rows], horizon))
    present = table[rows]
    mean[rows] = present + (mean[rows] - present) * share.to(mean.dtype).unsqueeze(1)
    known[rows] = step


def _log_left(steps: Tensor, horizon: int) -> Tensor:
    """Give log P, float64, of some steps."""
    counts = (steps + 1).double()
    beyond = (counts - horizon).clamp(min=0) * math.log1p(-1 / horizon)
    return beyond - counts.clamp(max=horizon).log()


@compiled
def _log_left_of(step: int, horizon: int) -> float:
    beyond = max(step + 1 - horizon, 0) * math.log1p(-1.0 / horizon)
    return float(beyond - math.log(min(step + 1, horizon)))


@compiled
def _catch_up_rows(mean: Any, table: Any, known: Any, rows: Any, step: int, horizon: int) -> None:
    now, share = _log_left_of(step, horizon), np.empty(1, mean.dtype)
    for row in rows:
        if known[row] == step:
            continue
        # Not in double precision where the tables are not.
        share[0] = math.exp(now - _log_left_of(known[row], horizon))
        for j in range(mean.shape[1]):
            mean[row, j] = table[row, j] + (mean[row, j] - table[row, j]) * share[0]
        known[row] = step
