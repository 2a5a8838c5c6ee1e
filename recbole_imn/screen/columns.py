"""Cells side by side, in columns of fixed width, so that a table can grow line by line."""

from __future__ import annotations

from collections.abc import Sequence

GAP = "  "
# Nothing that people read is wider, but for names that cannot be broken.
WIDTH = 100


def laid_out(cells: Sequence[str], widths: Sequence[int], n_left: int = 0) -> str:
    """Put cells side by side.

    Parameters
    ----------
    cells : sequence of str
        A longer one than its column moves what follows, and is not cut.
    widths : sequence of int
    n_left : int
        How many of the first cells begin where their column does; others end with it.
    """
    placed = [
        cell.ljust(width) if number < n_left else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return GAP.join(placed).rstrip()


def table(rows: Sequence[Sequence[str]], n_left: int = 1) -> list[str]:
    """Lay out rows whose columns are as wide as their widest cell, a line a row."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [laid_out(row, widths, n_left) for row in rows]


def width_of(widths: Sequence[int]) -> int:
    """Give the width of a line of columns."""
    return sum(widths) + len(GAP) * max(len(widths) - 1, 0)
