"""Matrix products in which a row's result does not depend on its neighbours.

Linear algebra libraries use other code for very small products, whose sums round
differently. A score would then change in its last bit with the number of later events that
happen to share a product. Padding small products keeps every row on the same code.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Rows for each thread below which a library may switch to other code. Seen: 1 on some
# processors, up to 3 on others; `python -m recbole_imn doctor` looks at the present one.
MINIMUM_ROWS = 8
# Floats that an elementwise loop of torch handles at once, at most.
VECTOR_LENGTH = 32


def affine(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give ``rows @ weight.T + bias``, float [n, n_out].

    Parameters
    ----------
    rows : float [n, n_in]
    weight : float [n_out, n_in]
    bias : float [n_out], optional
    """
    return functional.linear(_padded(rows), weight, bias)[: len(rows)]


def scores(queries: Tensor, table: Tensor) -> Tensor:
    """Give inner products of all pairs, float [n_queries, n_rows].

    Parameters
    ----------
    queries : float [n_queries, width]
    table : float [n_rows, width]
    """
    return affine(queries, _padded(table))[:, : len(table)]


def _padded(rows: Tensor) -> Tensor:
    missing = MINIMUM_ROWS * torch.get_num_threads() - len(rows)
    return rows if missing <= 0 else functional.pad(rows, (0, 0, 0, missing))


def add_product(base: Tensor, rows: Tensor, weight: Tensor, out: Tensor) -> None:
    """Write ``base + rows @ weight`` to ``out``, float [n, n_out]; no gradients.

    Parameters
    ----------
    base : float [n, n_out]
    rows : float [n, n_in]
    weight : float [n_in, n_out]
    out : float [n, n_out]
    """
    padded = _padded(rows)
    if padded is rows:
        torch.addmm(base, rows, weight, out=out)
    else:
        out.copy_(torch.addmm(_padded(base), padded, weight)[: len(rows)])


def sigmoid_(values: Tensor) -> None:
    """Apply the logistic sigmoid in place, each element by the same code, float [n, width].

    Vectorised and left-over elements of torch's sigmoid differ in their last bit, so that
    an element's place would matter where rows are no multiple of the vector length.
    """
    if values.shape[1] % VECTOR_LENGTH == 0 and values.is_contiguous():
        values.sigmoid_()
    else:
        values.neg_().exp_().add_(1).reciprocal_()


def tanh_(values: Tensor) -> None:
    """Apply tanh in place, each element by the same code, float [n, width]."""
    if values.shape[1] % VECTOR_LENGTH == 0 and values.is_contiguous():
        values.tanh_()
    else:
        # 2 sigma(2 x) - 1, from operations that round alike everywhere.
        values.mul_(-2).exp_().add_(1).reciprocal_().mul_(2).sub_(1)


def rows_agree(width: int = 256, most: int = 100) -> bool:
    """Whether this machine gives a row the same result in products of any number of rows."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(most, width, generator=generator)
    weight = torch.randn(width, width, generator=generator)
    expected = affine(rows, weight)
    return all(torch.equal(affine(rows[:n], weight), expected[:n]) for n in range(1, most))
