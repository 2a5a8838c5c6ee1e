"""Reading and writing rows of a table of states, each one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled
from recbole_imn.kernels.in_parallel import in_parallel, threads_for


def read(states: Tensor, known: Tensor, ids: Tensor, initial: Tensor) -> Tensor:
    """Give the states of some entities, and the initial state for those that have none.

    Parameters
    ----------
    states : float [n_entities, width]
        They get no gradient.
    known : bool [n_entities]
    ids : int64 [n]
    initial : float [width]

    Returns
    -------
    float [n, width]

    Raises
    ------
    IndexError
        If an id is not one of the entities.
    """
    if not is_compiled(states):
        return read_formula(states, known, ids, initial)
    out: Tensor = _Read.apply(states, known, ids, initial)  # type: ignore[no-untyped-call]
    return out


def read_formula(states: Tensor, known: Tensor, ids: Tensor, initial: Tensor) -> Tensor:
    """Give :func:`read` as torch operations."""
    return torch.where(known[ids].unsqueeze(1), states[ids].to(initial.dtype), initial)


Table = tuple[Tensor, Tensor, Tensor, Tensor]


def read_both(users: Table, items: Table) -> Tensor:
    """Give the states of some users, and below them those of some items.

    Parameters
    ----------
    users, items : tuple
        States, known, ids and initial of each, as of :func:`read`.

    Returns
    -------
    float [n_users + n_items, width]
    """
    if not is_compiled(users[0]):
        return torch.cat([read_formula(*users), read_formula(*items)])
    out: Tensor = _ReadBoth.apply(*users, *items)  # type: ignore[no-untyped-call]
    return out


@torch.no_grad()
def write(
    states: Tensor, known: Tensor, ids: Tensor, buffer: Tensor, rows: Tensor, first: int
) -> None:
    """Store the states at rows of a buffer, of entities whose row is not below ``first``.

    Parameters
    ----------
    states : float [n_entities, width]
    known : bool [n_entities]
    ids : int64 [n]
        Distinct entities.
    buffer : float [m, width]
    rows : int64 [n]
        Where the state of each lies in the buffer.
    first : int
        Rows below were read from the table, and nothing has changed.
    """
    if is_compiled(states):
        arrays = map(array, (states, known, ids, buffer, rows))
        _write(threads_for(len(ids)), first, *arrays)
        return
    changed = rows >= first
    states[ids[changed]] = buffer[rows[changed]].to(states.dtype)
    known[ids[changed]] = True


class _Read(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, known: Tensor, ids: Tensor, initial: Tensor) -> Tensor:
        out = states.new_empty(len(ids), states.shape[1])
        found = known.new_empty(len(ids))
        read_rows(threads_for(len(ids)), *map(array, (states, known, ids, initial, out, found)))
        ctx.save_for_backward(found)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (found,) = ctx.saved_tensors
        of_initial = grad.new_zeros(grad.shape[1])
        read_rows_back(*map(array, (found, grad, of_initial)))
        return None, None, None, of_initial


class _ReadBoth(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> Tensor:
        users, items = given[:4], given[4:]
        n, n_all = len(users[2]), len(users[2]) + len(items[2])
        out = users[0].new_empty(n_all, users[0].shape[1])
        ctx.n, ctx.found = n, np.empty(n_all, np.bool_)
        values = out.numpy()
        for table, rows in ((users, slice(n)), (items, slice(n, n_all))):
            threads = threads_for(len(table[2]))
            arrays: Any = threads, *map(array, table), values[rows], ctx.found[rows]
            read_rows(*arrays)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        n, values = ctx.n, array(grad)
        of_user, of_item = grad.new_zeros(2, grad.shape[1]).unbind()
        read_rows_back(ctx.found[:n], values[:n], of_user.numpy())
        read_rows_back(ctx.found[n:], values[n:], of_item.numpy())
        return None, None, None, of_user, None, None, None, of_item


@compiled
def _read_range(
    first: int, last: int, states: Any, known: Any, ids: Any, initial: Any, out: Any, found: Any
) -> None:
    for i in range(first, last):
        entity = ids[i]
        if entity < 0 or entity >= len(states):
            raise IndexError("an id is not one of the entities")
        found[i] = known[entity]
        if found[i]:
            out[i] = states[entity]
        else:
            out[i] = initial


_read_all = in_parallel(_read_range)


@compiled
def read_rows(
    threads: int, states: Any, known: Any, ids: Any, initial: Any, out: Any, found: Any
) -> None:
    """Write the states of entities to ``out``, and to ``found`` which of them have one."""
    _read_all(threads, len(ids), (states, known, ids, initial, out, found))


@compiled
def read_rows_back(found: Any, grad: Any, of_initial: Any) -> None:
    """Add to the gradient of the initial state what rows without a state of their own give."""
    for i in range(len(found)):
        if not found[i]:
            for j in range(len(of_initial)):
                of_initial[j] += grad[i, j]


@compiled
def _write_range(
    start: int, stop: int, first: int, states: Any, known: Any, ids: Any, buffer: Any, rows: Any
) -> None:
    for i in range(start, stop):
        if rows[i] >= first:
            states[ids[i]] = buffer[rows[i]]
            known[ids[i]] = True


_write_all = in_parallel(_write_range)


@compiled
def _write(
    threads: int, first: int, states: Any, known: Any, ids: Any, buffer: Any, rows: Any
) -> None:
    _write_all(threads, len(ids), (first, states, known, ids, buffer, rows))
