"""Rankings as tables with names, and tables as files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from recbole_imn.errors import ServingError, one_line
from recbole_imn.files import replaced
from recbole_imn.serving.choice import Ranking
from recbole_imn.serving.market import Market

# Bytes of scores lie side by side: those of float32 end in zeros, which then cost nothing.
SCORE = "score"


class Rows:
    """Makes tables of rankings: columns ``user``, ``rank``, ``item``, ``score``, attributes.

    Parameters
    ----------
    market : Market
        Stands still.
    attributes : sequence of str
        What is told of each item.
    about : mapping of str to str
        What the table is of; goes into the schema.
    """

    def __init__(self, market: Market, attributes: Sequence[str], about: Mapping[str, str]) -> None:
        self._items = pa.array(["", *market.items], pa.string())
        numbers = range(len(market.items))
        known = market.snapshot.attributes
        cells = {name: known.cells(name, numbers) for name in attributes}
        self._attributes = {name: _column(name, column) for name, column in cells.items()}
        plain = {"user": pa.string(), "rank": pa.int64(), "item": pa.string(), SCORE: pa.float64()}
        others = {name: column.type for name, column in self._attributes.items()}
        self.schema = pa.schema(plain | others, metadata=dict(about))

    def table(self, users: Sequence[str], ranking: Ranking) -> Any:
        """Make the table of the lists of some users.

        Parameters
        ----------
        users : sequence of str
        ranking : Ranking
            A list each.

        Returns
        -------
        pyarrow.Table
        """
        owners = np.repeat(np.arange(len(users)), ranking.counts)
        columns = [
            pa.array(users, pa.string()).take(pa.array(owners)),
            pa.array(ranking.ranks, pa.int64()),
            self._items.take(pa.array(ranking.items)),
            pa.array(ranking.scores, pa.float64()),
            *(column.take(pa.array(ranking.items)) for column in self._attributes.values()),
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)


def write_tables(path: Path, form: str, schema: Any, tables: Iterable[Any]) -> int:
    """Write tables, one behind the other, to a file that is the old one or complete.

    Parameters
    ----------
    path : Path
    form : {'parquet', 'csv', 'jsonl'}
        A table is a row group of a parquet file.
    schema : pyarrow.Schema
    tables : iterable of pyarrow.Table
        One at a time is in memory.

    Returns
    -------
    int
        Number of rows.
    """
    with replaced(path) as part:
        if form == "parquet":
            return _write_parquet(part, schema, tables)
        with part.open("wb") as file:
            return _write_text(file, form, schema, tables)


def _write_parquet(path: Path, schema: Any, tables: Iterable[Any]) -> int:
    n_rows = 0
    names = [name for name in schema.names if name != SCORE]
    options = {"compression": "zstd", "use_dictionary": names, "use_byte_stream_split": [SCORE]}
    with parquet.ParquetWriter(path, schema, **options) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=max(1, len(table)))
            n_rows += len(table)
    return n_rows


def _write_text(file: BinaryIO, form: str, schema: Any, tables: Iterable[Any]) -> int:
    n_rows = 0
    if form == "csv":
        pl.DataFrame(schema=schema.names).write_csv(file)
    for table in tables:
        frame = pl.DataFrame(table)
        if form == "csv":
            frame.write_csv(file, include_header=False)
        else:
            frame.write_ndjson(file)
        n_rows += len(table)
    return n_rows


def _column(name: str, cells: list[Any]) -> Any:
    """Give the cells of an attribute as a column.

    Raises
    ------
    ServingError
        If one can stand in no file.
    """
    kind = _kind([cell for cell in cells if cell is not None])
    if kind == pa.string():
        cells = [None if cell is None else str(cell) for cell in cells]
    try:
        return pa.array(cells, kind)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        reason = one_line(error)
        raise ServingError(
            f"the attribute {name!r} cannot be written: {reason}; leave it out of --attributes"
        ) from error


def _kind(there: list[Any]) -> Any:
    """Give the type that holds cells as they are: truth values, numbers, or else text."""
    if not there:
        return pa.string()
    if all(isinstance(cell, bool) for cell in there):
        return pa.bool_()
    if not all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in there):
        return pa.string()
    whole = [cell for cell in there if isinstance(cell, int)]
    if len(whole) == len(there):
        return pa.int64() if all(-(2**63) <= cell < 2**63 for cell in whole) else pa.string()
    # Beside fractions a whole number is a float, where that is the same number.
    return pa.float64() if all(map(_is_float, whole)) else pa.string()


def _is_float(number: int) -> bool:
    try:
        return int(float(number)) == number
    except OverflowError:
        return False
