"""Reading tables block by block, keeping line numbers and naming rows that are broken."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator

import polars as pl

from recbole_imn.data.atomic import DataError
from recbole_imn.data.convert.ahead import in_order
from recbole_imn.data.convert.sniff import require_text
from recbole_imn.data.convert.source import Table

BLOCK_BYTES = 16 << 20
PARQUET_ROWS = 1 << 20
# Characters that an atomic file cannot hold inside a cell.
CONTROL = "\t\r\n\0"
BROKEN = "\ufffd"
Watch = Callable[[bytes], None]
Step = Callable[[pl.DataFrame], pl.DataFrame]


def unchanged(rows: pl.DataFrame) -> pl.DataFrame:
    """Give rows as they are."""
    return rows


def read_rows(table: Table, watch: Watch, then: Step = unchanged) -> Iterator[pl.DataFrame]:
    """Read a table in order, a block at a time, several blocks at once.

    A quoted cell must end on its line, so that one open quote spoils one row and not the
    rest of the file.

    Parameters
    ----------
    table : Table
    watch : callable
        Told the bytes of each block that was read.
    then : callable
        What to do with each block of rows before it is given.

    Yields
    ------
    DataFrame
        What ``then`` makes of a block: ``line`` (int64, from 1; the row's number for
        parquet), ``row`` (str, as it was), ``kind`` (str, what is wrong with the row itself,
        null where nothing is) and the cells (str) in columns ``"0"``, ``"1"`` and so on. Blank
        lines are left out.

    Raises
    ------
    DataError
        If the file is not what it claims.
    """
    if table.is_parquet:
        yield from map(then, _parquet_rows(table, watch))
        return
    require_text(table.path)

    def parse(numbered: tuple[int, bytes]) -> pl.DataFrame:
        first_line, block = numbered
        return then(_text_rows(table, block.decode(table.encoding, "replace"), first_line))

    yield from in_order(parse, _numbered(_blocks(table, watch)))


def _numbered(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give each block with the number of its first line."""
    line = 1
    for block in blocks:
        yield line, block
        line += block.count(b"\n")


def _blocks(table: Table, watch: Watch) -> Iterator[bytes]:
    """Cut a file into blocks of whole lines."""
    with table.path.open("rb") as file:
        rest = b""
        is_first = True
        while data := file.read(BLOCK_BYTES):
            watch(data)
            if is_first:
                data, is_first = data.removeprefix(b"\xef\xbb\xbf"), False
            end = data.rfind(b"\n") + 1
            if end == 0 and len(rest) + len(data) > BLOCK_BYTES:
                raise DataError(
                    f"{table.path}: a line of more than {BLOCK_BYTES >> 20} MB; not a text table"
                )
            if end:
                yield rest + data[:end]
                rest = data[end:]
            else:
                rest += data
        if rest:
            yield rest


def _text_rows(table: Table, text: str, first_line: int) -> pl.DataFrame:
    row = pl.col("row")
    frame = pl.DataFrame({"row": pl.Series([text]).str.split("\n").explode()})
    frame = frame.with_row_index("line", offset=first_line).with_columns(
        pl.col("line").cast(pl.Int64)
    )
    if "\r" in text:
        frame = frame.with_columns(row.str.strip_suffix("\r"))
    frame = frame.filter(row.str.strip_chars(" ") != "", pl.col("line") > table.skipped_lines)
    frame = frame.with_columns(kind=_row_faults(text, table.separator))
    if not (table.quoted and '"' in text):
        return _split(frame, table)
    is_quoted = frame["row"].str.contains('"', literal=True)
    parts = [_split(frame.filter(~is_quoted), table), _unquote(frame.filter(is_quoted), table)]
    return pl.concat(parts).sort("line")


def _row_faults(text: str, separator: str) -> pl.Expr:
    """Name rows with undecodable bytes, or with characters that an atomic file cannot hold."""
    kind = pl.lit(None, pl.String)
    bad = [c for c in CONTROL if c not in ("\n", separator) and text.count(c)]
    if bad:
        found = pl.col("row").str.contains_any(bad)
        kind = pl.when(found).then(pl.lit("control character"))
    if BROKEN in text:
        broken = pl.col("row").str.contains(BROKEN, literal=True)
        kind = pl.when(broken).then(pl.lit("encoding")).otherwise(kind)
    return kind


def _split(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Split rows without quotes into cells."""
    n = table.n_columns
    cells = pl.col("row").str.split_exact(table.separator, n).struct
    frame = frame.with_columns(
        cells.rename_fields([str(place) for place in range(n + 1)]).struct.unnest()
    )
    wrong = pl.col(str(n - 1)).is_null() | pl.col(str(n)).is_not_null()
    return frame.with_columns(_or_column_count(wrong)).drop(str(n))


def _or_column_count(wrong: pl.Expr) -> pl.Expr:
    return pl.coalesce(pl.col("kind"), pl.when(wrong).then(pl.lit("column count"))).alias("kind")


def _unquote(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Split rows with quotes into cells, one row at a time."""
    n = table.n_columns
    cells: list[list[str | None]] = []
    kinds: list[str | None] = []
    for row in frame["row"]:
        kind = None
        try:
            values = next(csv.reader([row], delimiter=table.separator, strict=True))
        except csv.Error:
            values, kind = [], "quoting"
        if kind is None and len(values) != n:
            kind = "column count"
        cells.append([*values, *[None] * n][:n])
        kinds.append(kind)
    columns = {
        str(place): pl.Series([row[place] for row in cells], dtype=pl.String) for place in range(n)
    }
    found = pl.Series(kinds, dtype=pl.String)
    return frame.with_columns(kind=pl.coalesce("kind", found), **columns)


def _parquet_rows(table: Table, watch: Watch) -> Iterator[pl.DataFrame]:
    scan = pl.scan_parquet(table.path)
    names = scan.collect_schema().names()
    rows = scan.select(pl.len()).collect().item()
    for start in range(0, rows, PARQUET_ROWS):
        frame = scan.slice(start, PARQUET_ROWS).collect()
        cells = frame.select(
            pl.col(name).cast(pl.String).fill_null("").alias(str(place))
            for place, name in enumerate(names)
        )
        yield (
            cells.with_columns(row=pl.concat_str(pl.all(), separator=","))
            .with_row_index("line", offset=start + 1)
            .with_columns(
                pl.col("line").cast(pl.Int64),
                kind=pl.when(pl.col("row").str.contains_any(list(CONTROL))).then(
                    pl.lit("control character")
                ),
            )
        )
    with table.path.open("rb") as file:
        while data := file.read(BLOCK_BYTES):
            watch(data)
