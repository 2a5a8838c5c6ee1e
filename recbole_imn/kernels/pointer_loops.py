"""Compiled loops of the pointer's log weights, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.in_parallel import in_parallel

Array = npt.NDArray[Any]
# As many sums over the rows of a slot are taken in one pass, in registers.
TOGETHER = 4


@compiled
def _weigh_rows(
    first: int,
    last: int,
    numbers: Array,
    behaviours: Array,
    empty: Array,
    gates: Array,
    inner: Array,
    bias: Array,
    weights: Array,
    offsets: Array,
    tables: Array,
    linear: Array,
    kinds: Array,
    flags: Array,
    gain: Any,
    speed: Any,
    logits: Array,
    marks: Array,
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
            total, passed = zero, np.uint32(0)
            for h in range(width):
                hidden = offsets[slot, h] + tables[kind, behaviour, h] + inner[row, kind, h]
                for j in range(n_numbers):
                    hidden += numbers[row, slot, j] * linear[kind, j, h]
                total += max(hidden, zero) * weights[kind, h]
                passed = np.uint32(passed + (flags[h] if hidden > zero else np.uint32(0)))
            logits[row, slot] = gain * total + gates[row, kind] + speed * bias[slot]
            marks[row, slot] = passed


_weigh_all = in_parallel(_weigh_rows)


@compiled
def forward(
    threads: int,
    numbers: Array,
    behaviours: Array,
    empty: Array,
    gates: Array,
    inner: Array,
    bias: Array,
    weights: Array,
    offsets: Array,
    tables: Array,
    linear: Array,
    kinds: Array,
    flags: Array,
    gain: Any,
    speed: Any,
    logits: Array,
    marks: Array,
    lanes: tuple[int, ...],
    columns: tuple[int, ...],
) -> None:
    """Fill in log weights, and marks of the hidden values above 0, which pass gradients on.

    The tuples tell the hidden width and how many numbers there are.
    """
    rows = numbers, behaviours, empty, gates, inner
    small = bias, weights, offsets, tables, linear, kinds, flags, gain, speed
    _weigh_all(threads, len(empty), (*rows, *small, logits, marks, lanes, columns))


@compiled
def _rows_back(
    first: int,
    last: int,
    gradient: Array,
    empty: Array,
    marks: Array,
    kinds: Array,
    flags: Array,
    gain: Any,
    to_gates: Array,
    to_inner: Array,
) -> None:
    """Add up what arrives at the gates and, before the weights, at the hidden values of rows."""
    zero = gradient.dtype.type(0)
    for row in range(first, last):
        for slot in range(empty.shape[1]):
            if empty[row, slot]:
                continue
            kind, value, passed = kinds[slot], gradient[row, slot], marks[row, slot]
            to_gates[row, kind] += value
            value *= gain
            for h in range(to_inner.shape[2]):
                to_inner[row, kind, h] += value if passed & flags[h] else zero


_all_rows_back = in_parallel(_rows_back)


@compiled
def _width_back(
    start: int,
    stop: int,
    gradient: Array,
    numbers: Array,
    behaviours: Array,
    empty: Array,
    inner: Array,
    marks: Array,
    weights: Array,
    offsets: Array,
    tables: Array,
    linear: Array,
    kinds: Array,
    flags: Array,
    gain: Any,
    speed: Any,
    to_inner: Array,
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
    marked = np.zeros(n, np.uint32)
    # Row by row, as they lie in memory.
    counts = np.zeros((n_slots, n_behaviours), np.int64)
    for row in range(n):
        for slot in range(n_slots):
            if not empty[row, slot]:
                counts[slot, behaviours[row, slot]] += 1
    stops = np.zeros(n_behaviours + 1, np.int64)
    for slot in range(n_slots):
        kind = kinds[slot]
        stops[0] = 0
        for b in range(n_behaviours):
            stops[b + 1] = stops[b] + counts[slot, b]
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
            total += value
            arriving[place] = gain * value
            marked[place] = marks[row, slot]
            for j in range(n_numbers):
                x[j, place] = numbers[row, slot, j]
        if start == 0:
            to_bias[slot] = speed * total
        for h in range(start, stop):
            weight, flag = weights[kind, h], flags[h]
            for m in range(n_full):
                passed[m] = arriving[m] if marked[m] & flag else zero
            to_weight = to_slot = zero
            first = 0
            for b in range(n_behaviours):
                last = stops[b]
                total = zero
                # A slice, whose indices begin at 0, lets the loop be vectorised.
                part = passed[first:last]
                for m in range(last - first):
                    total += part[m]
                to_tables[kind, b, h] += weight * total
                to_slot += total
                to_weight += (offsets[slot, h] + tables[kind, b, h]) * total
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
    for row in range(n):
        for kind in range(len(weights)):
            for h in range(start, stop):
                value = to_inner[row, kind, h]
                to_weights[kind, h] += value * inner[row, kind, h]
                to_inner[row, kind, h] = value * weights[kind, h]


_all_width_back = in_parallel(_width_back)


@compiled
def backward(
    threads: int,
    gradient: Array,
    numbers: Array,
    behaviours: Array,
    empty: Array,
    inner: Array,
    marks: Array,
    weights: Array,
    offsets: Array,
    tables: Array,
    linear: Array,
    kinds: Array,
    flags: Array,
    gain: Any,
    speed: Any,
    to_gates: Array,
    to_inner: Array,
    to_bias: Array,
    to_weights: Array,
    to_offsets: Array,
    to_tables: Array,
    to_linear: Array,
    columns: tuple[int, ...],
) -> None:
    """Add to gradients, which are 0 before.

    Sums over slots are taken row by row. In sums over rows one thread knows all rows, and
    threads share the hidden width, over which no sum is.
    """
    of_rows = gradient, empty, marks, kinds, flags, gain, to_gates, to_inner
    _all_rows_back(threads, len(gradient), of_rows)
    rows = gradient, numbers, behaviours, empty, inner, marks
    small = weights, offsets, tables, linear, kinds, flags, gain, speed
    sums = to_inner, to_bias, to_weights, to_offsets, to_tables, to_linear, columns
    _all_width_back(threads, weights.shape[1], rows + small + sums)
