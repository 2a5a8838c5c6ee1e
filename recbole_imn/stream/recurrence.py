"""The recursion of a whole window as one differentiable function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.stream.cells import Cell
from recbole_imn.stream.products import add_product
from recbole_imn.stream.tbatch import LevelPlan


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the many small products of the levels on one thread.

    Barriers between threads cost more than such products: on a busy machine of two cores
    a level took fifty times longer with two threads than with one.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Recurrence(torch.autograd.Function):
    """The recursion over an append-only state buffer, backward written by hand."""

    @staticmethod
    def forward(
        ctx: Any, initial: Tensor, inputs: Tensor, weight: Tensor, plan: LevelPlan, cell: Cell
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
        with one_thread():
            for source, base, out in levels:
                old = buffer.index_select(0, source)
                hidden = old if cell.n_parts == 1 else old[:, :width]
                # A cell of one gate turns its pre-activation into the state in place.
                pre = out.view_as(base) if cell.n_gates == 1 else torch.empty_like(base)
                add_product(base, hidden.reshape(len(base), -1), weight, pre)
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
        plan: LevelPlan = ctx.plan
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
        with one_thread():
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


def recur(initial: Tensor, inputs: Tensor, weight: Tensor, plan: LevelPlan, cell: Cell) -> Tensor:
    r"""Run :math:`h_k = \text{cell}(x_k + [h_{s_1(k)}, \dots, h_{s_m(k)}] W)` over a plan.

    The whole window of equations (1)-(2), with two slots an event, or (6), with one.
    Exact: an event reads the states just before it, whatever the order of the levels.

    Parameters
    ----------
    initial : float [n_initial, n_parts * d]
        States that the window starts from.
    inputs : float [n_events, n_slots * n_gates * d]
        The part of the pre-activations that depends on no state, in level order.
    weight : float [n_slots * d, n_slots * n_gates * d]
        From the hidden states of an event to its pre-activations.
    plan : LevelPlan
        Which rows each event reads.
    cell : Cell
        Makes states of pre-activations.

    Returns
    -------
    float [n_initial + n_events * n_slots, n_parts * d]
        The buffer: initial rows, then ``n_slots`` rows an event, in level order.
    """
    buffer: Tensor = _Recurrence.apply(initial, inputs, weight, plan, cell)  # type: ignore[no-untyped-call]
    return buffer
