"""The recursion of a whole window as one differentiable function."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from recbole_imn.kernels.recurrence import recurrence_backward, recurrence_forward
from recbole_imn.kernels.tiles import panel_columns, transposed_panels
from recbole_imn.stream.cells import Cell
from recbole_imn.stream.level_products import recur_by_levels
from recbole_imn.stream.levels import LevelPlan

COMPILED_TYPES = ({torch.float32}, {torch.float64})
# With fewer events, a matrix is read too seldom to be worth copying into panels.
FEWEST_EVENTS_FOR_PANELS = 16


def _in_panels(matrix: Tensor, columns: int) -> Tensor:
    """Cut a matrix into panels that lie one after the other, the last one padded."""
    missing = -matrix.shape[1] % columns
    padded = functional.pad(matrix, (0, missing)) if missing else matrix
    panels: Tensor = padded.unflatten(1, (-1, columns)).transpose(0, 1).contiguous()
    return panels


def _transposed_in_panels(matrix: Tensor, columns: int) -> Tensor:
    """Give the panels of a transposed matrix, flat."""
    n_columns, length = matrix.shape
    panels = matrix.new_zeros((n_columns + columns - 1) // columns * columns * length)
    transposed_panels(_array(matrix.contiguous()), columns, _array(panels))
    return panels


class _Recurrence(torch.autograd.Function):
    """The recursion over an append-only state buffer, compiled, backward written by hand."""

    @staticmethod
    def forward(
        ctx: Any, initial: Tensor, inputs: Tensor, weight: Tensor, plan: LevelPlan, cell: Cell
    ) -> Tensor:
        stored = initial.shape[1]
        buffer = initial.new_empty(plan.n_initial + plan.n_events * plan.n_slots, stored)
        buffer[: plan.n_initial] = initial
        keeps_gates = cell.n_gates > 1 and any(ctx.needs_input_grad)
        gates = torch.empty_like(inputs) if keeps_gates else inputs.new_empty(0, 0)
        columns = panel_columns(inputs.itemsize)
        length, width = weight.shape
        if plan.n_events < FEWEST_EVENTS_FOR_PANELS and width % columns == 0:
            matrix, stride, panel_size = weight.contiguous(), width, columns
        else:
            matrix, stride, panel_size = _in_panels(weight, columns), columns, length * columns
        recurrence_forward(
            cell.number,
            *_plan_arrays(plan),
            _array(inputs.contiguous()),
            _array(matrix).reshape(-1),
            stride,
            panel_size,
            columns,
            _array(buffer),
            _array(gates),
            stored // cell.n_parts,
        )
        ctx.save_for_backward(buffer, weight, gates)
        ctx.plan, ctx.cell = plan, cell
        return buffer

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        buffer, weight, gates = ctx.saved_tensors
        plan: LevelPlan = ctx.plan
        cell: Cell = ctx.cell
        width = buffer.shape[1] // cell.n_parts
        grad = grad_output.clone(memory_format=torch.contiguous_format)
        grad_inputs = grad.new_empty(plan.n_events, weight.shape[1])
        columns = panel_columns(grad.itemsize)
        recurrence_backward(
            cell.number,
            *_plan_arrays(plan),
            _array(_transposed_in_panels(weight, columns)),
            columns,
            _array(buffer),
            _array(gates),
            _array(grad),
            _array(grad_inputs),
            width,
        )
        read = buffer[:, :width].index_select(0, plan.sources.view(-1))
        grad_weight = read.view(plan.n_events, len(weight)).t() @ grad_inputs
        return grad[: plan.n_initial], grad_inputs, grad_weight, None, None


def _array(values: Tensor) -> Any:
    return (values.detach() if values.requires_grad else values).numpy()


def _plan_arrays(plan: LevelPlan) -> tuple[Any, Any, Any]:
    return plan.sources.numpy(), plan.order.numpy(), np.asarray(plan.sizes, np.int64)


def _compiles(*numbers: Tensor) -> bool:
    return {values.dtype for values in numbers} in COMPILED_TYPES


def _check_shapes(
    initial: Tensor, inputs: Tensor, weight: Tensor, plan: LevelPlan, cell: Cell
) -> None:
    """Refuse what compiled loops, which look at no bounds, would read or write amiss."""
    stored, n_slots = initial.shape[-1], plan.n_slots
    read = stored // cell.n_parts * n_slots
    expected = {
        "initial": (initial, (plan.n_initial, read // n_slots * cell.n_parts)),
        "inputs": (inputs, (plan.n_events, read * cell.n_gates)),
        "weight": (weight, (read, read * cell.n_gates)),
    }
    for name, (values, shape) in expected.items():
        if values.shape != shape:
            raise ValueError(f"{name} has the shape {list(values.shape)}, not {list(shape)}")


def recur(initial: Tensor, inputs: Tensor, weight: Tensor, plan: LevelPlan, cell: Cell) -> Tensor:
    r"""Run :math:`h_k = \text{cell}(x_k + [h_{s_1(k)}, \dots, h_{s_m(k)}] W)` over a plan.

    The whole window of equations (1)-(2), with two slots an event, or (6), with one.
    Exact: an event reads the states just before it. On a processor, a state's bits depend
    on nothing but what it is made of: not on the events computed with it.

    Parameters
    ----------
    initial : float [n_initial, n_parts * d]
        States that the window starts from.
    inputs : float [n_events, n_slots * n_gates * d]
        The part of the pre-activations that depends on no state, in time order.
    weight : float [n_slots * d, n_slots * n_gates * d]
        From the hidden states of an event to its pre-activations.
    plan : LevelPlan
        Which rows each event reads.
    cell : Cell
        Makes states of pre-activations.

    Returns
    -------
    float [n_initial + n_events * n_slots, n_parts * d]
        The buffer: initial rows, then ``n_slots`` rows an event, in time order.

    Raises
    ------
    ValueError
        If a shape does not fit the plan and the cell.
    """
    _check_shapes(initial, inputs, weight, plan, cell)
    if inputs.device.type != "cpu" or not _compiles(initial, inputs, weight):
        return recur_by_levels(initial, inputs, weight, plan, cell)
    buffer: Tensor = _Recurrence.apply(initial, inputs, weight, plan, cell)  # type: ignore[no-untyped-call]
    return buffer
