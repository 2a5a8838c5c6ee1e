"""Opening a table of any shape: separator, header, first values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from recbole_imn.data.convert.header import has_header
from recbole_imn.data.convert.json_lines import cell, parse_object, paths
from recbole_imn.data.convert.layout import Column, Table
from recbole_imn.data.convert.mapping import Place, TableMapping, find
from recbole_imn.data.convert.parquet import (
    DURATIONS,
    nested_columns,
    parquet_cells,
    scan_parquet,
)
from recbole_imn.data.convert.sniff import (
    first_lines,
    first_records,
    is_json_lines,
    is_parquet,
    text_lines,
)
from recbole_imn.data.convert.source import MAX_BAD
from recbole_imn.errors import DataError

SEPARATORS = (",", "\t", ";", "|", "::")
SAMPLE_ROWS = 100
# Of the rows, those that must have as many cells as the first for a separator to be likely.
LIKELY = 0.9


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
    nested : mapping of int to str
        Columns, from 0, whose cells are no single values, and what they are.
    mixed : mapping of int to str
        Columns of which some cells are, but too many are not.
    notes : sequence of str
        What a user should know of how the table was read.
    """

    table: Table
    names: list[str]
    sample: list[list[str]]
    nested: Mapping[int, str] = field(default_factory=dict)
    mixed: Mapping[int, str] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def place(self, place: Place) -> int:
        """Give the position from 0 of a column that must be there and hold single values."""
        found = find(place, self.names, self.table.path)
        if found in self.nested:
            kind, wrong = self.nested[found], "not single values"
            if kind == DURATIONS:
                wrong = "neither times nor numbers; write moments, or numbers of seconds"
            raise DataError(f"{self.table.path}: column {place!r} holds {kind}, {wrong}")
        return found

    def has(self, place: Place) -> bool:
        """Whether a column is there; a position is taken to be."""
        return isinstance(place, int) or place in self.names

    def values(self, place: int) -> list[str]:
        """Give the first values of a column that are not empty."""
        return [row[place] for row in self.sample if len(row) > place and row[place]]

    def columns(
        self, wanted: Mapping[str, tuple[Place, str]], elsewhere: Container[str] = ()
    ) -> dict[str, Column]:
        """Find further columns, which must be there, or by their names in another table."""
        return {
            name: Column(
                (self.place(place),) if self.has(place) or place not in elsewhere else (), kind
            )
            for name, (place, kind) in wanted.items()
        }


def open_table(path: Path, mapping: TableMapping) -> OpenedTable:
    """Look at the beginning of a text table or a parquet file, or at the keys of all JSON lines.

    Parameters
    ----------
    path : Path
    mapping : TableMapping

    Raises
    ------
    DataError
        If the file is not there, is none of them, or has no rows.
    """
    if is_parquet(path):
        return _open_parquet(path)
    if is_json_lines(path):
        return _open_json(path, mapping)
    return _open_text(path, mapping)


def _open_text(path: Path, mapping: TableMapping) -> OpenedTable:
    lines = first_lines(path, mapping.encoding)
    quoted = mapping.quoting == "double"
    separator = mapping.separator
    if separator == "auto":
        separator = _likely_separator(lines, quoted)
    records = first_records(lines, separator, SAMPLE_ROWS + 1, quoted)
    rows = [cells for cells, _ in records]
    if len(rows[0]) == 1 and mapping.separator != "auto":
        raise DataError(f"{path}: the separator is {separator!r}, but the first line has none")
    is_header, notes = _header(rows, mapping, path)
    if is_header and len(rows) == 1:
        raise DataError(f"{path}: a header but no rows")
    table = Table(
        path, len(rows[0]), separator, mapping.encoding, records[0][1] * is_header, quoted
    )
    names = rows[0] if is_header else [""] * len(rows[0])
    return OpenedTable(table, names, rows[is_header:], notes=notes)


def _likely_separator(lines: list[str], quoted: bool) -> str:
    """Give the separator that cuts most rows into the same number of cells, and into most."""
    best, most = "", (False, 1)
    for separator in (*SEPARATORS, " "):
        widths = [len(cells) for cells, _ in first_records(lines, separator, 20, quoted)]
        found = widths.count(widths[0]) >= LIKELY * len(widths), widths[0]
        # Spaces stand inside cells too.
        if widths[0] > 1 and found > most and (separator != " " or not best):
            best, most = separator, found
    return best or SEPARATORS[0]


def _header(rows: list[list[str]], mapping: TableMapping, path: Path) -> tuple[bool, list[str]]:
    """Tell whether the first row is a header; it is if columns are asked for by name."""
    if mapping.header is not None:
        return mapping.header, []
    if any(isinstance(place, str) for place in mapping.named_columns()):
        return True, []
    times = [place for place in mapping.time_columns() if isinstance(place, int)]
    # The format of two cells says nothing about one of them.
    time_format = mapping.time_format if len(times) == 1 else "auto"
    by_position = any(isinstance(place, int) for place in mapping.named_columns())
    time_place = times[0] - 1 if times else None
    found = has_header(rows, time_place, time_format, path, by_position)
    what = "the header" if found else "a row, not a header"
    line = ",".join(rows[0])[:60]
    return found, [f"{path.name}: the first line, {line!r}, was taken for {what}"]


def _open_parquet(path: Path) -> OpenedTable:
    _, schema = scan_parquet(path)
    nested = nested_columns(schema)
    # Images and the like need not be read to know what they are.
    blobs = {place for place, dtype in enumerate(schema.dtypes()) if dtype == pl.Binary}
    single = frozenset(range(len(schema))) - set(nested) - blobs
    table = Table(path, len(schema), skipped_lines=0, form="parquet")
    cells = pl.concat(parquet_cells(replace(table, used=single), SAMPLE_ROWS))
    empty = pl.lit("")
    columns = [pl.col(str(p)) if p in single else empty.alias(str(p)) for p in range(len(schema))]
    sample = [[text.strip() for text in row] for row in cells.select(columns).iter_rows()]
    return OpenedTable(table, schema.names(), sample, nested)


def _open_json(path: Path, mapping: TableMapping) -> OpenedTable:
    """Look for keys in all lines: one that is rare may come late."""
    tally: defaultdict[str, Counter[str]] = defaultdict(Counter)
    first: list[dict[str, Any]] = []
    n_objects = 0
    for line in text_lines(path, mapping.encoding):
        if (found := parse_object(line)) is None:
            continue
        n_objects += 1
        if len(first) < SAMPLE_ROWS:
            first.append(found)
        for key, kind in paths(found):
            tally[key][kind] += 1
    # A key that has objects alone has columns for what is inside them.
    kinds = {key: found for key, found in tally.items() if found.keys() != {"objects"}}
    nested, mixed = _nested(list(kinds.values()), MAX_BAD * n_objects)
    table = Table(path, len(kinds), "", mapping.encoding, 0, form="json", keys=tuple(kinds))
    sample = [[cell(found, key) or "" for key in kinds] for found in first]
    return OpenedTable(table, list(kinds), sample, nested, mixed)


def _nested(columns: Sequence[Counter[str]], most: float) -> tuple[dict[int, str], dict[int, str]]:
    """Give columns whose cells are no single values, and those of which more than ``most`` are not.

    Where they are few, their rows are faults.
    """
    nested, mixed = {}, {}
    for place, found in enumerate(columns):
        kinds = [kind for kind in ("lists", "objects") if found[kind]]
        if kinds and not found["values"]:
            nested[place] = " and ".join(kinds)
        elif found["lists"] + found["objects"] > most:
            mixed[place] = " and ".join(kinds)
    return nested, mixed
