"""Whether the first line of a table is its header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from recbole_imn.data.convert.column_names import names_something, tells_time, words
from recbole_imn.data.convert.times import fitting, guess_format
from recbole_imn.errors import DataError

# What stands in a cell of a table where there is no value.
EMPTY_WORDS = frozenset({"", "nan", "null", "none", "na", "n/a", "nat", "-", "\\n"})
# Numbers of columns are below it, seconds since 1970 far above.
_SMALL, _EPOCH_SECONDS = 1_000, 1_000_000
# Of the cells below, those that must look like the first for it to be one of them.
MOST = 0.9
SHOWN = 120
# What columns of logs and of items are mostly called, or end in.
_USUAL = frozenset((
    "user", "item", "product", "article", "customer", "behavior", "action", "event", "name",
    "title", "brand", "type", "category", "genre", "genres", "price", "rating", "description",
))  # fmt: skip


def has_header(
    rows: Sequence[Sequence[str]],
    time_place: int | None,
    time_format: str,
    path: Path,
    by_position: bool = False,
) -> bool:
    """Tell from the cells whether the first row of a table names its columns.

    Where a column of times is known, a first cell that is a time stands in a row, and a word
    that is none is a name. Numbers of columns, which pandas writes for columns without names,
    are a header if they are no times beside those of the other rows. Elsewhere a cell that looks
    like those below it, or that comes again there, stands in a row.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows of a text table.
    time_place : int or None
        Column from 0 with times.
    time_format : str
        Their format, or ``auto``.
    path : Path
    by_position : bool
        Whether columns are named by position, so that either may be meant.

    Raises
    ------
    DataError
        If the first line may be either.
    """
    first = rows[0]
    if time_place is None or time_place >= len(first):
        return _has_names(rows, path, by_position)
    cell = first[time_place]
    times = [row[time_place] for row in rows[1:] if len(row) > time_place and row[time_place]]
    found = _format(time_format, times or [cell])
    if _is_increasing(first):
        return _numbers_columns(first, found, times, path)
    if found and fitting([cell], found, "UTC"):
        return False
    is_word = (cell[:1].isalpha() and cell.lower() not in EMPTY_WORDS) or cell[:1] in ("_", "#")
    return is_word and (any(_is_usual(name) for name in first) or not _looks_like_others(rows))


def _has_names(rows: Sequence[Sequence[str]], path: Path, by_position: bool) -> bool:
    """Tell a header of a table whose times nobody knows."""
    first = rows[0]
    if _names_numbers(rows):
        return True
    if any(cell[:1].isdigit() for cell in first) or _looks_like_others(rows):
        return False
    if by_position and not any(_is_usual(cell) for cell in first):
        raise DataError(
            f"{path}, line 1: {','.join(first)[:SHOWN]!r} may be a header or a row; say which with "
            "header: true or header: false in --mapping=FILE (--header of a log)"
        )
    return True


def _looks_like_others(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first cell comes again below, or has letters and figures in the order of others."""
    first = list(rows[0])
    others = [row for row in rows[1:] if len(row) == len(first) and list(row) != first]
    for cell, *column in zip(first, *others, strict=True):
        below = [other for other in column if other.lower() not in EMPTY_WORDS]
        if cell.lower() in EMPTY_WORDS or not below:
            continue
        shape = _shape(cell)
        alike = sum(_shape(other) == shape for other in below)
        if cell in below or ("9" in shape and alike >= MOST * len(below)):
            return True
    return False


def _shape(cell: str) -> str:
    """Write letters as one of their kind and figures as 9, the same ones in a row once."""
    for pattern, sign in (("[a-z]+", "a"), ("[A-Z]+", "A"), ("[0-9]+", "9")):
        cell = re.sub(pattern, sign, cell)
    return cell


def _is_usual(cell: str) -> bool:
    """Whether a cell is what columns are mostly called."""
    found = words(cell)
    if not found or not cell.isidentifier():
        return False
    # Alone, a code or a phone may be what is sold.
    is_of_ids = names_something(cell) and (len(found) > 1 or found[0].endswith("id"))
    return is_of_ids or tells_time(cell) or found[-1] in _USUAL


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
    """Whether some column has numbers in every row but the first, which has a word."""
    first, rest = rows[0], rows[1:]
    columns = list(zip(*(row for row in rest if len(row) == len(first)), strict=True))
    return any(
        name.lower() not in EMPTY_WORDS
        and not _is_number(name)
        and all(_is_number(cell) for cell in column)
        for name, column in zip(first, columns, strict=False)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
