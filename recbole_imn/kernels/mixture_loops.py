"""The loops of the mixture's loss, a row at a time."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numba.extending import overload

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.in_parallel import in_parallel

# Over so many parts of the rows gradients of cells are added up, whatever threads there are.
N_PARTS = 2


def _decay(distance: Any) -> Any:
    """Give exp(-distance) of a distance that is at least 0."""
    return math.exp(-distance)


@overload(_decay, jit_options={"fastmath": {"contract"}})
def _decay_of_type(distance: Any) -> Any:
    """Choose the code: the library's exponential function works on one number at a time."""
    return _decay_single if distance == numba.float32 else _decay


def _decay_single(distance: Any) -> Any:
    # 2^-k p(k ln 2 - distance), where p is the series of exp on [-0.35, 0.35].
    far = np.float32(87)
    near = distance if distance < far else far
    k = np.int32(near * np.float32(1.4426950408889634) + np.float32(0.5))
    rest = np.float32(k) * np.float32(0.6931471805599453) - distance
    value = np.float32(1 / 5040)
    value = value * rest + np.float32(1 / 720)
    value = value * rest + np.float32(1 / 120)
    value = value * rest + np.float32(1 / 24)
    value = value * rest + np.float32(1 / 6)
    value = value * rest + np.float32(0.5)
    value = value * rest + np.float32(1)
    value = value * rest + np.float32(1)
    power = np.int32((np.int32(127) - k) << np.int32(23)).view(np.float32)
    # What is no number stays none.
    return np.float32(0) if distance >= far else value * power


def _largest(values: Any) -> Any:
    """Give the largest of some numbers, -inf of none."""
    largest = -np.inf
    for value in values:
        largest = max(largest, value)
    return largest


@overload(_largest)
def _largest_of_type(values: Any) -> Any:
    """Choose the code: compilers look for the largest whole number in fewer steps."""
    return _largest_single if values.dtype == numba.float32 else _largest


def _largest_single(values: Any) -> Any:
    # Bits of positive numbers are in the order of the numbers; negative ones are turned round.
    places = values.view(np.int32)
    largest = np.int32(-0x7F800001)
    for j in range(len(places)):
        bits = places[j]
        turned = np.int32(bits ^ np.int32((bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))
        largest = max(largest, turned)
    bits = np.int32(largest ^ np.int32((largest >> np.int32(31)) & np.int32(0x7FFFFFFF)))
    return bits.view(np.float32)


@compiled
def _scores(
    i: Any, products: Any, columns: Any, shares: Any, table: Any, cells: Any, out: Any
) -> None:
    """Write the scores of a row's negatives."""
    if columns.size:
        for j in range(len(out)):
            out[j] = products[i, columns[i, j]] + shares[j]
    else:
        for j in range(len(out)):
            out[j] = products[i, j] + shares[j]
    if cells.size:
        for j in range(len(out)):
            out[j] += table[cells[i, j]]


@compiled
def _check(places: Any, size: int) -> None:
    """Refuse places beyond an array's end."""
    last, flat = places.dtype.type(0), places.reshape(-1)
    for k in range(len(flat)):
        last = max(last, flat[k])
    if places.size and last >= size:
        raise IndexError("a column or a cell does not exist")


@compiled
def _check_shapes(
    weights: Any, hits: Any, chances: Any, columns: Any, cells: Any, positive_cells: Any
) -> None:
    """Refuse shapes that would be read beyond their ends."""
    agree = weights.shape == hits.shape and len(weights) == len(chances)
    agree &= not columns.size or columns.shape == chances.shape
    agree &= not cells.size or cells.shape == chances.shape
    agree &= not len(positive_cells) or len(positive_cells) == len(chances)
    if not agree:
        raise ValueError("shapes of rows, negatives and slots do not agree")


@compiled
def _decay_all(values: Any, most: Any) -> Any:
    """Replace log weights by weights relative to the largest; give their sum."""
    for j in range(len(values)):
        values[j] = _decay(most - values[j])
    total = values.dtype.type(0)
    for j in range(len(values)):
        total += values[j]
    return total


@compiled
def _loss_of_rows(
    first: int,
    last: int,
    products: Any,
    positive: Any,
    shares: Any,
    own: Any,
    negatives: Any,
    weights: Any,
    hits: Any,
    table: Any,
    columns: Any,
    cells: Any,
    positive_cells: Any,
    chances: Any,
    of_positive: Any,
    of_weights: Any,
    losses: Any,
) -> None:
    _check(columns[first:last], products.shape[1])
    _check(cells[first:last], len(table))
    _check(positive_cells[first:last], len(table))
    n_negatives, n_slots = chances.shape[1], weights.shape[1]
    no, one = products.dtype.type(-np.inf), products.dtype.type(1)
    hit = np.empty(n_slots, weights.dtype)
    for i in range(first, last):
        row, candidate = chances[i], of_weights[i]
        _scores(i, products, columns, shares, table, cells, row)
        for j in range(n_negatives):
            row[j] = no if negatives[j] == own[i] else row[j]
        for k in range(n_slots):
            candidate[k] = weights[i, k]
            hit[k] = weights[i, k] if hits[i, k] else no
        score = positive[i]
        if len(positive_cells):
            score += table[positive_cells[i]]
        best = max(score, _largest(hit))
        most = max(score, _largest(row), _largest(candidate))
        share, right_share = _decay(most - score), _decay(best - score)
        total = share + _decay_all(row, most) + _decay_all(candidate, most)
        right = right_share + _decay_all(hit, best)
        scale, right_scale = one / total, one / right
        for j in range(n_negatives):
            row[j] *= scale
        for k in range(n_slots):
            candidate[k] = candidate[k] * scale - hit[k] * right_scale
        of_positive[i] = share * scale - right_share * right_scale
        losses[i] = (most - best) + np.log(total / right)


_loss_of_all = in_parallel(_loss_of_rows)


@compiled
def mixture_loss_of_rows(
    threads: int,
    products: Any,
    positive: Any,
    shares: Any,
    own: Any,
    negatives: Any,
    weights: Any,
    hits: Any,
    table: Any,
    columns: Any,
    cells: Any,
    positive_cells: Any,
    chances: Any,
    of_positive: Any,
    of_weights: Any,
) -> Any:
    """Give the loss; write the negatives' chances and the gradients of two parts."""
    _check_shapes(weights, hits, chances, columns, cells, positive_cells)
    if not len(positive) == len(own) == len(weights) or len(shares) != len(negatives):
        raise ValueError("shapes of rows, negatives and slots do not agree")
    if not columns.size and products.shape[1] < len(negatives):
        raise ValueError("there are fewer products than negatives")
    losses = np.empty(len(chances), np.float64)
    scored = products, positive, shares, own, negatives, weights, hits, table
    placed = columns, cells, positive_cells, chances, of_positive, of_weights, losses
    _loss_of_all(threads, len(chances), scored + placed)
    loss = 0.0
    for i in range(len(losses)):
        loss += losses[i]
    return loss


@compiled
def _rows_back(
    first: int,
    last: int,
    columns: Any,
    cells: Any,
    positive_cells: Any,
    chances: Any,
    of_positive: Any,
    grad: Any,
    of_products: Any,
    sums: Any,
) -> None:
    n_negatives, factor = chances.shape[1], grad[()]
    for i in range(first, last):
        row = of_products[i]
        row[:] = 0
        if columns.size:
            for j in range(n_negatives):
                row[columns[i, j]] += factor * chances[i, j]
        else:
            for j in range(n_negatives):
                row[j] = factor * chances[i, j]
        if cells.size:
            for j in range(n_negatives):
                sums[cells[i, j]] += factor * chances[i, j]
        if len(positive_cells):
            sums[positive_cells[i]] += of_positive[i]


@compiled
def _parts_back(
    first: int,
    last: int,
    columns: Any,
    cells: Any,
    positive_cells: Any,
    chances: Any,
    of_positive: Any,
    grad: Any,
    of_products: Any,
    sums: Any,
) -> None:
    """Write the gradients of products, and those of cells for each part of the rows."""
    n = len(chances)
    for part in range(first, last):
        begin, end = part * n // N_PARTS, (part + 1) * n // N_PARTS
        _rows_back(
            begin, end, columns, cells, positive_cells, chances, of_positive, grad, of_products,
            sums[part],
        )  # fmt: skip


_all_parts_back = in_parallel(_parts_back)


@compiled
def mixture_loss_back(
    threads: int,
    columns: Any,
    cells: Any,
    positive_cells: Any,
    chances: Any,
    of_positive: Any,
    grad: Any,
    of_products: Any,
    of_table: Any,
) -> None:
    """Write the gradients of products and table."""
    # Many negatives share a cell.
    sums = np.zeros((N_PARTS, len(of_table)), np.float64)
    placed = columns, cells, positive_cells
    _all_parts_back(threads, N_PARTS, (*placed, chances, of_positive, grad, of_products, sums))
    for cell in range(len(of_table)):
        total = 0.0
        for part in range(N_PARTS):
            total += sums[part, cell]
        of_table[cell] = total
