"""Parquet: columns of any type as text, as exact as a text table would have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from recbole_imn.data.convert.layout import Table
from recbole_imn.errors import DataError

ROWS = 1 << 20
CLOCK = "%Y-%m-%d %H:%M:%S%.6f"
# Whole numbers up to here are exact as floats.
EXACT = 2**53
DURATIONS = "lengths of time"


def scan_parquet(path: Path) -> tuple[pl.LazyFrame, pl.Schema]:
    """Open a file.

    Raises
    ------
    DataError
        If it is damaged or has no rows.
    """
    scan = pl.scan_parquet(path)
    try:
        schema = scan.collect_schema()
        if scan.select(pl.len()).collect().item() == 0:
            raise DataError(f"{path}: the table has no rows")
    except pl.exceptions.PolarsError as error:
        raise _damaged(path, error) from error
    return scan, schema


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is damaged: {str(error).splitlines()[0]}")


def nested_columns(schema: pl.Schema) -> dict[int, str]:
    """Give what cells hold that are no single values nor moments, by places from 0."""
    types = dict(enumerate(schema.dtypes()))
    nested = {place: str(dtype) for place, dtype in types.items() if dtype.is_nested()}
    lengths = {place: DURATIONS for place, dtype in types.items() if dtype == pl.Duration}
    return nested | lengths


def parquet_cells(table: Table, limit: int | None = None) -> Iterator[pl.DataFrame]:
    """Give ``line``, ``row``, ``kind`` (null) and cells of the columns in use, in blocks.

    Parameters
    ----------
    table : Table
    limit : int or None
        Rows to read; all without it.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    scan, schema = scan_parquet(table.path)
    names = schema.names()
    columns = [
        _text(names[place], schema[names[place]]).fill_null("").alias(str(place))
        for place in table.places
    ]
    n_rows = scan.select(pl.len()).collect().item()
    for start in range(0, min(n_rows, limit or n_rows), ROWS):
        try:
            cells = scan.slice(start, min(ROWS, limit or ROWS)).select(columns).collect()
        except pl.exceptions.PolarsError as error:
            raise _damaged(table.path, error) from error
        row = pl.concat_str(pl.all(), separator=",") if columns else pl.lit("")
        index = pl.int_range(start + 1, start + 1 + pl.len(), dtype=pl.Int64)
        yield cells.with_columns(line=index, row=row, kind=pl.lit(None, pl.String))


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Write cells as text; a whole number as such, a moment with its offset."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            return column.cast(pl.Datetime("us")).dt.strftime(CLOCK)
        utc = column.cast(pl.Datetime("us", dtype.time_zone)).dt.convert_time_zone("UTC")
        return utc.dt.strftime(f"{CLOCK}+00:00")
    if dtype.is_float():
        # A column of ids with gaps has become one of floats on its way through pandas.
        is_whole = (column == column.floor()) & (column.abs() < EXACT)
        whole = pl.when(is_whole).then(column).cast(pl.Int64).cast(pl.String)
        return pl.coalesce(whole, pl.when(column.is_not_nan()).then(column).cast(pl.String))
    if isinstance(dtype, pl.Decimal):
        # As of floats: a whole number is written as one.
        return column.cast(pl.String).str.replace(r"\.0+$", "")
    if dtype == pl.Binary:
        return column.map_batches(_decoded, return_dtype=pl.String)
    return column.cast(pl.String, strict=False)


def _decoded(cells: pl.Series) -> pl.Series:
    """Decode what some writers leave as bytes; what is no text is marked as such."""
    text = [None if cell is None else cell.decode("utf-8", "replace") for cell in cells]
    return pl.Series(cells.name, text, dtype=pl.String)
