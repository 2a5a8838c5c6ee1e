"""Columns of an atomic file, read without a Python object a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from recbole_imn.data.atomic import check_column_counts, read_columns
from recbole_imn.kernels.numbering import number
from recbole_imn.log.columns import Floats, Ids, Integers


@dataclass(frozen=True)
class Tokens:
    """A column of tokens.

    Attributes
    ----------
    codes : int32 [n]
        Which of the tokens a row has; -1 for an empty cell.
    names : list of str
        Every token once, as they first occur.
    """

    codes: Ids
    names: list[str]

    def categories(self) -> pd.Categorical:
        """Give the column as pandas knows it, its numbers not copied."""
        names = pd.Index(self.names, dtype=object)
        return pd.Categorical.from_codes(self.codes, names, validate=False)


Column = Tokens | Floats | npt.NDArray[Any]


@dataclass(frozen=True)
class Columns:
    """Columns of a file.

    Attributes
    ----------
    values : dict of str to Tokens, float64 [n] or object [n]
        By field: tokens, numbers (NaN for an empty cell), and the cells of sequences as text.
    lines : int64 [n] or None
        Line of each row, from 0 after the header; None where every line is a row.
    """

    values: dict[str, Column]
    lines: Integers | None = None

    def frame(self) -> pd.DataFrame:
        """Give a frame, tokens as categories; the index is the line number minus 2."""
        columns = {
            name: column.categories() if isinstance(column, Tokens) else column
            for name, column in self.values.items()
        }
        return pd.DataFrame(columns, index=self.lines, copy=False)


def read(
    path: Path,
    header: Mapping[str, str],
    fields: Collection[str],
    separator: str = "\t",
    encoding: str = "utf-8",
) -> Columns:
    """Read some columns of an atomic file.

    Parameters
    ----------
    path, separator, encoding
        As for :func:`~recbole_imn.data.atomic.read_header`.
    header : mapping of str to str
        What it gave.
    fields : collection of str

    Raises
    ------
    DataError
        As :func:`~recbole_imn.data.atomic.read_columns`.
    """
    n_rows = check_column_counts(path, len(header), separator.encode(encoding))
    names = [field for field in header if field in fields]
    kinds = {field: header[field] for field in names}
    try:
        found = _columns(_read(path, kinds, separator, encoding), kinds, n_rows)
    except pl.exceptions.PolarsError:
        found = None
    # What is not read at once is wrong in some line, or written in an unusual way.
    return found or _slowly(path, dict(header), kinds, separator, encoding)


def read_frame(
    path: Path,
    header: Mapping[str, str],
    fields: Collection[str],
    separator: str = "\t",
    encoding: str = "utf-8",
) -> pd.DataFrame:
    """Read some columns as a frame: categories, float64, and sequences as text; see :func:`read`.

    The index is the line number minus 2.
    """
    return read(path, header, fields, separator, encoding).frame()


def _read(path: Path, kinds: Mapping[str, str], separator: str, encoding: str) -> pl.DataFrame:
    types: dict[str, Any] = {"token": pl.Categorical(), "float": pl.Float64()}
    names = {f"{field}:{kind}": field for field, kind in kinds.items()}
    frame = pl.read_csv(
        path,
        separator=separator,
        # Of this one alone polars makes no copy in memory first.
        encoding="utf8" if encoding.lower() in ("utf-8", "utf8") else encoding,
        quote_char=None,
        columns=list(names),
        schema_overrides={
            name: types.get(kinds[field], pl.String()) for name, field in names.items()
        },
    )
    return frame.rename(names).select(list(kinds))


def _columns(frame: pl.DataFrame, kinds: Mapping[str, str], n_rows: int) -> Columns | None:
    """Take the columns of a frame, if it is certain that they are what the file says."""
    lines = None
    if len(frame) != n_rows:
        is_row = ~frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        lines = is_row.arg_true().to_numpy().astype(np.int64)
        frame = frame.filter(is_row)
    numbers = [field for field, kind in kinds.items() if kind == "float"]
    # The text nan is no number.
    if len(frame) != n_rows or any(frame[field].is_nan().any() for field in numbers):
        return None
    return Columns({field: _column(frame[field], kind) for field, kind in kinds.items()}, lines)


def _column(series: pl.Series, kind: str) -> Column:
    if kind == "float":
        return series.to_numpy(writable=True)
    if kind != "token":
        cells = np.array(series.to_list(), object)
        cells[series.is_null().to_numpy()] = np.nan
        return cells
    codes, first = dense(series.to_physical().cast(pl.Int32).fill_null(-1).to_numpy())
    return Tokens(codes, series.gather(first).cast(pl.String).to_list())


def dense(numbers: npt.NDArray[Any]) -> tuple[Ids, Integers]:
    """Give values numbers in the order in which they first occur.

    Parameters
    ----------
    numbers : int [n]
        Below 0 for an empty cell.

    Returns
    -------
    codes : int32 [n]
        From 0; -1 for an empty cell.
    first : int64 [n_values]
        The row in which each occurs first.
    """
    size = int(numbers.max(initial=-1)) + 1
    codes, first = np.empty(len(numbers), np.int32), np.empty(size, np.int64)
    n = number(numbers, size, codes, first)
    return codes, first[:n]


def _slowly(
    path: Path, header: dict[str, str], kinds: Mapping[str, str], separator: str, encoding: str
) -> Columns:
    """Read row by row, which finds the first line that is wrong and says what is."""
    frame = read_columns(path, header, kinds, separator, encoding)
    values: dict[str, Column] = {}
    for field, kind in kinds.items():
        values[field] = cells = frame[field].to_numpy()
        if kind == "token":
            codes, names = pd.factorize(cells)
            values[field] = Tokens(codes.astype(np.int32), [str(name) for name in names])
    return Columns(values, frame.index.to_numpy(np.int64))
