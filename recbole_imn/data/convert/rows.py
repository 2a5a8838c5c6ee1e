"""Reading tables block by block, keeping line numbers and naming rows that are broken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any

import polars as pl
from tqdm import tqdm

from recbole_imn.data.convert.ahead import in_order
from recbole_imn.data.convert.json_lines import object_cells
from recbole_imn.data.convert.layout import Table
from recbole_imn.data.convert.packed import opened
from recbole_imn.data.convert.parquet import parquet_cells
from recbole_imn.data.convert.quotes import join_lines, read_records
from recbole_imn.data.convert.sniff import blank_lines, require_text
from recbole_imn.errors import DataError

BLOCK_BYTES = 16 << 20
LONGEST_LINE = 16 << 20
# Characters that an atomic file cannot hold inside a cell.
CONTROL = "\t\r\n\0"
BROKEN = "\ufffd"
BYTE_ORDER_MARK = "\ufeff"
CELL_FAULTS = {"encoding": BROKEN, "control character": CONTROL}
Watch = Callable[[bytes], None]
Step = Callable[[pl.DataFrame], pl.DataFrame]
# Told how many records ran over several lines, and how many the longest had.
Joined = Callable[[int, int], None]
# The number of its first line and bytes of whole lines; or lines already cut into records.
Piece = tuple[int, bytes] | pl.DataFrame


def unchanged(rows: pl.DataFrame) -> pl.DataFrame:
    """Give rows as they are."""
    return rows


def nobody(records: int, longest: int) -> None:
    """Hear of records of several lines."""


def read_rows(
    table: Table, watch: Watch, then: Step = unchanged, joined: Joined = nobody
) -> Iterator[pl.DataFrame]:
    """Read a table in order, a block at a time, several blocks at once.

    Parameters
    ----------
    table : Table
    watch : callable
        Told the bytes of each block that was read.
    then : callable
        What to do with each block of rows before it is given.
    joined : callable
        Told of each block's records of several lines.

    Yields
    ------
    DataFrame
        What ``then`` makes of a block: ``line`` (int64, from 1; the first of several, the
        row's number for parquet), ``row`` (str, as it was; of parquet the columns in use),
        ``kind`` (str, what is wrong with the row itself, null where nothing is) and the cells
        (str) in columns ``"0"``, ``"1"`` and so on; columns that are not in use may be left
        out. Blank lines are left out.

    Raises
    ------
    DataError
        If the file is not what it claims.
    """
    if table.form == "parquet":
        for frame in parquet_cells(table):
            yield then(with_cell_faults(frame, table.places, CONTROL + BROKEN))
        _watch_all(table, watch)
        return
    skipped = blank_lines(require_text(table.path)) + table.skipped_lines
    parse = partial(_parsed, table=table, skipped=skipped)
    yield from in_order(lambda piece: then(parse(piece)), _pieces(table, watch, joined))


def rows_and_sum(
    table: Table, bar: tqdm[Any], then: Step = unchanged, joined: Joined = nobody
) -> Generator[pl.DataFrame, None, str]:
    """Read a table as :func:`read_rows` does, with a progress bar; return its SHA-256 sum."""
    digest = hashlib.sha256()

    def watch(block: bytes) -> None:
        digest.update(block)
        bar.update(len(block))

    yield from read_rows(table, watch, then, joined)
    return digest.hexdigest()


def _watch_all(table: Table, watch: Watch) -> None:
    with table.path.open("rb") as file:
        while data := file.read(BLOCK_BYTES):
            watch(data)


def _pieces(table: Table, watch: Watch, joined: Joined) -> Iterator[Piece]:
    blocks = _numbered(_blocks(table, watch))
    return _records(blocks, table, joined) if table.form == "text" and table.quoted else blocks


def _numbered(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give each block with the number of its first line."""
    line = 1
    for block in blocks:
        yield line, block
        line += block.count(b"\n")


def _records(blocks: Iterable[tuple[int, bytes]], table: Table, joined: Joined) -> Iterator[Piece]:
    """Cut blocks with quotes into records, which may go on in the next block."""
    join = partial(join_lines, separator=table.separator, n_columns=table.n_columns)
    waiting = pl.DataFrame()
    for line, block in blocks:
        if waiting.is_empty() and b'"' not in block:
            yield line, block
            continue
        lines = _lines(block.decode(table.encoding, "replace"), line)
        lines = pl.concat([waiting, lines]) if len(waiting) else lines
        records, waiting = join(lines, is_end=False)
        _tell(records, joined)
        yield records
    if len(waiting):
        records = join(waiting, is_end=True)[0]
        _tell(records, joined)
        yield records


def _tell(records: pl.DataFrame, joined: Joined) -> None:
    ends = records["row"].str.count_matches("\n", literal=True)
    if n_joined := int((ends > 0).sum()):
        joined(n_joined, int(ends.to_numpy().max()) + 1)


def _blocks(table: Table, watch: Watch) -> Iterator[bytes]:
    """Cut a file into blocks of whole lines."""
    with opened(table.path, watch) as file:
        rest = b""
        is_first = True
        while data := file.read(BLOCK_BYTES):
            if is_first:
                data, is_first = data.removeprefix(b"\xef\xbb\xbf"), False
            end = data.rfind(b"\n") + 1
            if end == 0 and len(rest) + len(data) > LONGEST_LINE:
                raise DataError(
                    f"{table.path}: a line of more than {LONGEST_LINE >> 20} MB; not a text table"
                )
            if end:
                yield rest + data[:end]
                rest = data[end:]
            else:
                rest += data
        if rest:
            yield rest


def _lines(text: str, first_line: int) -> pl.DataFrame:
    row = pl.col("row")
    frame = pl.DataFrame({"row": pl.Series([text.removesuffix("\n")]).str.split("\n").explode()})
    frame = frame.with_row_index("line", offset=first_line).with_columns(
        pl.col("line").cast(pl.Int64)
    )
    if BYTE_ORDER_MARK in text:
        # Files with a mark that were put together have it in the middle.
        row = row.str.strip_prefix(BYTE_ORDER_MARK)
    return frame.with_columns(row.str.strip_suffix("\r") if "\r" in text else row)


def _parsed(piece: Piece, table: Table, skipped: int) -> pl.DataFrame:
    """Split a piece into cells, and name what is wrong with its rows."""
    if isinstance(piece, pl.DataFrame):
        frame, marks, has_quotes = piece, CONTROL + BROKEN, True
    else:
        text = piece[1].decode(table.encoding, "replace")
        frame, has_quotes = _lines(text, piece[0]), False
        marks = "".join(mark for mark in CONTROL + BROKEN if mark in text)
    is_row = (pl.col("row").str.strip_chars(" ") != "") & (pl.col("line") > skipped)
    frame = frame.filter(is_row).with_columns(kind=pl.lit(None, pl.String))
    if table.form == "json":
        return with_cell_faults(object_cells(frame, table), table.places, CONTROL + BROKEN)
    # Neither stands in a cell without quotes.
    plain_marks = marks.replace("\n", "").replace(table.separator, "")
    if not has_quotes:
        return with_cell_faults(_split(frame, table), table.places, plain_marks)
    is_quoted = frame["row"].str.contains('"', literal=True)
    plain = _split(frame.filter(~is_quoted), table)
    records = frame.filter(is_quoted).drop("kind")
    cells = read_records(records["row"], table.separator, table.n_columns)
    quoted = pl.concat([records, cells], how="horizontal")
    parts = [
        with_cell_faults(plain, table.places, plain_marks),
        with_cell_faults(quoted, table.places, marks),
    ]
    return pl.concat(parts).sort("line")


def with_cell_faults(frame: pl.DataFrame, places: Iterable[int], marks: str) -> pl.DataFrame:
    """Name rows with undecodable bytes or control characters in one of some columns.

    Parameters
    ----------
    frame : DataFrame
        With ``kind`` and the cells.
    places : iterable of int
        Columns to look at, from 0.
    marks : str
        Characters that may occur.
    """
    kind = pl.col("kind")
    columns = [pl.col(str(place)).str for place in places]
    for name, found in CELL_FAULTS.items():
        signs = [mark for mark in found if mark in marks]
        if signs:
            is_in = [column.contains_any(signs) for column in columns]
            kind = kind.fill_null(pl.when(pl.any_horizontal(is_in)).then(pl.lit(name)))
    return frame.with_columns(kind)


def _split(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Split rows without quotes into cells."""
    n = table.n_columns
    cells = pl.col("row").str.split_exact(table.separator, n).struct
    frame = frame.with_columns(
        cells.rename_fields([str(place) for place in range(n + 1)]).struct.unnest()
    )
    wrong = pl.col(str(n - 1)).is_null() | pl.col(str(n)).is_not_null()
    return frame.with_columns(kind=pl.when(wrong).then(pl.lit("column count"))).drop(str(n))
