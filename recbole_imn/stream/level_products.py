"""The recursion of a window as products of whole levels, for devices that like them large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.stream.cells import Cell
from recbole_imn.stream.levels import LevelPlan


@dataclass(frozen=True)
class _Levels:
    """A plan in level order: the rows that each level reads from a buffer in that order."""

    sources: tuple[Tensor, ...]
    sizes: tuple[int, ...]
    n_initial: int
    n_events: int
    n_slots: int


def recur_by_levels(
    initial: Tensor, inputs: Tensor, weight: Tensor, plan: LevelPlan, cell: Cell
) -> Tensor:
    """Compute what :func:`recbole_imn.stream.recurrence.recur` does, on any device.

    Everything is brought into level order, where each level is one slice, and back.
    """
    if plan.n_events == 0:
        return initial.clone()
    initial_rows = torch.arange(plan.n_initial, device=inputs.device)
    slots = torch.arange(plan.n_slots, device=inputs.device)
    rank = torch.empty_like(plan.order)
    rank[plan.order] = torch.arange(plan.n_events, device=inputs.device)
    # The row in level order of each row in time order.
    written = (plan.n_initial + rank[:, None] * plan.n_slots + slots).view(-1)
    moved = torch.cat([initial_rows, written])
    sources = moved[plan.sources.index_select(0, plan.order).view(-1)]
    levels = _Levels(
        sources.split([size * plan.n_slots for size in plan.sizes]),
        plan.sizes,
        plan.n_initial,
        plan.n_events,
        plan.n_slots,
    )
    ordered = inputs.index_select(0, plan.order)
    buffer: Tensor = _LevelRecurrence.apply(initial, ordered, weight, levels, cell)  # type: ignore[no-untyped-call]
    return buffer.index_select(0, moved)


class _LevelRecurrence(torch.autograd.Function):
    """The recursion over a buffer in level order, backward written by hand."""

    @staticmethod
    def forward(
        ctx: Any, initial: Tensor, inputs: Tensor, weight: Tensor, plan: _Levels, cell: Cell
    ) -> Tensor:
        stored = initial.shape[1]
        width = stored // cell.n_parts
        buffer = initial.new_empty(plan.n_initial + plan.n_events * plan.n_slots, stored)
        buffer[: plan.n_initial] = initial
        levels = zip(
            plan.sources,
            inputs.split(plan.sizes),
            buffer[plan.n_initial :].split([size * plan.n_slots for size in plan.sizes]),
            strict=True,
        )
        gates: list[Tensor] = []
        for source, base, out in levels:
            old = buffer.index_select(0, source)
            hidden = old if cell.n_parts == 1 else old[:, :width]
            # A cell of one gate turns its pre-activation into the state in place.
            pre = out.view_as(base) if cell.n_gates == 1 else torch.empty_like(base)
            torch.addmm(base, hidden.reshape(len(base), -1), weight, out=pre)
            pre = pre.view(-1, cell.n_gates * width)
            new = cell.forward(pre, old)
            if cell.n_gates > 1:
                out.copy_(new)
                gates.append(pre)
        ctx.save_for_backward(buffer, weight, *gates)
        ctx.plan, ctx.cell = plan, cell
        return buffer

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        buffer, weight, *gates = ctx.saved_tensors
        plan: _Levels = ctx.plan
        cell: Cell = ctx.cell
        width = buffer.shape[1] // cell.n_parts
        grad = grad_output.clone()
        sizes = [size * plan.n_slots for size in plan.sizes]
        states = buffer[plan.n_initial :].split(sizes)
        levels = zip(
            plan.sources,
            gates or states,
            states,
            grad[plan.n_initial :].split(sizes),
            strict=True,
        )
        transposed = weight.t().contiguous()
        grads_pre: list[Tensor] = []
        for source, kept, new, grad_new in reversed(list(levels)):
            old = buffer.index_select(0, source) if cell.n_gates > 1 else new
            grad_pre, grad_old = cell.backward(kept, old, new, grad_new)
            grad_pre = grad_pre.view(len(source) // plan.n_slots, -1)
            passed = torch.mm(grad_pre, transposed).view(len(source), width)
            if cell.n_parts == 1:
                grad.index_add_(0, source, passed)
            else:
                grad[:, :width].index_add_(0, source, passed)
            if grad_old is not None:
                grad.index_add_(0, source, grad_old)
            grads_pre.append(grad_pre)
        grad_inputs = torch.cat(grads_pre[::-1])
        read = buffer[:, :width].index_select(0, torch.cat(plan.sources))
        grad_weight = read.view(plan.n_events, -1).t() @ grad_inputs
        return grad[: plan.n_initial], grad_inputs, grad_weight, None, None
