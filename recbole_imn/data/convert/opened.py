"""Opening a table of any shape: separator, header, first values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recbole_imn.data.atomic import DataError
from recbole_imn.data.convert.mapping import Place, TableMapping, find
from recbole_imn.data.convert.sniff import first_lines, first_rows, is_parquet
from recbole_imn.data.convert.source import Column, Table
from recbole_imn.data.convert.times import guess_format, require_format, require_time_zone

SEPARATORS = (",", "\t", ";", "|")
SAMPLE_ROWS = 100


@dataclass(frozen=True)
class OpenedTable:
    """A table with what its beginning tells.

    Attributes
    ----------
    table : Table
    names : list of str
        Names of the columns, ``""`` without a header.
    sample : list of list of str
        Cells of the first rows.
    """

    table: Table
    names: list[str]
    sample: list[list[str]]

    def place(self, place: Place) -> int:
        """Give the position from 0 of a column that must be there."""
        return find(place, self.names, self.table.path)

    def has(self, place: Place) -> bool:
        """Whether a column is there; a position is taken to be."""
        return isinstance(place, int) or place in self.names

    def time_format(self, place: int, mapping: TableMapping) -> str:
        """Give the format of a time column, from its first values if it is ``auto``.

        Raises
        ------
        DataError
            If no value is a time, or the time zone does not exist.
        """
        zone = require_time_zone(mapping.time_zone)
        values = [row[place] for row in self.sample if len(row) > place and row[place]]
        if mapping.time_format == "auto":
            return guess_format(values, zone)
        return require_format(mapping.time_format, values, zone)

    def columns(self, wanted: dict[str, tuple[Place, str]]) -> dict[str, Column]:
        """Find further columns that must be there."""
        return {name: Column((self.place(place),), kind) for name, (place, kind) in wanted.items()}


def open_table(path: Path, mapping: TableMapping) -> OpenedTable:
    """Look at the beginning of a text table or a parquet file.

    Raises
    ------
    DataError
        If the file is not there, is none of both, or has no rows.
    """
    if is_parquet(path):
        return _open_parquet(path)
    line = first_lines(path, mapping.encoding)[0]
    separator = mapping.separator.replace("\\t", "\t")
    if separator == "auto":
        separator = max(SEPARATORS, key=line.count)
    if len(separator) != 1:
        raise DataError(f"the separator is {separator!r}; it must be one character")
    rows = first_rows(path, separator, mapping.encoding, SAMPLE_ROWS + 1)
    has_header = mapping.header == "true" or (mapping.header == "auto" and not _has_number(rows[0]))
    if has_header and len(rows) == 1:
        raise DataError(f"{path}: a header but no rows")
    table = Table(path, len(rows[0]), separator, mapping.encoding, skipped_lines=int(has_header))
    names = rows[0] if has_header else [""] * len(rows[0])
    return OpenedTable(table, names, rows[int(has_header) :])


def _open_parquet(path: Path) -> OpenedTable:
    try:
        frame = pl.scan_parquet(path).head(SAMPLE_ROWS).collect()
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path} is damaged: {str(error).splitlines()[0]}") from error
    if frame.is_empty():
        raise DataError(f"{path}: the table has no rows")
    sample = [[str(cell) for cell in row] for row in frame.cast(pl.String).fill_null("").rows()]
    table = Table(path, frame.width, skipped_lines=0, is_parquet=True)
    return OpenedTable(table, frame.columns, sample)


def _has_number(cells: list[str]) -> bool:
    return any(cell[:1].isdigit() for cell in cells)
