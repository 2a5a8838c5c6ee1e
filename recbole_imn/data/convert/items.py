"""Attributes of items and the times at which they were on the shelf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl

from recbole_imn.data.convert.events import ITEM_PREFIX
from recbole_imn.data.convert.layout import Table
from recbole_imn.data.convert.rejects import Rejects
from recbole_imn.data.convert.rows import Step
from recbole_imn.data.convert.shelf import ended_before
from recbole_imn.data.convert.times import SECOND
from recbole_imn.data.stays import DELISTED, LISTED, STAYS

# Rows kept between clean-ups, beyond those that stay.
PENDING_ROWS = 4_000_000
# Size of the table of rows that need not be kept again; 8 bytes each, 24 with attributes.
RECENT_ROWS = 1 << 23
# No attribute can have this name.
TIME = "time"
FILE_SUFFIX = " of the file"


class RowReader(Protocol):
    """Reads a table in order, as :func:`~recbole_imn.data.convert.rows.read_rows` does."""

    def __call__(self, table: Table, then: Step) -> Iterator[pl.DataFrame]:
        """Read a table and give what ``then`` makes of each block."""


@dataclass(frozen=True)
class Items:
    """What files beside the log say of items.

    Attributes
    ----------
    attributes : DataFrame
        ``item_id`` and columns of str, one row an item; a time is int64 microseconds since
        1970, null where it is not known.
    types : dict of str to str
        Types of those columns: ``token``, ``float``, ``float_seq`` or ``time``.
    listings : DataFrame or None
        ``item_id``, ``start``, ``end`` (int64 microseconds since 1970), one row a stay on the
        shelf. A null start is before the log, a null end after it. None if the source does
        not know.
    repeated, differing : int
        Rows of an item that told nothing new, and those that told other attributes than its
        first row.
    notes : sequence of str
        What a user should know of how the files were read.
    catalogue : DataFrame or None
        ``item_id`` of the items that are written though the log has no event of them; all
        that have attributes or a listing where it is None.
    time_formats : sequence of str
        How the times of attributes and listings were written.
    """

    attributes: pl.DataFrame
    types: dict[str, str] = field(default_factory=dict)
    listings: pl.DataFrame | None = None
    repeated: int = 0
    differing: int = 0
    notes: Sequence[str] = ()
    catalogue: pl.DataFrame | None = None
    time_formats: Sequence[str] = ()

    def ids(self) -> pl.DataFrame:
        """Give ``item_id`` of the catalogue, in the order of the files."""
        if self.catalogue is not None:
            return self.catalogue
        ids = [self.attributes.select("item_id")]
        if self.listings is not None:
            ids.append(self.listings.select("item_id"))
        return pl.concat(ids).unique(maintain_order=True)

    def first_listed(self) -> pl.DataFrame | None:
        """Give ``item_id`` and ``first_listed`` of items that were listed within the log."""
        if self.listings is None:
            return None
        start = pl.col("start")
        first = pl.when(start.is_not_null().all()).then(start.min()).alias("first_listed")
        return self.listings.group_by("item_id").agg(first).drop_nulls()


class ItemReader(Protocol):
    """Reads what files beside the log say of items."""

    @property
    def tables(self) -> Sequence[Table]:
        """Give the files to read."""

    def read(self, rows: RowReader, rejects: Rejects) -> Items:
        """Read them; bad rows go to ``rejects``."""


class ItemCollector:
    """Items of the log, with attributes that its rows tell; the earliest row of an item counts.

    Of rows at one time, the first in the order of the files does: what a later row tells was not
    known before. Most rows tell what an earlier one told, and finding the distinct ones among all
    would take longer than all the rest. So rows whose hashes (64 bits of the item, 64 bits of the
    attributes) are in a table of recent ones, no later than they are, are passed over; a hash that
    was pushed out of the table only costs time.

    Parameters
    ----------
    columns : sequence of str
        Names of the attributes, without the prefix.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = list(columns)
        self._parts: list[pl.DataFrame] = []
        self._order = pl.DataFrame(schema={"item_id": pl.String})
        kinds = (np.uint64, np.uint64, np.int64) if self._columns else (np.uint64,)
        # Hashes of items and of attributes, and times; apart, since numpy is slow with records.
        self._recent = [np.zeros(RECENT_ROWS, kind) for kind in kinds]
        self._clean = self._pending = 0

    def add(self, events: pl.DataFrame) -> None:
        """Take the items of a block of events, with ``time`` where there are attributes."""
        names = {ITEM_PREFIX + name: name for name in self._columns}
        further = [TIME] if self._columns else []
        rows = events.select("item_id", *names, *further).rename(names)
        rows = rows.filter(self._is_new(rows))
        self._parts.append(rows)
        self._pending += len(rows)
        if self._pending > PENDING_ROWS + self._clean:
            self._compact()

    def _is_new(self, rows: pl.DataFrame) -> pl.Series:
        """Tell which rows are not among the recent ones, and put them there."""
        told = [rows["item_id"].hash().to_numpy()]
        places = (told[0] % RECENT_ROWS).astype(np.int64)
        is_new = self._recent[0][places] != told[0]
        if self._columns:
            rest = rows.select(pl.struct(self._columns).hash()).to_series().to_numpy()
            told += [rest, rows[TIME].to_numpy()]
            is_new |= self._recent[1][places] != told[1]
            is_new |= self._recent[2][places] > told[2]
        new = places[is_new]
        for recent, values in zip(self._recent, told, strict=True):
            recent[new] = values[is_new]
        return pl.Series(is_new)

    def _compact(self) -> None:
        """Keep the earliest row of each item and attributes, and the order of items."""
        if not self._parts:
            return
        # What was kept before is in order of time, and its items are in their order already.
        ids = [part.select("item_id") for part in self._parts[bool(self._clean) :]]
        self._order = pl.concat([self._order, *ids]).unique(maintain_order=True)
        rows = pl.concat(self._parts)
        # Rows of one time stay in the order in which they came.
        rows = rows.sort(TIME, maintain_order=True) if self._columns else rows
        distinct = rows.unique(["item_id", *self._columns], keep="first", maintain_order=True)
        self._parts, self._clean, self._pending = [distinct], len(distinct), 0

    def result(self) -> tuple[pl.DataFrame, int]:
        """Give one row an item, and how many rows told otherwise of an item and were dropped."""
        self._compact()
        distinct = self._parts[0]
        items = distinct.unique("item_id", keep="first", maintain_order=True)
        items = self._order.join(items, on="item_id", how="left", maintain_order="left")
        return items.select("item_id", *self._columns), len(distinct) - len(items)


def item_table(
    items: pl.DataFrame,
    types: dict[str, str],
    extra: Items | None,
    origin: int,
    whole_seconds: bool,
) -> pl.DataFrame:
    """Lay out the ``.item`` file.

    Parameters
    ----------
    items : DataFrame
        Items of the log with the attributes that it tells.
    types : dict of str to str
        Types of those attributes.
    extra : Items or None
        What other files say, of items without an event too.
    origin : int
        Moment that times count from, microseconds since 1970.
    whole_seconds : bool
        Whether all events are at whole seconds.

    Returns
    -------
    DataFrame
        With the columns ``FIELD:TYPE`` of an atomic file: items of the log in the order of
        their first rows, then the others in the order of the files.
    """
    if extra is not None:
        others = extra.ids().join(items, on="item_id", how="anti", maintain_order="left")
        items = pl.concat([items, others], how="diagonal")
        items = _with_attributes(items, extra, origin)
        new = {name: _written(kind) for name, kind in extra.types.items() if name not in types}
        types = types | new
        if extra.listings is not None:
            stays = _stays(extra.listings, origin, whole_seconds)
            items = items.join(stays, on="item_id", how="left", maintain_order="left")
            types = types | dict.fromkeys(STAYS, "float_seq")
    names = {"item_id": "item_id:token"} | {name: f"{name}:{kind}" for name, kind in types.items()}
    return items.select(pl.col(old).fill_null("").alias(new) for old, new in names.items())


def _written(kind: str) -> str:
    return "float" if kind == "time" else kind


def _with_attributes(items: pl.DataFrame, extra: Items, origin: int) -> pl.DataFrame:
    """Join what files tell; what the log tells of an item comes first."""
    times = [name for name, kind in extra.types.items() if kind == "time"]
    told = extra.attributes
    told = told.with_columns(_as_seconds(told[name], origin) for name in times)
    items = items.join(told, on="item_id", how="left", maintain_order="left", suffix=FILE_SUFFIX)
    both = [name for name in extra.types if f"{name}{FILE_SUFFIX}" in items.columns]
    return items.with_columns(pl.coalesce(name, f"{name}{FILE_SUFFIX}") for name in both)


def _as_seconds(times: pl.Series, origin: int, is_whole: bool | None = None) -> pl.Series:
    """Write times that are known; whole numbers where all are, unless that is told."""
    known = times.drop_nulls()
    if is_whole is None:
        is_whole = not (known % SECOND != 0).any()
    text = pl.Series(times.name, [None] * len(times), dtype=pl.String)
    places = times.is_not_null().arg_true()
    return text.scatter(places, seconds(known, origin, is_whole).cast(pl.String))


def _stays(listings: pl.DataFrame, origin: int, whole_seconds: bool) -> pl.DataFrame:
    """Join starts and ends of each item's stays, in order, as seconds since the origin.

    An open end is ``inf``: whoever goes on from here must know that the item is still there.
    A stay of unknown beginning begins with the log; one that ended before is in none of it.
    The last microsecond of a second is written as that second where no event is within one.
    """
    filled = listings.filter(~ended_before(origin))
    filled = filled.with_columns(start=pl.col("start").fill_null(origin))
    filled = filled.sort("item_id", "start", "end", nulls_last=True)
    ends = [0, SECOND - 1] if whole_seconds else [0]
    is_cut = (pl.col("start") % SECOND != 0) | ~(pl.col("end") % SECOND).is_in(ends)
    is_whole = not filled.select(is_cut.any()).item()
    return (
        filled.select(
            "item_id",
            _as_seconds(filled["start"], origin, is_whole).alias(LISTED),
            _as_seconds(filled["end"], origin, is_whole).fill_null("inf").alias(DELISTED),
        )
        .group_by("item_id", maintain_order=True)
        .agg(pl.col(*STAYS).str.join(" "))
    )


def seconds(times: pl.Series, origin: int, is_whole: bool) -> pl.Series:
    """Give microseconds since 1970 as seconds since an origin, int64 or float64."""
    elapsed = times - origin
    # polars divides by a constant with an error in the last digit; numpy does not.
    return elapsed // SECOND if is_whole else pl.Series(elapsed.to_numpy() / SECOND)
