"""Products of a few rows: sums are chains of multiply-adds, whatever the rows beside them."""

import numpy as np
import pytest

from recbole_imn.kernels.tiles import TILE_ROWS, multiply, panel_columns, transposed_panels

TYPES = [np.float32, np.float64]


def product(rows, matrix, copied):
    """Multiply with a matrix as it lies, or with a copy in panels."""
    n, length = rows.shape
    columns = panel_columns(rows.itemsize)
    width = matrix.shape[1]
    offsets, out = np.arange(n) * length, np.empty(n * width, rows.dtype)
    if copied:
        panels = matrix.reshape(length, -1, columns).transpose(1, 0, 2)
        matrix, strides = np.ascontiguousarray(panels), (columns, length * columns)
    else:
        strides = (width, columns)
    multiply(
        rows.reshape(-1), offsets, n, matrix.reshape(-1), *strides, columns, length,
        width // columns, out,
    )  # fmt: skip
    return out.reshape(n, width)


def numbers(rng, dtype, n, length, n_panels):
    width = n_panels * panel_columns(np.dtype(dtype).itemsize)
    shapes = ((n, length), (length, width))
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", range(1, TILE_ROWS + 1))
def test_products_are_right(n, dtype):
    rows, matrix = numbers(np.random.default_rng(n), dtype, n, 50, 3)
    exact = rows.astype(np.float64) @ matrix.astype(np.float64)
    for copied in (False, True):
        np.testing.assert_allclose(
            product(rows, matrix, copied), exact, atol=100 * np.finfo(dtype).eps
        )


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("length", [1, 7, 256])
def test_bits_depend_on_no_other_row_nor_on_the_layout(length, dtype):
    rows, matrix = numbers(np.random.default_rng(0), dtype, 6, length, 2)
    alone = np.concatenate([product(row[None], matrix, False) for row in rows])
    for n in range(1, 7):
        for copied in (False, True):
            np.testing.assert_array_equal(product(rows[:n], matrix, copied), alone[:n])


@pytest.mark.parametrize("shape", [(1, 1), (20, 33), (64, 16), (130, 47)])
def test_transposed_panels(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    columns = panel_columns(4)
    n_panels = -(-shape[0] // columns)
    out = np.zeros(n_panels * shape[1] * columns, np.float32)
    transposed_panels(matrix, columns, out)
    padded = np.zeros((n_panels * columns, shape[1]), np.float32)
    padded[: shape[0]] = matrix
    expected = padded.reshape(n_panels, columns, -1).transpose(0, 2, 1)
    np.testing.assert_array_equal(out.reshape(expected.shape), expected)
