"""Log weights of the pointer's candidates, with a backward pass written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.in_parallel import in_parallel, threads_for

Array = npt.NDArray[Any]
# As many sums over the rows of a slot are taken in one pass, in registers.
TOGETHER = 4


def weigh(
    numbers: Tensor,
    behaviours: Tensor,
    empty: Tensor,
    gates: Tensor,
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
        \mathrm{gain}\; w_q^\top \mathrm{relu}(A_q x + a_q + u_s + v_{q,b})
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
    sizes : sequence of int [n_kinds]
        Number of slots of each kind.
    gain, speed : float

    Returns
    -------
    float [n, n_slots]
        -inf in empty slots.
    """
    if gates.device.type != "cpu":
        return weigh_by_formula(
            numbers,
            behaviours,
            empty,
            gates,
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
    small = (*slots, *behaviour_tables, *linear_weights, *linear_biases)
    inputs = numbers, behaviours, empty, tuple(sizes), gain, speed
    logits: Tensor = _Weigh.apply(  # type: ignore[no-untyped-call]
        *inputs, gates, bias, weights, *small
    )
    return logits


def weigh_by_formula(
    numbers: Tensor,
    behaviours: Tensor,
    empty: Tensor,
    gates: Tensor,
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
        slots,
        behaviour_tables,
        linear_weights,
        linear_biases,
        weights,
        strict=True,
    )
    logits = []
    for values, kind_behaviours, gate, slot, table, matrix, base, direction in parts:
        hidden = torch.relu(values @ matrix.T + base + slot + table[kind_behaviours])
        logits.append((hidden * direction).sum(dim=-1) * gain + gate.unsqueeze(1))
    return (speed * bias + torch.cat(logits, dim=1)).masked_fill(empty, -torch.inf)


class _Weigh(torch.autograd.Function):
    """The compiled weights; hidden values are computed again in the backward pass."""

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
        bias: Tensor,
        weights: Tensor,
        *small: Tensor,
    ) -> Tensor:
        inputs = [value.contiguous() for value in (numbers, behaviours, empty)]
        parameters = [value.contiguous() for value in (gates, bias, weights)] + _joined(small)
        logits = torch.empty(empty.shape, dtype=gates.dtype)
        ctx.save_for_backward(*inputs, *parameters)
        ctx.sizes, ctx.constants = sizes, _constants(weights, sizes, gain, speed)
        arrays = [*_arrays((*inputs, *parameters)), *ctx.constants, logits.numpy()]
        _forward(threads_for(len(empty)), *arrays, *_unrolled(weights.shape[1], numbers.shape[2]))
        return logits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        gradients = [torch.zeros_like(value) for value in saved[3:]]
        arrays = [*_arrays((gradient.contiguous(), *saved)), *ctx.constants, *_arrays(gradients)]
        _backward(threads_for(len(gradient)), *arrays, *_unrolled(saved[0].shape[2]))
        gates, bias, weights, offsets, tables, linear = gradients
        slots = offsets.split(ctx.sizes)
        matrices, bases = linear.transpose(1, 2).unbind(), [slot.sum(dim=0) for slot in slots]
        return (
            *[None] * 6, gates, bias, weights, *slots, *tables.unbind(), *matrices, *bases,
        )  # fmt: skip


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
) -> tuple[Array, Any, Any]:
    """Kind of each slot, and both factors in the type of the weights."""
    scalar = weights.detach().numpy().dtype.type
    return np.repeat(np.arange(len(sizes)), sizes), scalar(gain), scalar(speed)


@compiled
def _weigh_rows(
    first: int,
    last: int,
    numbers: Array,
    behaviours: Array,
    empty: Array,
    gates: Array,
    bias: Array,
    weights: Array,
    offsets: Array,
    tables: Array,
    linear: Array,
    kinds: Array,
    gain: Any,
    speed: Any,
    logits: Array,
    lanes: tuple[int, ...],
    columns: tuple[int, ...],
) -> None:
    n_slots = empty.shape[1]
    width, n_numbers = len(lanes), len(columns)
    zero = weights.dtype.type(0)
    for row in range(first, last):
        for slot in range(n_slots):
            if empty[row, slot]:
                logits[row, slot] = -np.inf
                continue
            kind, behaviour = kinds[slot], behaviours[row, slot]
            total = zero
            for h in range(width):
                hidden = offsets[slot, h] + tables[kind, behaviour, h]
                for j in range(n_numbers):
                    hidden += numbers[row, slot, j] * linear[kind, j, h]
                total += max(hidden, zero) * weights[kind, h]
            logits[row, slot] = gain * total + gates[row, kind] + speed * bias[slot]


_weigh_all = in_parallel(_weigh_rows)


@compiled
def _forward(
    threads: int,
    numbers: Array,
    behaviours: Array,
    empty: Array,
    gates: Array,
    bias: Array,
    weights: Array,
    offsets: Array,
    tables: Array,
    linear: Array,
    kinds: Array,
    gain: Any,
    speed: Any,
    logits: Array,
    lanes: tuple[int, ...],
    columns: tuple[int, ...],
) -> None:
    """Fill in log weights; the tuples tell the hidden width and how many numbers there are."""
    small = gates, bias, weights, offsets, tables, linear, kinds, gain, speed
    _weigh_all(threads, len(empty), (numbers, behaviours, empty, *small, logits, lanes, columns))


@compiled
def _width_back(
    start: int,
    stop: int,
    gradient: Array,
    numbers: Array,
    behaviours: Array,
    empty: Array,
    gates: Array,
    bias: Array,
    weights: Array,
    offsets: Array,
    tables: Array,
    linear: Array,
    kinds: Array,
    gain: Any,
    speed: Any,
    to_gates: Array,
    to_bias: Array,
    to_weights: Array,
    to_offsets: Array,
    to_tables: Array,
    to_linear: Array,
    columns: tuple[int, ...],
) -> None:
    """Add to the gradients of some of the hidden width, slot by slot; and others with the first.

    The full rows of a slot are put side by side, ordered by behaviour, so that the loop over
    them is long and reads one number after another. What the weights get follows from the
    other sums, as a hidden value that is passed on is linear in the parameters.
    """
    n, n_slots = empty.shape
    n_behaviours, n_numbers = tables.shape[1], len(columns)
    zero = weights.dtype.type(0)
    padded = (n_numbers + TOGETHER - 1) // TOGETHER * TOGETHER
    x = np.zeros((padded, n), weights.dtype)
    arriving, passed = np.zeros(n, weights.dtype), np.zeros(n, weights.dtype)
    stops = np.zeros(n_behaviours + 1, np.int64)
    for slot in range(n_slots):
        kind = kinds[slot]
        stops[:] = 0
        for row in range(n):
            if not empty[row, slot]:
                stops[behaviours[row, slot] + 1] += 1
        for b in range(n_behaviours):
            stops[b + 1] += stops[b]
        n_full = stops[n_behaviours]
        if n_full == 0:
            continue
        total = zero
        # Each behaviour's start moves on to its stop.
        for row in range(n):
            if empty[row, slot]:
                continue
            place = stops[behaviours[row, slot]]
            stops[behaviours[row, slot]] += 1
            value = gradient[row, slot]
            if start == 0:
                to_gates[row, kind] += value
            total += value
            arriving[place] = gain * value
            for j in range(n_numbers):
                x[j, place] = numbers[row, slot, j]
        if start == 0:
            to_bias[slot] = speed * total
        for h in range(start, stop):
            weight = weights[kind, h]
            to_weight = to_slot = zero
            first = 0
            for b in range(n_behaviours):
                last = stops[b]
                offset = offsets[slot, h] + tables[kind, b, h]
                total = zero
                # Slices, whose indices begin at 0, let the loop be vectorised.
                part = x[:, first:last]
                coming = arriving[first:last]
                going = passed[first:last]
                for m in range(last - first):
                    hidden = offset
                    for j in range(n_numbers):
                        hidden += part[j, m] * linear[kind, j, h]
                    going[m] = coming[m] if hidden > zero else zero
                for m in range(last - first):
                    total += going[m]
                to_tables[kind, b, h] += weight * total
                to_slot += total
                to_weight += offset * total
                first = last
            to_offsets[slot, h] = weight * to_slot
            for j in range(0, padded, TOGETHER):
                x0 = x[j]
                x1 = x[j + 1]
                x2 = x[j + 2]
                x3 = x[j + 3]
                sum0 = sum1 = sum2 = sum3 = zero
                for m in range(n_full):
                    value = passed[m]
                    sum0 += value * x0[m]
                    sum1 += value * x1[m]
                    sum2 += value * x2[m]
                    sum3 += value * x3[m]
                for i, total in enumerate((sum0, sum1, sum2, sum3)):
                    if j + i < n_numbers:
                        to_linear[kind, j + i, h] += weight * total
                        to_weight += linear[kind, j + i, h] * total
            to_weights[kind, h] += to_weight


_all_width_back = in_parallel(_width_back)


@compiled
def _backward(
    threads: int,
    gradient: Array,
    numbers: Array,
    behaviours: Array,
    empty: Array,
    gates: Array,
    bias: Array,
    weights: Array,
    offsets: Array,
    tables: Array,
    linear: Array,
    kinds: Array,
    gain: Any,
    speed: Any,
    to_gates: Array,
    to_bias: Array,
    to_weights: Array,
    to_offsets: Array,
    to_tables: Array,
    to_linear: Array,
    columns: tuple[int, ...],
) -> None:
    """Add to gradients; one thread knows all rows, for no sum is over the hidden width."""
    rows = gradient, numbers, behaviours, empty
    small = gates, bias, weights, offsets, tables, linear, kinds, gain, speed
    sums = to_gates, to_bias, to_weights, to_offsets, to_tables, to_linear, columns
    _all_width_back(threads, weights.shape[1], rows + small + sums)
