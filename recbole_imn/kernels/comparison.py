"""What rows are compared with: distances (11) and log density ratios (13) in one function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled

# Rows from a first one on, up to another, and the number of versions that they see.
Chunk = tuple[int, int, int]


def compare(
    mapped: Tensor,
    represented: Tensor,
    log_temperature: Tensor,
    columns: tuple[int, int],
    chunks: Sequence[Chunk],
) -> tuple[Tensor, Tensor, list[Tensor]]:
    r"""Compare mapped contexts with representations of items.

    .. math::
        \sum_i |p_i - x_i|^2, \quad e^{-\tau} q_i \cdot x_i, \quad e^{-\tau} q_i \cdot y_j

    where p and q are two maps of a context, x is the item of the row's event, and y are
    versions of the negatives. In the distances, x gets no gradient: else the cheapest way to
    predict items would be to make them alike.

    Parameters
    ----------
    mapped : float [n, anything]
    represented : float [n + n_versions of all chunks, width]
        The items of the rows' events, then the versions, chunk by chunk.
    log_temperature : float []
    columns : tuple of int
        Where p and q begin in ``mapped``, which may be the same; -1 for none.
    chunks : sequence of tuple of int
        Rows that are compared with the same versions: start, stop, number of versions. Each row
        is in one of them, or there are none.

    Returns
    -------
    squares : float []
    scores : float [n]
    products : list of float [stop - start, n_versions]
        One a chunk; all of them are 0 where there is no q.
    """
    given = (mapped, represented, log_temperature, columns, tuple(chunks))
    if not is_compiled(mapped):
        return compare_formula(*given)
    squares, scores, *products = _Compare.apply(*given)  # type: ignore[no-untyped-call]
    return squares, scores, products


def compare_formula(
    mapped: Tensor,
    represented: Tensor,
    log_temperature: Tensor,
    columns: tuple[int, int],
    chunks: Sequence[Chunk],
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Give :func:`compare` as torch operations."""
    n, width = len(mapped), represented.shape[1]
    positive, *versions = represented.split([n, *(size for _, _, size in chunks)])
    predicted, compared = (
        positive.detach() * 0 if column < 0 else mapped[:, column : column + width]
        for column in columns
    )
    compared = compared * torch.exp(-log_temperature)
    squares = predicted.new_zeros(())
    if columns[0] >= 0:
        squares = (predicted - positive.detach()).square().sum()
    scores = (compared * positive).sum(dim=1)
    parts = zip(chunks, versions, strict=True)
    return squares, scores, [compared[start:stop] @ seen.t() for (start, stop, _), seen in parts]


class _Compare(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        mapped: Tensor,
        represented: Tensor,
        log_temperature: Tensor,
        columns: tuple[int, int],
        chunks: tuple[Chunk, ...],
    ) -> tuple[Tensor, ...]:
        compared = mapped.new_empty(len(mapped), represented.shape[1])
        scores = mapped.new_empty(len(mapped))
        # Where training diverges it is infinite, which others notice and tell.
        with np.errstate(over="ignore"):
            inverse = np.exp(-array(log_temperature)).reshape(1)
        arrays: Any = *map(array, (mapped, represented, compared, scores)), inverse
        squares = _compare(*(*arrays, *columns))
        products = [
            compared[start:stop] @ versions.t()
            if columns[1] >= 0
            else compared.new_zeros(stop - start, len(versions))
            for start, stop, versions in _chunks(represented, len(mapped), chunks)
        ]
        ctx.save_for_backward(mapped, represented, compared)
        ctx.inverse, ctx.columns, ctx.chunks = inverse, columns, chunks
        return mapped.new_tensor(squares), scores, *products

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_squares: Tensor, of_scores: Tensor, *of_products: Tensor) -> Any:
        mapped, represented, compared = ctx.saved_tensors
        to_mapped = torch.zeros_like(mapped)
        # Each row is in a chunk, or none is.
        to_compared = torch.empty_like(compared) if ctx.chunks else torch.zeros_like(compared)
        to_represented = torch.empty_like(represented)
        if ctx.columns[1] < 0:
            # What is 0 whatever there is moves nothing.
            of_products, _ = (), to_represented.zero_()
        parts = [
            _chunks(values, len(mapped), ctx.chunks) for values in (represented, to_represented)
        ]
        for grad, (start, stop, versions), (_, _, to_versions) in zip(
            of_products, *parts, strict=False
        ):
            torch.mm(grad, versions, out=to_compared[start:stop])
            torch.mm(grad.t(), compared[start:stop], out=to_versions)
        given = (mapped, represented, compared, of_scores, to_compared, to_mapped, to_represented)
        factor = (2 * array(of_squares)).astype(ctx.inverse.dtype).reshape(1)
        arrays: Any = *map(array, given), ctx.inverse, factor
        to_temperature = _compare_back(*arrays, *ctx.columns)
        return to_mapped, to_represented, mapped.new_tensor(to_temperature), None, None


def _chunks(
    represented: Tensor, first: int, chunks: Sequence[Chunk]
) -> list[tuple[int, int, Tensor]]:
    """Give start, stop and versions of each chunk."""
    found = []
    for start, stop, size in chunks:
        found.append((start, stop, represented[first : first + size]))
        first += size
    return found


@compiled
def _compare(
    mapped: Any,
    represented: Any,
    compared: Any,
    scores: Any,
    inverse: Any,
    predicted: int,
    column: int,
) -> float:
    """Write q over the temperature and scores of the rows' items; give the sum of squares."""
    n, width = compared.shape
    squares = 0.0
    for i in range(n):
        item, query = represented[i], compared[i]
        if predicted >= 0:
            place, distance = mapped[i, predicted:], inverse.dtype.type(0)
            for j in range(width):
                away = place[j] - item[j]
                distance += away * away
            squares += distance
        if column < 0:
            query[:] = 0
        else:
            values = mapped[i, column:]
            for j in range(width):
                query[j] = values[j] * inverse[0]
        score = inverse.dtype.type(0)
        for j in range(width):
            score += query[j] * item[j]
        scores[i] = score
    return squares


@compiled
def _compare_back(
    mapped: Any,
    represented: Any,
    compared: Any,
    of_scores: Any,
    to_compared: Any,
    to_mapped: Any,
    to_represented: Any,
    inverse: Any,
    factor: Any,
    predicted: int,
    column: int,
) -> float:
    """Write gradients; give that of the temperature's logarithm."""
    n, width = compared.shape
    to_temperature = 0.0
    for i in range(n):
        item, query, arriving = represented[i], compared[i], to_compared[i]
        to_item, of_score = to_represented[i], of_scores[i]
        for j in range(width):
            to_item[j] = of_score * query[j]
        if predicted >= 0:
            place, to_place = mapped[i, predicted:], to_mapped[i, predicted:]
            for j in range(width):
                to_place[j] += factor[0] * (place[j] - item[j])
        if column >= 0:
            to_query, along = to_mapped[i, column:], inverse.dtype.type(0)
            for j in range(width):
                arriving[j] += of_score * item[j]
            for j in range(width):
                along += arriving[j] * query[j]
            for j in range(width):
                to_query[j] += inverse[0] * arriving[j]
            to_temperature -= along
    return to_temperature
