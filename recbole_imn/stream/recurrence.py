"""The recursion of a whole window as one differentiable function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.stream.products import add_product, sigmoid_
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
    """Sigmoid recursion over an append-only state buffer, backward written by hand."""

    @staticmethod
    def forward(
        ctx: Any, initial: Tensor, inputs: Tensor, weight: Tensor, plan: LevelPlan
    ) -> Tensor:
        width = initial.shape[1]
        buffer = initial.new_empty(plan.n_initial + plan.n_events * plan.n_slots, width)
        buffer[: plan.n_initial] = initial
        written = buffer[plan.n_initial :].view(plan.n_events, plan.n_slots * width)
        with one_thread():
            for source, pre, out in zip(
                plan.sources, inputs.split(plan.sizes), written.split(plan.sizes), strict=True
            ):
                read = buffer.index_select(0, source).view_as(out)
                add_product(pre, read, weight, out)
                sigmoid_(out)
        ctx.save_for_backward(buffer, weight)
        ctx.plan = plan
        return buffer

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        buffer, weight = ctx.saved_tensors
        plan: LevelPlan = ctx.plan
        grad = grad_output.clone()
        width = buffer.shape[1]
        shape = (plan.n_events, plan.n_slots * width)
        written = buffer[plan.n_initial :].view(shape)
        # After its level is done, a written row's gradient is that of its pre-activation.
        grad_pre = grad[plan.n_initial :].view(shape)
        slope = written * (1 - written)
        transposed = weight.t().contiguous()
        with one_thread():
            for source, pre, level_slope in zip(
                reversed(plan.sources),
                reversed(grad_pre.split(plan.sizes)),
                reversed(slope.split(plan.sizes)),
                strict=True,
            ):
                pre.mul_(level_slope)
                grad.index_add_(0, source, torch.mm(pre, transposed).view(-1, width))
        read = buffer.index_select(0, torch.cat(plan.sources)).view(shape)
        return grad[: plan.n_initial], grad_pre, read.t() @ grad_pre, None


def recur(initial: Tensor, inputs: Tensor, weight: Tensor, plan: LevelPlan) -> Tensor:
    r"""Run :math:`h_k = \sigma(x_k + [h_{s_1(k)}, \dots, h_{s_m(k)}] W)` over a plan.

    The whole window of equations (1)-(2), with two slots an event, or (6), with one.
    Exact: an event reads the states just before it, whatever the order of the levels.

    Parameters
    ----------
    initial : float [n_initial, width]
        States that the window starts from.
    inputs : float [n_events, n_slots * width]
        The part of the pre-activation that depends on no state, in level order.
    weight : float [n_slots * width, n_slots * width]
        Transition of the states of an event.
    plan : LevelPlan
        Which rows each event reads.

    Returns
    -------
    float [n_initial + n_events * n_slots, width]
        The buffer: initial rows, then ``n_slots`` rows an event, in level order.
    """
    buffer: Tensor = _Recurrence.apply(initial, inputs, weight, plan)  # type: ignore[no-untyped-call]
    return buffer
