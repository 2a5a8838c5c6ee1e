"""Rows of a table of ids, of which some read one row that they share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled
from recbole_imn.kernels.memory import read_rows_back

# Ids are mixed by these before some are left out; both are odd.
MIXERS = (0x9E3779B1, 0x85EBCA6B)


def look_up(weight: Tensor, shared: Tensor, ids: Tensor, salt: int | None, share: float) -> Tensor:
    """Look up rows; ids beyond the table, and a share of all others, read the shared row.

    Parameters
    ----------
    weight : float [n_known, width]
        Its gradient is sparse.
    shared : float [width]
    ids : int64 [n]
    salt : int or None
        Says which ids are left out; with None, none is.
    share : float
        How many of them, from 0 to 1. Id 0 never is.

    Returns
    -------
    float [n, width]
    """
    if not is_compiled(weight):
        return look_up_formula(weight, shared, ids, salt, share)
    out: Tensor = _LookUp.apply(weight, shared, ids, salt, share)  # type: ignore[no-untyped-call]
    return out


def look_up_formula(
    weight: Tensor, shared: Tensor, ids: Tensor, salt: int | None, share: float
) -> Tensor:
    """Give :func:`look_up` as torch operations."""
    missing = ids >= len(weight)
    if salt is not None and share > 0:
        missing = missing | (fraction(ids, salt) < share) & (ids > 0)
    rows = functional.embedding(ids.masked_fill(missing, 0), weight, sparse=True)
    return torch.where(missing.unsqueeze(1), shared, rows)


def fraction(ids: Tensor, salt: int) -> Tensor:
    """Give a number in [0, 1) that depends on an id and the salt, as good as random."""
    mixed = (ids + salt % 2**20) * MIXERS[0]
    mixed = (mixed ^ (mixed >> 15)) * MIXERS[1] & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 13)) & 0xFFFFFF).double() / 2**24


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, shared: Tensor, ids: Tensor, salt: int | None, share: float
    ) -> Tensor:
        out = weight.new_empty(len(ids), weight.shape[1])
        known, rows = np.empty(len(ids), np.bool_), np.empty(len(ids), np.int64)
        leaves_out = share if salt is not None else 0.0
        _find_known(array(ids), len(weight), (salt or 0) % 2**20, leaves_out, known, rows)
        _read(array(weight), known, rows, array(shared), out.numpy())
        ctx.known, ctx.rows, ctx.shape = known, torch.from_numpy(rows), weight.shape
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        to_rows, to_shared = grad.new_empty(grad.shape), grad.new_zeros(grad.shape[1])
        read_rows_back(ctx.known, array(grad), to_shared.numpy())
        _known_rows(ctx.known, array(grad), to_rows.numpy())
        to_weight = torch.sparse_coo_tensor(
            ctx.rows.unsqueeze(0), to_rows, ctx.shape, check_invariants=False
        )
        return to_weight, to_shared, None, None, None


@compiled
def _find_known(ids: Any, n: int, salt: int, share: float, known: Any, rows: Any) -> None:
    """Say which ids read a row of their own, and which one; 0 for the others."""
    for i in range(len(ids)):
        mixed = (ids[i] + np.int64(salt)) * np.int64(MIXERS[0])
        mixed = ((mixed ^ (mixed >> 15)) * np.int64(MIXERS[1])) & np.int64(0xFFFFFFFF)
        drawn = ((mixed ^ (mixed >> 13)) & np.int64(0xFFFFFF)) / 2**24
        known[i] = ids[i] < n and (ids[i] <= 0 or drawn >= share)
        rows[i] = ids[i] if known[i] else 0


@compiled
def _read(weight: Any, known: Any, rows: Any, shared: Any, out: Any) -> None:
    for i in range(len(rows)):
        if rows[i] < 0 or rows[i] >= len(weight):
            raise IndexError("an id is not one of the table's")
        if known[i]:
            out[i] = weight[rows[i]]
        else:
            out[i] = shared


@compiled
def _known_rows(known: Any, grad: Any, out: Any) -> None:
    for i in range(len(out)):
        if known[i]:
            out[i] = grad[i]
        else:
            out[i] = 0
