"""What is kept of purchases: found, read, and written, each one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled
from recbole_imn.kernels.memory import read_formula, read_rows, read_rows_back
from recbole_imn.log import Flags, Integers

Slots = npt.NDArray[np.int32]


def find(
    slots: Slots, events: Integers, users: Integers, wanted: Integers
) -> tuple[Integers, Integers]:
    """Find where some purchases are kept.

    Parameters
    ----------
    slots : int32 [n_users]
        The slot of each user; -1 for none.
    events : int64 [n_slots, reach]
        The purchases that are kept.
    users, wanted : int64 [n]
        Purchases, and who made them.

    Returns
    -------
    slot, place : int64 [n]

    Raises
    ------
    IndexError
        If one is not kept.
    """
    slot, place = np.empty_like(wanted), np.empty_like(wanted)
    _find(slots, events, users, wanted, slot, place)
    return slot, place


def claim(slots: Slots, users: Integers, n_slots: int) -> int:
    """Give slots to users who have none, in their order, and the number of slots then."""
    n: int = _claim(slots, users, n_slots)
    return n


def take_turns(
    slots: Slots, counts: Integers, events: Integers, users: Integers, new: Integers
) -> tuple[Integers, Integers]:
    """Give each purchase its place: its user's slot, and the places there in turns.

    Parameters
    ----------
    slots : int32 [n_users]
    counts : int64 [n_slots]
        Purchases so far, which it counts on.
    events : int64 [n_slots, reach]
        It writes the purchases to their places.
    users, new : int64 [n]

    Returns
    -------
    slot, place : int64 [n]
    """
    slot, place = np.empty_like(new), np.empty_like(new)
    _take_turns(slots, counts, events, users, new, slot, place)
    return slot, place


@torch.no_grad()
def write(
    tables: tuple[Tensor, Tensor],
    slot: Integers,
    place: Integers,
    rows: tuple[Tensor, Tensor],
    sources: Tensor,
) -> None:
    """Store rows in two tables; of several for one place, the last stays.

    Parameters
    ----------
    tables : tuple of float [n_slots, reach, width]
    slot, place : int64 [n]
    rows : tuple of float [n, width], [m, width]
    sources : int64 [n]
        Rows of the second that are stored.
    """
    first, second = rows
    if is_compiled(first):
        into, also_into = map(array, tables)
        _write(into, also_into, slot, place, array(first), array(second), array(sources))
        return
    flat = slot * tables[0].shape[1] + place
    last = torch.from_numpy(len(flat) - 1 - np.unique(flat[::-1], return_index=True)[1])
    to, chosen = (
        (torch.from_numpy(slot)[last], torch.from_numpy(place)[last]),
        last.to(first.device),
    )
    tables[0][to] = first[chosen]
    tables[1][to] = second[sources[chosen]]


def begin(
    states: Tensor,
    known: Tensor,
    ids: Tensor,
    none_before: Tensor,
    before: Tensor,
    owners: Tensor,
    first: Flags,
) -> Tensor:
    """Read states, of owners of earlier purchases those before the oldest.

    Parameters
    ----------
    states : float [n_entities, width]
        The states in memory; they get no gradient.
    known : bool [n_entities]
    ids : int64 [n]
        Entities that are read.
    none_before : float [width]
        The state of those without one, and before any purchase.
    before : float [n_earlier, width]
        The states before earlier purchases; they get no gradient.
    owners : int64 [n_earlier]
        Row of the result that purchases begin from; rows beyond it are of older purchases.
    first : bool [n_earlier]
        Whether no purchase was before.

    Returns
    -------
    float [n, width]
    """
    if not is_compiled(states):
        return begin_formula(states, known, ids, none_before, before, owners, first)
    out: Tensor = _Begin.apply(  # type: ignore[no-untyped-call]
        states, known, ids, none_before, before, owners, first
    )
    return out


def begin_formula(
    states: Tensor,
    known: Tensor,
    ids: Tensor,
    none_before: Tensor,
    before: Tensor,
    owners: Tensor,
    first: Flags,
) -> Tensor:
    """Give :func:`begin` as torch operations."""
    initial = read_formula(states, known, ids, none_before)
    oldest = (owners < len(ids)).nonzero().squeeze(1)
    is_first = torch.from_numpy(first).to(states.device)[oldest].unsqueeze(1)
    # With no purchase before it, the state is a weight, and gradients reach it.
    begun = torch.where(is_first, none_before, before[oldest])
    return initial.index_copy(0, owners[oldest], begun)


class _Begin(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        known: Tensor,
        ids: Tensor,
        none_before: Tensor,
        before: Tensor,
        owners: Tensor,
        first: Flags,
    ) -> Tensor:
        out = states.new_empty(len(ids), states.shape[1])
        ctx.found = np.empty(len(ids), np.bool_)
        in_memory = array(states), array(known), array(ids), array(none_before)
        _begin(*in_memory, array(before), array(owners), first, array(out), ctx.found)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        of_none = grad.new_zeros(grad.shape[1])
        read_rows_back(ctx.found, array(grad), array(of_none))
        return None, None, None, of_none, None, None, None


@compiled
def _find(slots: Any, events: Any, users: Any, wanted: Any, slot: Any, place: Any) -> None:
    for i in range(len(wanted)):
        at, found = slots[users[i]], -1
        if at >= 0:
            for j in range(events.shape[1]):
                if events[at, j] == wanted[i]:
                    found = j
                    break
        if found < 0:
            raise IndexError("an earlier purchase of the window is not kept")
        slot[i], place[i] = at, found


@compiled
def _claim(slots: Any, users: Any, n_slots: int) -> int:
    for i in range(len(users)):
        if slots[users[i]] < 0:
            slots[users[i]] = n_slots
            n_slots += 1
    return n_slots


@compiled
def _take_turns(
    slots: Any, counts: Any, events: Any, users: Any, new: Any, slot: Any, place: Any
) -> None:
    for i in range(len(new)):
        at = slots[users[i]]
        turn = counts[at] % events.shape[1]
        counts[at] += 1
        events[at, turn] = new[i]
        slot[i], place[i] = at, turn


@compiled
def _write(
    first: Any, second: Any, slot: Any, place: Any, of_first: Any, of_second: Any, sources: Any
) -> None:
    for i in range(len(slot)):
        first[slot[i], place[i]] = of_first[i]
        second[slot[i], place[i]] = of_second[sources[i]]


@compiled
def _begin(
    states: Any,
    known: Any,
    ids: Any,
    none_before: Any,
    before: Any,
    owners: Any,
    first: Any,
    out: Any,
    found: Any,
) -> None:
    read_rows(1, states, known, ids, none_before, out, found)
    for k in range(len(owners)):
        owner = owners[k]
        if owner >= len(ids):
            continue
        found[owner] = not first[k]
        if first[k]:
            out[owner] = none_before
        else:
            out[owner] = before[k]
