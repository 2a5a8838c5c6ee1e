"""The mixture's loss as one pass over each row. Ranking is in its own file."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import torch
from numba.extending import overload
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled
from recbole_imn.kernels.in_parallel import in_parallel, threads_for
from recbole_imn.kernels.mixture_ranking import add_mixture, log_add_hits

__all__ = ["add_mixture", "log_add_hits", "mixture_loss", "mixture_loss_formula"]

# Over so many parts of the rows gradients of cells are added up, whatever threads there are.
N_PARTS = 2
# Stand for columns, cells, and positive cells that are not given.
NO_PLACES = (np.empty((0, 0), np.uint32), np.empty((0, 0), np.uint32), np.empty(0, np.uint32))


def mixture_loss(
    positive: Tensor,
    products: Tensor,
    columns: Tensor | None,
    shares: Tensor,
    own: Tensor,
    negatives: Tensor,
    weights: Tensor,
    hits: Tensor,
    table: Tensor | None = None,
    cells: Tensor | None = None,
    positive_cells: Tensor | None = None,
) -> Tensor:
    r"""Sum of the negative log probability of each row's item under the mixture.

    .. math::
        -\log \frac{e^{s^+} + \sum_{k \in hits} e^{w_k}}
        {e^{s^+} + \sum_j e^{s_j} + \sum_k e^{w_k}}

    Negatives stand for the rest of the catalogue (sampled softmax); candidates of the
    pointer are all there, so that their part of the sum is exact. Without slots it is the
    contrastive loss (21). Gradients go to ``positive``, ``products``, ``weights`` and
    ``table``.

    Parameters
    ----------
    positive : float [n]
        Log density ratio :math:`s^+` of the row's item.
    products : float [n, n_versions]
        Those of versions of the negatives.
    columns : int32 or int64 [n, n_negatives], optional
        For each row and negative, the column of ``products`` of the version it sees; the
        negative's own number by default.
    shares : float [n_negatives]
        Logarithm of how many items each negative stands for; -inf for none.
    own : int64 [n]
        The rows' items.
    negatives : int64 [n_negatives]
        The negatives; one that is the row's own item does not count for it.
    weights : float [n, n_slots]
        Log weights of the candidates; -inf for an empty slot.
    hits : bool [n, n_slots]
        Where a candidate is the row's item.
    table : float [n_cells], optional
        Log density ratios of items without any user, to be added to each score.
    cells : int32 [n, n_negatives], optional
        Cells of ``table`` of the negatives; with ``table`` only.
    positive_cells : int32 [n], optional
        Those of the rows' items; with ``table`` only.

    Returns
    -------
    float []

    Raises
    ------
    IndexError
        If a column or a cell does not exist.
    ValueError
        If shapes do not agree, or the table comes without cells, or they without it.
    """
    given = (positive, products, columns, shares, own, negatives, weights, hits)
    placed = (table, cells, positive_cells)
    if len({part is None for part in placed}) > 1:
        raise ValueError("table, cells and positive_cells come together or not at all")
    if not is_compiled(products):
        return mixture_loss_formula(*given, *placed)
    loss: Tensor = _MixtureLoss.apply(*given, *placed)  # type: ignore[no-untyped-call]
    return loss


def mixture_loss_formula(
    positive: Tensor,
    products: Tensor,
    columns: Tensor | None,
    shares: Tensor,
    own: Tensor,
    negatives: Tensor,
    weights: Tensor,
    hits: Tensor,
    table: Tensor | None = None,
    cells: Tensor | None = None,
    positive_cells: Tensor | None = None,
) -> Tensor:
    """Give :func:`mixture_loss` as torch operations."""
    scores = products if columns is None else products.gather(1, columns.long())
    scores = scores + shares
    if table is not None and cells is not None and positive_cells is not None:
        scores, positive = scores + table[cells.long()], positive + table[positive_cells.long()]
    scores = scores.masked_fill(own.unsqueeze(1) == negatives, -torch.inf)
    right = torch.cat([positive.unsqueeze(1), weights.masked_fill(~hits, -torch.inf)], dim=1)
    everything = torch.cat([positive.unsqueeze(1), scores, weights], dim=1)
    return (everything.logsumexp(dim=1) - right.logsumexp(dim=1)).sum()


class _MixtureLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        positive: Tensor,
        products: Tensor,
        columns: Tensor | None,
        shares: Tensor,
        own: Tensor,
        negatives: Tensor,
        weights: Tensor,
        hits: Tensor,
        table: Tensor | None,
        cells: Tensor | None,
        positive_cells: Tensor | None,
    ) -> Tensor:
        scores = array(products)
        given = (positive, shares.to(products.dtype), own, negatives, weights, hits)
        places = (columns, cells, positive_cells)
        ctx.places = [
            none if some is None else _unsigned(some)
            for some, none in zip(places, NO_PLACES, strict=True)
        ]
        ctx.chances = (
            np.empty((len(scores), len(negatives)), scores.dtype),
            np.empty(len(scores), scores.dtype),
            np.empty(weights.shape, scores.dtype),
        )
        values = np.empty(0, scores.dtype) if table is None else array(table)
        arrays: Any = (*map(array, given), values, *ctx.places, *ctx.chances)
        loss = _mixture_loss(threads_for(len(scores)), scores, *arrays)
        ctx.shape, ctx.n_cells = scores.shape, None if table is None else len(values)
        return torch.from_numpy(np.array(loss, scores.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        chances, of_positive, of_weights = ctx.chances
        of_products, factor = grad.new_empty(ctx.shape), array(grad)
        of_positive, of_weights = factor * of_positive, factor * of_weights
        of_table = np.empty(ctx.n_cells or 0, factor.dtype)
        arrays: Any = (*ctx.places, chances, of_positive, factor, of_products.numpy(), of_table)
        _mixture_loss_back(threads_for(len(chances)), *arrays)
        to_table = None if ctx.n_cells is None else torch.from_numpy(of_table)
        return (
            torch.from_numpy(of_positive),
            of_products,
            *(None,) * 4,
            torch.from_numpy(of_weights),
            None,
            to_table,
            None,
            None,
        )


def _unsigned(places: Tensor) -> Any:
    """Give places that do not count from the end where they are negative."""
    numbers = array(places)
    return numbers.view(f"u{numbers.dtype.itemsize}")


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
def _mixture_loss(
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
def _mixture_loss_back(
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
