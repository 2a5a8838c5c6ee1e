"""Telling a record of several lines from a quote that was never closed and swallows rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import polars as pl

# Rows without quotes from which it is told in which columns figures stand.
ROWS, FEWEST = 200, 3
# Of them, those that must have figures there.
MOST = 2 / 3
_FIGURES = re.compile(r'[ "]*[+-]?[0-9][0-9 :/.TZ+-]*"?\Z')


class Rows:
    """Tells lines that are rows of a table by themselves.

    Such a line has as many cells as the table has columns, each of whose quotes is closed, and
    figures alone in one of the columns in which rows without quotes have them, as those of times
    mostly are. Where there are no such rows, or no such columns, those of the record's first line
    are taken; where that has none either, the number of cells decides.

    Parameters
    ----------
    lines : Series of str
        Lines of the table.
    separator : str
    n_columns : int
    """

    def __init__(self, lines: pl.Series, separator: str, n_columns: int) -> None:
        self._lines, self._separator, self._n_columns = lines, separator, n_columns

    def swallowed(self, record: Sequence[str]) -> bool:
        """Whether a record of several lines is made of rows, line by line.

        It is where at least half of the lines between its first and its last are rows. A record
        of two lines is where both are, its open quote taken for a plain character.
        """
        figures = self._figures or _figures(self._cells(record[0]))
        if len(record) == 2:
            first = len(self._cells(record[0])) == self._n_columns
            return first and self._is_row(record[1], figures)
        inner = record[1:-1]
        return 2 * sum(self._is_row(line, figures) for line in inner) >= len(inner)

    def _cells(self, line: str) -> list[str]:
        return line.split(self._separator)

    def _is_row(self, line: str, figures: frozenset[int]) -> bool:
        # Most lines of a text have too few separators, which is quickly seen.
        if line.count(self._separator) < self._n_columns - 1:
            return False
        cells = _closed_cells(line, self._separator)
        if len(cells) != self._n_columns:
            return False
        return not figures or bool(figures & _figures(cells))

    @cached_property
    def _figures(self) -> frozenset[int]:
        plain = self._lines.filter(~self._lines.str.contains('"', literal=True)).head(ROWS)
        rows = [cells for line in plain if len(cells := self._cells(line)) == self._n_columns]
        if len(rows) < FEWEST:
            return frozenset()
        found = [_figures(cells) for cells in rows]
        return frozenset(
            place
            for place in range(self._n_columns)
            if sum(place in figures for figures in found) >= MOST * len(rows)
        )


def _closed_cells(line: str, separator: str) -> list[str]:
    """Split a line, cells in quotes taken together; nothing if one of them is not closed."""
    cells: list[str] = []
    for part in line.split(separator):
        if cells and _is_open(cells[-1]):
            cells[-1] += separator + part
        else:
            cells.append(part)
    return [] if _is_open(cells[-1]) else cells


def _is_open(cell: str) -> bool:
    return cell.startswith('"') and cell.count('"') % 2 == 1


def _figures(cells: Sequence[str]) -> frozenset[int]:
    """Give the places of cells of figures alone, and what stands between those of a time."""
    return frozenset(place for place, cell in enumerate(cells) if _FIGURES.match(cell))
