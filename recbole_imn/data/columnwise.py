"""Columns of an atomic file, read without a Python object a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from recbole_imn.data.atomic import check_column_counts, read_columns
from recbole_imn.kernels.numbering import number
from recbole_imn.log.columns import Ids, Integers


def read_frame(
    path: Path,
    header: Mapping[str, str],
    fields: Collection[str],
    separator: str = "\t",
    encoding: str = "utf-8",
) -> pd.DataFrame:
    """Read some columns of an atomic file.

    Parameters
    ----------
    path, separator, encoding
        As for :func:`~recbole_imn.data.atomic.read_header`.
    header : mapping of str to str
        What it gave.
    fields : collection of str

    Returns
    -------
    DataFrame
        By field: tokens as categories in the order in which they first occur, numbers as float64
        (NaN for an empty cell), and the cells of sequences as text; the index is the line number
        minus 2.

    Raises
    ------
    DataError
        As :func:`~recbole_imn.data.atomic.read_columns`.
    """
    n_rows = check_column_counts(path, len(header), separator.encode(encoding))
    kinds = {field: header[field] for field in header if field in fields}
    try:
        found = _certain(_read(path, kinds, separator, encoding), kinds, n_rows)
    except pl.exceptions.PolarsError:
        found = None
    # What is not read at once is wrong in some line, or written in an unusual way.
    return _slowly(path, dict(header), kinds, separator, encoding) if found is None else found


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


def _certain(frame: pl.DataFrame, kinds: Mapping[str, str], n_rows: int) -> pd.DataFrame | None:
    """Take what was read, if it is certain that it is what the file says."""
    lines = None
    if len(frame) != n_rows:
        is_row = ~frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        lines = is_row.arg_true().to_numpy().astype(np.int64)
        frame = frame.filter(is_row)
    numbers = [field for field, kind in kinds.items() if kind == "float"]
    # The text nan is no number.
    if len(frame) != n_rows or any(frame[field].is_nan().any() for field in numbers):
        return None
    columns = {field: _column(frame[field], kind) for field, kind in kinds.items()}
    return pd.DataFrame(columns, index=lines, copy=False)


def _column(series: pl.Series, kind: str) -> Any:
    if kind == "float":
        return series.to_numpy(writable=True)
    if kind != "token":
        cells = np.array(series.to_list(), object)
        cells[series.is_null().to_numpy()] = np.nan
        return cells
    codes, first = dense(series.to_physical().cast(pl.Int32).fill_null(-1).to_numpy())
    return _categories(codes, series.gather(first).cast(pl.String).to_list())


def _categories(codes: Ids, names: list[str]) -> pd.Categorical:
    """Give a column of tokens as pandas knows it, its numbers not copied."""
    return pd.Categorical.from_codes(codes, pd.Index(names, dtype=object), validate=False)


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
) -> pd.DataFrame:
    """Read row by row, which finds the first line that is wrong and says what is."""
    frame = read_columns(path, header, kinds, separator, encoding)
    for field in (field for field, kind in kinds.items() if kind == "token"):
        codes, names = pd.factorize(frame[field].to_numpy())
        frame[field] = _categories(codes.astype(np.int32), [str(name) for name in names])
    return frame
