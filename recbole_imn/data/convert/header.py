"""Whether the first line of a table is its header."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from recbole_imn.data.convert.times import fitting, guess_format
from recbole_imn.errors import DataError

# What stands in a cell of a table where there is no value.
EMPTY_WORDS = frozenset({"", "nan", "null", "none", "na", "n/a", "nat", "-", "\\n"})
# Numbers of columns are below it, seconds since 1970 far above.
_SMALL, _EPOCH_SECONDS = 1_000, 1_000_000


def has_header(
    rows: Sequence[Sequence[str]], time_place: int | None, time_format: str, path: Path
) -> bool:
    """Tell from the cells whether the first row of a table names its columns.

    Where a column of times is known, a first cell that is a time stands in a row, and a word
    that is none is a name. Numbers of columns, which pandas writes for columns without names,
    are a header if they are no times beside those of the other rows.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows of a text table.
    time_place : int or None
        Column from 0 with times.
    time_format : str
        Their format, or ``auto``.
    path : Path

    Raises
    ------
    DataError
        If the first line may be either.
    """
    first = rows[0]
    if time_place is None or time_place >= len(first):
        return _names_numbers(rows) or not any(cell[:1].isdigit() for cell in first)
    cell = first[time_place]
    times = [row[time_place] for row in rows[1:] if len(row) > time_place and row[time_place]]
    found = _format(time_format, times or [cell])
    if _is_increasing(first):
        return _numbers_columns(first, found, times, path)
    if found and fitting([cell], found, "UTC"):
        return False
    return (cell[:1].isalpha() and cell.lower() not in EMPTY_WORDS) or cell[:1] in ("_", "#")


def _format(time_format: str, times: Sequence[str]) -> str:
    if time_format != "auto":
        return time_format
    try:
        return guess_format(times, "UTC")
    except DataError:
        return ""


def _is_increasing(cells: Sequence[str]) -> bool:
    if len(cells) < 2 or not all(cell.isdecimal() and int(cell) < _SMALL for cell in cells):
        return False
    return all(int(a) < int(b) for a, b in pairwise(cells))


def _numbers_columns(first: Sequence[str], found: str, times: Sequence[str], path: Path) -> bool:
    """Tell whether small increasing numbers count the columns."""
    if found != "seconds":
        return True
    values = [float(time) for time in times if fitting([time], "seconds", "UTC")]
    if values and min(values) >= _EPOCH_SECONDS:
        return True
    start = int(first[0])
    if start > 1 or [int(cell) for cell in first] != list(range(start, start + len(first))):
        return False
    raise DataError(
        f"{path}, line 1: {','.join(first)!r} may be a header or a row; say which with "
        "--header=true or --header=false"
    )


def _names_numbers(rows: Sequence[Sequence[str]]) -> bool:
    """Whether some column has numbers in every row but the first."""
    first, rest = rows[0], rows[1:]
    columns = list(zip(*(row for row in rest if len(row) == len(first)), strict=True))
    return any(
        not _is_number(name) and all(_is_number(cell) for cell in column)
        for name, column in zip(first, columns, strict=False)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
