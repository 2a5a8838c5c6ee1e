"""Matrix products in which a row's result does not depend on its neighbours.

Linear algebra libraries use other code for very small products, whose sums round
differently. A score would then change in its last bit with the number of later events that
happen to share a product. Padding small products keeps every row on the same code. How few
rows are too few depends on the processor, so it is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

# Products of more rows than this times the number of threads are never small.
MOST_ROWS = 16
# Beyond this many columns, their number makes no difference.
MOST_COLUMNS = 256


@cache
def fewest_rows(n_in: int, n_out: int, dtype: torch.dtype, threads: int) -> int:
    """Measure from how many rows on a product gives each row the same bits.

    Parameters
    ----------
    n_in, n_out : int
        Shape of the matrix that the rows are multiplied by.
    dtype : torch.dtype
    threads : int
        Number of threads that work on the product; must be the present one.
    """
    most = MOST_ROWS * threads
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(4 * most, n_in, generator=generator, dtype=dtype)
    weight = torch.randn(n_in, n_out, generator=generator, dtype=dtype)
    bias, transposed = weight[0].clone(), weight.t().contiguous()
    # The same matrix as columns of a wider one.
    columns = torch.cat([transposed, transposed], dim=1)[:, n_in:]
    # A matrix that lies another way, a bias, or a sum that goes on takes other code.
    ways: list[Callable[[Tensor], Tensor]] = [
        lambda some: some @ weight,
        lambda some: functional.linear(some, transposed),
        lambda some: functional.linear(some, transposed, bias),
        lambda some: functional.linear(some, columns, bias),
        lambda some: bias.repeat(len(some), 1).addmm_(some, columns.t()),
    ]
    expected = [way(rows) for way in ways]
    for n in range(most, 0, -1):
        # Few numbers may agree by luck; hence all places.
        for start in range(0, len(rows) - n + 1, n):
            block = slice(start, start + n)
            for way, whole in zip(ways, expected, strict=True):
                if not torch.equal(way(rows[block]), whole[block]):
                    return n + 1
    return 1


def affine(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give ``rows @ weight.T + bias``, float [n, n_out].

    Parameters
    ----------
    rows : float [n, n_in]
    weight : float [n_out, n_in]
    bias : float [n_out], optional
    """
    n_out = len(weight)
    # With few columns, a row's sum depends even on its place in a large product.
    missing = MOST_ROWS - n_out
    if missing > 0:
        weight = functional.pad(weight, (0, 0, 0, missing))
        bias = None if bias is None else functional.pad(bias, (0, missing))
    return functional.linear(_padded(rows, len(weight)), weight, bias)[: len(rows), :n_out]


def add_product(out: Tensor, rows: Tensor, weight: Tensor) -> None:
    """Add ``rows @ weight.T`` to ``out``, in place; no gradient flows.

    Parameters
    ----------
    out : float [n, n_out]
        Of at least ``MOST_ROWS`` columns.
    rows : float [n, n_in]
    weight : float [n_out, n_in]
    """
    missing = _missing_rows(rows, len(weight))
    if missing <= 0:
        out.addmm_(rows, weight.t())
        return
    padding = (0, 0, 0, missing)
    summed = functional.pad(out, padding).addmm_(functional.pad(rows, padding), weight.t())
    out.copy_(summed[: len(out)])


def _padded(rows: Tensor, n_out: int) -> Tensor:
    missing = _missing_rows(rows, n_out)
    return rows if missing <= 0 else functional.pad(rows, (0, 0, 0, missing))


def _missing_rows(rows: Tensor, n_out: int) -> int:
    """Give the number of rows that a product lacks to be no small one."""
    threads = torch.get_num_threads()
    if len(rows) > MOST_ROWS * threads or rows.device.type != "cpu":
        return 0
    return fewest_rows(rows.shape[1], min(n_out, MOST_COLUMNS), rows.dtype, threads) - len(rows)


def sigmoid(values: Tensor) -> Tensor:
    """Give the logistic sigmoid with gradients, each element by the same code."""
    return torch.exp(-values).add(1).reciprocal()


def rows_agree(width: int = 256) -> bool:
    """Whether this machine gives a row the same result in products of any number of rows."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(100, width, generator=generator)
    weight = torch.randn(width, width, generator=generator)
    expected = affine(rows, weight)
    return all(torch.equal(affine(rows[:n], weight), expected[:n]) for n in range(1, len(rows)))
