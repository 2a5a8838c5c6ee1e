"""Cells in double quotes, which may hold the separator and line ends.

A quote that is never closed must spoil its own row and not the rest of the file: a record may
go on for ``LOOK_AHEAD`` lines, must then have as many cells as the table has columns, and must
not be made of rows line by line. Otherwise its first line is a broken row, and the next line
begins a record of its own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

import polars as pl

from recbole_imn.data.convert.swallowed import Rows

LOOK_AHEAD = 1_000
# Of more columns, the pattern of a record would be too long.
MOST_COLUMNS = 100
# Stands for a separator of several characters; Unicode keeps it for such uses.
_MARK = "\ufdd0"
_NOT_CLOSED = "unexpected end of data"


class OpenQuoteError(ValueError):
    """The lines end inside a quoted cell."""


def read_record(lines: Iterable[str], separator: str) -> tuple[list[str], int]:
    """Read the cells of the record at the start of some lines, and count its lines.

    Raises
    ------
    OpenQuoteError
        If a quote is not closed in these lines.
    ValueError
        If a quote is closed in the middle of a cell, or a cell is far too long.
    """
    one = separator if len(separator) == 1 else _MARK
    reader = csv.reader(
        (line.replace(separator, one) for line in lines), delimiter=one, strict=True
    )
    try:
        cells = next(reader)
    except csv.Error as error:
        kind = OpenQuoteError if _NOT_CLOSED in str(error) else ValueError
        raise kind(str(error)) from error
    return [cell.replace(one, separator) if one == _MARK else cell for cell in cells], (
        reader.line_num
    )


def read_records(rows: pl.Series, separator: str, n_columns: int) -> pl.DataFrame:
    """Read the cells of records, each of which may have several lines.

    Returns
    -------
    DataFrame
        ``kind`` (str, what is wrong, null where nothing is) and the cells (str) in columns
        ``"0"``, ``"1"`` and so on.
    """
    if len(separator) > 1 or not separator.isascii() or n_columns > MOST_COLUMNS:
        return _one_by_one(rows, separator, n_columns)
    plain = rows.str.contains(_plain_record(separator, n_columns))
    places = pl.concat([plain.arg_true(), (~plain).arg_true()])
    parts = [
        _all_at_once(rows.filter(plain), separator, n_columns),
        _one_by_one(rows.filter(~plain), separator, n_columns),
    ]
    return pl.concat(parts).with_columns(place=places).sort("place").drop("place")


def _plain_record(separator: str, n_columns: int) -> str:
    """Give a pattern of records that every reader of CSV understands in the same way."""
    end = rf"\x{{{ord(separator):x}}}"
    cell = rf'(?:"(?:[^"]|"")*"|[^"{end}\r]*)'
    return rf"^{cell}(?:{end}{cell}){{{n_columns - 1}}}$"


def _all_at_once(rows: pl.Series, separator: str, n_columns: int) -> pl.DataFrame:
    schema = {str(place): pl.String for place in range(n_columns)}
    if rows.is_empty():
        return pl.DataFrame(schema={"kind": pl.String, **schema})
    text = "\n".join(rows.to_list()) + "\n"
    cells = pl.read_csv(text.encode(), separator=separator, has_header=False, schema=schema)
    return cells.select(pl.lit(None, pl.String).alias("kind"), pl.col(list(schema)).fill_null(""))


def _one_by_one(rows: pl.Series, separator: str, n_columns: int) -> pl.DataFrame:
    """Read records of long or odd cells, ten times slower."""
    cells: list[list[str | None]] = []
    kinds: list[str | None] = []
    for row in rows:
        try:
            values = read_record([row], separator)[0]
            kind = None if len(values) == n_columns else "column count"
        except ValueError:
            values, kind = [], "quoting"
        cells.append([*values, *[None] * n_columns][:n_columns])
        kinds.append(kind)
    columns = {
        str(place): pl.Series([row[place] for row in cells], dtype=pl.String)
        for place in range(n_columns)
    }
    return pl.DataFrame({"kind": pl.Series(kinds, dtype=pl.String), **columns})


def is_whole(row: pl.Expr, separator: str) -> pl.Expr:
    """Whether a line is a record by itself, whose quotes are closed where cells end."""
    row = row if len(separator) == 1 else row.str.replace_all(separator, _MARK, literal=True)
    end = rf"\x{{{ord(separator if len(separator) == 1 else _MARK):x}}}"
    cell = rf'(?:"(?:[^"]|"")*"|[^"{end}][^{end}]*|)'
    return row.str.contains(rf"^{cell}(?:{end}{cell})*$")


def join_lines(
    lines: pl.DataFrame, separator: str, n_columns: int, is_end: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Join lines that are one record.

    Lines are not joined where :meth:`~recbole_imn.data.convert.swallowed.Rows.swallowed` finds
    that they are rows by themselves, which a quote that nobody closed would make one cell of.

    Parameters
    ----------
    lines : DataFrame
        ``line`` (int64), ``row`` (str), from the beginning of a record on.
    separator : str
    n_columns : int
        Cells that a record of several lines must have.
    is_end : bool
        Whether nothing follows.

    Returns
    -------
    tuple of DataFrame
        Records, and lines at the end of which only what follows can tell.
    """
    rows = lines["row"]
    table = Rows(rows, separator, n_columns)
    quoted = pl.col("row").str.contains('"', literal=True)
    doubtful = quoted & ~is_whole(pl.col("row"), separator)
    records: list[tuple[int, int]] = []
    n_decided, free = len(lines), 0
    for start in lines.select(doubtful.arg_true()).to_series():
        if start < free:
            continue
        ahead = rows[start : start + LOOK_AHEAD].to_list()
        try:
            cells, n_lines = read_record((f"{line}\n" for line in ahead), separator)
        except OpenQuoteError:
            if len(ahead) < LOOK_AHEAD and not is_end:
                n_decided = start
                break
            continue
        except ValueError:
            continue
        is_record = n_lines > 1 and len(cells) == n_columns
        if is_record and not table.swallowed(ahead[:n_lines]):
            free = start + n_lines
            records.append((start, free))
    return _merged(lines[:n_decided], records), lines[n_decided:]


def _merged(lines: pl.DataFrame, records: Sequence[tuple[int, int]]) -> pl.DataFrame:
    if not records:
        return lines
    rows = lines["row"].to_list()
    further = {place for start, end in records for place in range(start + 1, end)}
    for start, end in records:
        rows[start] = "\n".join(rows[start:end])
    is_first = pl.Series([place not in further for place in range(len(rows))])
    return lines.with_columns(row=pl.Series(rows, dtype=pl.String)).filter(is_first)
