"""Events of files as rows in order of time, each with the file and the line it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from tqdm import tqdm

from recbole_imn.data.convert.events import to_events
from recbole_imn.data.convert.file_actions import require_inputs
from recbole_imn.data.convert.item_files import Extras
from recbole_imn.data.convert.layout import Column, Layout, Table
from recbole_imn.data.convert.rows import Step, rows_and_sum, unchanged
from recbole_imn.data.convert.sniff import require_different, require_file
from recbole_imn.data.convert.table import read_table
from recbole_imn.data.convert.times import SECOND, has_no_offset
from recbole_imn.errors import DataError
from recbole_imn.log import Floats
from recbole_imn.serving.intake import PLAIN
from recbole_imn.serving.updating.sources import Header, event_settings, header_of, without_absent
from recbole_imn.validation import nearest

SHOWN = 120
# Of a column of times as it stands there, beside their microseconds.
EXACT = "as_written"
WHAT_IS_WRONG = {
    "time": "the time cannot be read",
    "empty id": "the user or the item is empty",
    "column count": "it has another number of cells than the first line",
    "purchase flag": "the purchase is neither 0 nor 1 (nor true, false, yes, no)",
    "unknown action": "the behaviour is empty, or not among those of the mapping",
    "number": "a number cannot be read",
    "encoding": "its bytes are no text of the encoding",
    "control character": "a cell has a control character",
    "quoting": "its quotes do not fit together (where they are plain characters: --quoting=none)",
}


@dataclass(frozen=True)
class Wanted:
    """What is to be read of events.

    Attributes
    ----------
    origin : float or None
        Epoch seconds of the log's second 0; None where nobody knows.
    fields : sequence of str
        Fields of events that the model reads.
    behaviours : sequence of str
        Kinds of action that the log knows.
    has_purchases : bool
        Whether some of its events are purchases.
    """

    origin: float | None
    fields: Sequence[str]
    behaviours: Sequence[str]
    has_purchases: bool

    @property
    def has_behaviors(self) -> bool:
        """Whether the log knows kinds of action."""
        return bool(self.behaviours)

    @property
    def further(self) -> list[str]:
        """Columns beside those that every event has."""
        return ["key", *(name for name in self.fields if name not in PLAIN)]


@dataclass
class Files:
    """Reads files with a progress bar, and keeps the sum of each.

    Attributes
    ----------
    progress : bool
    sums : dict of str to str
        SHA-256 of each file.
    clocks : list of str
        Files whose times are readings of a clock without an offset.
    """

    progress: bool = True
    sums: dict[str, str] = field(default_factory=dict)
    clocks: list[str] = field(default_factory=list)

    def note_formats(self, path: Path, formats: Iterable[str]) -> None:
        """Remember a file if its times have no offset."""
        if any(map(has_no_offset, formats)):
            self.clocks.append(str(path))

    def rows(self, table: Table, then: Step = unchanged) -> Iterator[pl.DataFrame]:
        """Read a table in order, as :func:`~recbole_imn.data.convert.rows.read_rows` does."""
        size = table.path.stat().st_size
        options: dict[str, Any] = {"unit": "B", "unit_scale": True, "disable": not self.progress}
        with tqdm(total=size, desc=f"reading {table.path.name}", **options) as bar:
            self.sums[str(table.path)] = yield from rows_and_sum(table, bar, then)


def read_events(
    paths: Sequence[Path], settings: Mapping[str, Any], wanted: Wanted, files: Files
) -> pl.DataFrame:
    """Read events, in the order of their times, those of one time in the order of the files.

    Parameters
    ----------
    paths : sequence of Path
        Text, JSON lines, parquet, or atomic files.
    settings : mapping
        Columns and how they are written, as ``convert`` takes them.
    wanted : Wanted
    files : Files

    Returns
    -------
    DataFrame
        ``user``, ``item`` (str), ``time`` (float64, seconds of the log), ``behavior`` (str)
        and ``purchase`` (bool), null where nobody says, further columns (str), and ``file``
        and ``line`` (from 1).

    Raises
    ------
    DataError
        If a file is not what it claims, or for the first row that is no event.
    """
    for path in paths:
        require_file(path)
    require_different(paths, "events")
    require_inputs(settings, paths)
    headers = [header_of(path, settings) for path in paths]
    names = frozenset(name for header in headers for name in header.names)
    parts = [_read(header, names, settings, wanted, files) for header in headers]
    return pl.concat(parts, how="diagonal").sort("time", maintain_order=True)


def _read(
    header: Header,
    names_of_all: frozenset[str],
    settings: Mapping[str, Any],
    wanted: Wanted,
    files: Files,
) -> pl.DataFrame:
    path = header.path
    settings = without_absent(settings, header, names_of_all)
    kinds, tells = wanted.has_behaviors, wanted.has_behaviors or wanted.has_purchases
    asked, fields = event_settings(header, settings, wanted.further, kinds, tells)
    is_relative = header.is_atomic or wanted.origin is None
    if is_relative:
        asked["time_format"] = _seconds_of_the_log(path, asked)
    ((table, layout),) = read_table("csv", [path], asked, Extras()).tables
    files.note_formats(path, [] if is_relative else [layout.time_format])
    if is_relative:
        further = {**layout.event_columns, EXACT: _as_written(layout)}
        layout = replace(layout, event_columns=further)
    rows = files.rows(replace(table, used=layout.used), partial(to_events, layout=layout))
    events = pl.concat(list(rows))
    refuse_first(events, path)
    # That of rows that are all purchases is no action that anybody has named.
    has_actions = layout.has_behavior and (kinds or layout.constant_behavior is None)
    if has_actions:
        _check_purchases(path, layout.purchases, events["behavior"], wanted.behaviours)
    origin = None if is_relative else wanted.origin
    seconds = _seconds(events, origin)
    return events.select(
        user="user_id",
        item="item_id",
        time=pl.Series(seconds, dtype=pl.Float64),
        behavior=pl.col("behavior").cast(pl.String) if has_actions else _nothing(),
        purchase=pl.col("purchase") == 1 if layout.has_purchase else _nothing(pl.Boolean),
        **{name: pl.col(column) for name, column in fields.items()},
        file=pl.lit(str(path)),
        line="line",
    )


def _check_purchases(
    path: Path, purchases: Sequence[str], found: pl.Series, known: Sequence[str]
) -> None:
    """Refuse purchases that are called by a name of no action, here or in the log."""
    actions = [*known, *found.cast(pl.String).unique(maintain_order=True).drop_nulls()]
    for name in purchases:
        if name not in actions:
            raise DataError(
                f"{path}: {name!r} is to be a purchase, but neither these events nor the log have "
                f"such an action{nearest(name, actions)}; there are "
                f"{', '.join(dict.fromkeys(actions))}"
            )


def _nothing(kind: type[pl.DataType] = pl.String) -> pl.Expr:
    return pl.lit(None, kind)


def _seconds_of_the_log(path: Path, settings: Mapping[str, Any]) -> str:
    wanted = settings.get("time_format", "auto")
    if wanted not in ("auto", "seconds"):
        raise DataError(
            f"{path}: the times are to be read as {wanted!r}, but here they are seconds of the "
            "log, since nobody knows when that began; leave out --time-format"
        )
    return "seconds"


def _as_written(layout: Layout) -> Column:
    return Column((layout.timestamp,), "token")


def _seconds(events: pl.DataFrame, origin: float | None) -> Floats:
    """Give times in seconds of the log as ``convert`` would have written them, to the last bit."""
    if origin is None:
        exact: Floats = events[EXACT].cast(pl.Float64).to_numpy()
        return exact
    seconds: Floats = (events["time"].to_numpy() - round(origin * SECOND)) / SECOND
    return seconds


def refuse_first(rows: pl.DataFrame, path: Path) -> None:
    """Raise for the first row with something wrong.

    Raises
    ------
    DataError
        With its line, what is wrong, and the row.
    """
    bad = rows.filter(pl.col("kind").is_not_null()).select("line", "kind", "row")
    if len(bad):
        line, kind, row = bad.row(0)
        what = WHAT_IS_WRONG.get(kind, kind)
        raise DataError(f"{path}, line {line}: {what}: {row[:SHOWN]!r}")
