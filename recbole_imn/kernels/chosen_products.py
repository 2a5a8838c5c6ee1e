"""Products of rows by vectors that each row has chosen for itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.conditioning import array, is_compiled


def chosen_products(queries: Tensor, vectors: Tensor, columns: Tensor) -> Tensor:
    """Give the product of each row's query by each of the vectors that it has chosen.

    Where rows choose few of many vectors, a product by all of them is mostly for nothing.

    Parameters
    ----------
    queries : float [n, width]
    vectors : float [m, width]
    columns : int32 or int64 [n, n_chosen]
        Rows of ``vectors``; one may be chosen more than once.

    Returns
    -------
    float [n, n_chosen]

    Raises
    ------
    IndexError
        If a vector does not exist.
    """
    if not is_compiled(queries):
        return chosen_products_formula(queries, vectors, columns)
    products: Tensor = _ChosenProducts.apply(queries, vectors, columns)  # type: ignore[no-untyped-call]
    return products


def chosen_products_formula(queries: Tensor, vectors: Tensor, columns: Tensor) -> Tensor:
    """Give :func:`chosen_products` as torch operations."""
    return (vectors[columns.long()] * queries.unsqueeze(1)).sum(dim=2)


class _ChosenProducts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, queries: Tensor, vectors: Tensor, columns: Tensor) -> Tensor:
        out = queries.new_empty(columns.shape)
        _products(*map(array, (queries, vectors, columns, out)))
        ctx.save_for_backward(queries, vectors, columns)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        queries, vectors, columns = ctx.saved_tensors
        to_queries, to_vectors = torch.zeros_like(queries), torch.zeros_like(vectors)
        _products_back(*map(array, (queries, vectors, columns, grad, to_queries, to_vectors)))
        return to_queries, to_vectors, None


@compiled
def _products(queries: Any, vectors: Any, columns: Any, out: Any) -> None:
    width = queries.shape[1]
    if vectors.shape[1] != width or len(columns) != len(queries):
        raise ValueError("shapes of queries, vectors and columns do not agree")
    for i in range(len(queries)):
        query = queries[i]
        for k in range(columns.shape[1]):
            column = columns[i, k]
            if column < 0 or column >= len(vectors):
                raise IndexError("a vector that is chosen does not exist")
            vector, total = vectors[column], out.dtype.type(0)
            for j in range(width):
                total += query[j] * vector[j]
            out[i, k] = total


@compiled
def _products_back(
    queries: Any, vectors: Any, columns: Any, grad: Any, to_queries: Any, to_vectors: Any
) -> None:
    width = queries.shape[1]
    for i in range(len(queries)):
        query, to_query = queries[i], to_queries[i]
        for k in range(columns.shape[1]):
            factor, vector = grad[i, k], vectors[columns[i, k]]
            to_vector = to_vectors[columns[i, k]]
            for j in range(width):
                to_query[j] += factor * vector[j]
            for j in range(width):
                to_vector[j] += factor * query[j]
