"""Log weights of the pointer's candidates, with a backward pass written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.in_parallel import threads_for
from recbole_imn.kernels.pointer_loops import backward, forward

Array = npt.NDArray[Any]
# Which hidden values are above 0 is kept in one number of so many bits.
LARGEST_WIDTH = 32


def weigh(
    numbers: Tensor,
    behaviours: Tensor,
    empty: Tensor,
    gates: Tensor,
    inner: Tensor,
    bias: Tensor,
    slots: Sequence[Tensor],
    behaviour_tables: Sequence[Tensor],
    linear_weights: Sequence[Tensor],
    linear_biases: Sequence[Tensor],
    weights: Tensor,
    sizes: Sequence[int],
    gain: float,
    speed: float,
) -> Tensor:
    r"""Give the log weight of every candidate.

    Slots of a kind are consecutive. In slot s of kind q, with numbers x and behaviour b:

    .. math::
        \mathrm{gain}\; w_q^\top \mathrm{relu}(A_q x + a_q + u_s + v_{q,b} + c_q)
        + g_q + \mathrm{speed}\; \beta_s

    Only full slots cost time, and only they have a gradient. A row's result depends on no
    other row. On another device than the CPU this is ``weigh_by_formula``.

    Parameters
    ----------
    numbers : float [n, n_slots, n_numbers]
        What tells of each candidate, x; it has no gradient.
    behaviours : int64 or int32 [n, n_slots]
        Behaviours of the events that point to the items, b.
    empty : bool [n, n_slots]
        Where there is no candidate; what the other arrays have there is not looked at.
    gates : float [n, n_kinds]
        What is added to each kind, g.
    inner : float [n, n_kinds, width]
        What is added to the hidden values of each kind, c.
    bias : float [n_slots]
    slots : sequence of float [size of the kind, width]
        The u of each kind.
    behaviour_tables : sequence of float [n_behaviours, width]
        The v of each kind.
    linear_weights : sequence of float [width, n_numbers]
        The A of each kind.
    linear_biases : sequence of float [width]
        The a of each kind.
    weights : float [n_kinds, width]
        The w of each kind; on the CPU they are at most 32 wide.
    sizes : sequence of int [n_kinds]
        Number of slots of each kind.
    gain, speed : float

    Returns
    -------
    float [n, n_slots]
        -inf in empty slots.

    Raises
    ------
    ValueError
        If the hidden values are wider than the compiled loops know.
    """
    if gates.device.type != "cpu":
        return weigh_by_formula(
            numbers,
            behaviours,
            empty,
            gates,
            inner,
            bias,
            slots,
            behaviour_tables,
            linear_weights,
            linear_biases,
            weights,
            sizes,
            gain,
            speed,
        )
    if weights.shape[1] > LARGEST_WIDTH:
        raise ValueError(
            f"the pointer has {weights.shape[1]} hidden values; on the CPU there may be at most "
            f"{LARGEST_WIDTH}"
        )
    small = (*slots, *behaviour_tables, *linear_weights, *linear_biases)
    inputs = numbers, behaviours, empty, tuple(sizes), gain, speed
    logits: Tensor = _Weigh.apply(  # type: ignore[no-untyped-call]
        *inputs, gates, inner, bias, weights, *small
    )
    return logits


def weigh_by_formula(
    numbers: Tensor,
    behaviours: Tensor,
    empty: Tensor,
    gates: Tensor,
    inner: Tensor,
    bias: Tensor,
    slots: Sequence[Tensor],
    behaviour_tables: Sequence[Tensor],
    linear_weights: Sequence[Tensor],
    linear_biases: Sequence[Tensor],
    weights: Tensor,
    sizes: Sequence[int],
    gain: float,
    speed: float,
) -> Tensor:
    """Give what ``weigh`` gives, by operations of torch on any device."""
    parts = zip(
        numbers.split(tuple(sizes), dim=1),
        behaviours.masked_fill(empty, 0).split(tuple(sizes), dim=1),
        gates.unbind(1),
        inner.unsqueeze(1).unbind(2),
        slots,
        behaviour_tables,
        linear_weights,
        linear_biases,
        weights,
        strict=True,
    )
    logits = []
    for values, kind_behaviours, gate, added, slot, table, matrix, base, direction in parts:
        hidden = torch.relu(values @ matrix.T + base + slot + table[kind_behaviours] + added)
        logits.append((hidden * direction).sum(dim=-1) * gain + gate.unsqueeze(1))
    return (speed * bias + torch.cat(logits, dim=1)).masked_fill(empty, -torch.inf)


class _Weigh(torch.autograd.Function):
    """The compiled weights; of hidden values only which are above 0 is kept."""

    @staticmethod
    def forward(
        ctx: Any,
        numbers: Tensor,
        behaviours: Tensor,
        empty: Tensor,
        sizes: tuple[int, ...],
        gain: float,
        speed: float,
        gates: Tensor,
        inner: Tensor,
        bias: Tensor,
        weights: Tensor,
        *small: Tensor,
    ) -> Tensor:
        inputs = [value.contiguous() for value in (numbers, behaviours, empty)]
        parameters = [value.contiguous() for value in (gates, inner, bias, weights)]
        parameters += _joined(small)
        logits = torch.empty(empty.shape, dtype=gates.dtype)
        marks = np.empty(empty.shape, np.uint32)
        ctx.save_for_backward(*inputs, *parameters)
        ctx.sizes, ctx.marks, ctx.constants = sizes, marks, _constants(weights, sizes, gain, speed)
        arrays = [*_arrays((*inputs, *parameters)), *ctx.constants, logits.numpy(), marks]
        forward(threads_for(len(empty)), *arrays, *_unrolled(weights.shape[1], numbers.shape[2]))
        return logits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        numbers, behaviours, empty, *parameters = ctx.saved_tensors
        _, inner, _, *small = parameters
        gradients = [torch.zeros_like(value) for value in parameters]
        rows = _arrays((gradient.contiguous(), numbers, behaviours, empty, inner))
        arrays = [*rows, ctx.marks, *_arrays(small), *ctx.constants]
        columns = _unrolled(numbers.shape[2])
        backward(threads_for(len(gradient)), *arrays, *_arrays(gradients), *columns)
        *direct, offsets, tables, linear = gradients
        slots = offsets.split(ctx.sizes)
        matrices, bases = linear.transpose(1, 2).unbind(), [slot.sum(dim=0) for slot in slots]
        return *[None] * 6, *direct, *slots, *tables.unbind(), *matrices, *bases


def _joined(small: Sequence[Tensor]) -> list[Tensor]:
    """Join parameters of the kinds: offsets of slots, tables of behaviours, and matrices.

    The hidden width comes last, where the loop over it reads one number after another.
    """
    n_kinds = len(small) // 4
    slots, tables, matrices, bases = (
        small[first : first + n_kinds] for first in range(0, len(small), n_kinds)
    )
    offsets = torch.cat([slot + base for slot, base in zip(slots, bases, strict=True)])
    return [offsets, torch.stack([*tables]), torch.stack([matrix.T for matrix in matrices])]


def _arrays(tensors: Sequence[Tensor]) -> list[Any]:
    return [tensor.detach().numpy() for tensor in tensors]


def _unrolled(*lengths: int) -> list[Any]:
    """Tuples of some lengths: the type, by which loops are compiled, tells a tuple's length."""
    return [(0,) * length for length in lengths]


def _constants(
    weights: Tensor, sizes: tuple[int, ...], gain: float, speed: float
) -> tuple[Array, Array, Any, Any]:
    """Kind of each slot, a bit for each hidden value, and both factors in the weights' type."""
    scalar = weights.detach().numpy().dtype.type
    flags = np.left_shift(1, np.arange(weights.shape[1])).astype(np.uint32)
    return np.repeat(np.arange(len(sizes)), sizes), flags, scalar(gain), scalar(speed)
