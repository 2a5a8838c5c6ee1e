"""Tables of items and their image vectors, beside a log with a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from recbole_imn.data.convert.events import first_fault, joined, number_faults
from recbole_imn.data.convert.header import EMPTY_WORDS
from recbole_imn.data.convert.images import IMAGE_WIDTH, read_images
from recbole_imn.data.convert.items import Items, RowReader
from recbole_imn.data.convert.kinds import Kind, kind_of
from recbole_imn.data.convert.layout import Table
from recbole_imn.data.convert.mapping import LogMapping
from recbole_imn.data.convert.opened_items import OpenedItems, open_items
from recbole_imn.data.convert.rejects import Rejects
from recbole_imn.data.convert.rows import (
    BROKEN,
    CELL_FAULTS,
    CONTROL,
    unchanged,
    with_cell_faults,
)
from recbole_imn.data.convert.times import find_format, parse_times
from recbole_imn.data.stays import DELISTED, STAYS
from recbole_imn.errors import DataError

TOLD = {"float": "numbers", "time": "times", "token": "words"}


@dataclass(frozen=True)
class Extras:
    """Files beside the log.

    Attributes
    ----------
    items : Path or None
        A table of items.
    images : Path or None
        A folder with ITEM.npy, or one X.npy with X.ids.txt beside it.
    image_width : int
        Components of image vectors that training is to keep.
    """

    items: Path | None = None
    images: Path | None = None
    image_width: int = IMAGE_WIDTH


@dataclass(frozen=True)
class MappedItems:
    """Reads a table of items and their image vectors.

    Attributes
    ----------
    opened : OpenedItems or None
    extras : Extras
    """

    opened: OpenedItems | None
    extras: Extras

    @classmethod
    def open(cls, mapping: LogMapping, extras: Extras) -> MappedItems:
        """Find the columns of the table, if there is one."""
        return cls(open_items(extras.items, mapping) if extras.items else None, extras)

    @property
    def tables(self) -> Sequence[Table]:
        """Give the files to read as tables."""
        return [self.opened.table] if self.opened else []

    def read(self, rows: RowReader, rejects: Rejects) -> Items:
        """Read them; bad rows go to ``rejects``."""
        items = Items(pl.DataFrame(schema={"item_id": pl.String}))
        if self.opened:
            items = _read_items(self.opened, rows, rejects)
        if self.extras.images is None:
            return items
        images, note = read_images(self.extras.images, self.extras.image_width)
        attributes = items.attributes.join(images, on="item_id", how="full", coalesce=True)
        return replace(
            items,
            attributes=attributes,
            types={**items.types, "image": "float_seq"},
            # Where there is no table of items, the images are the catalogue.
            catalogue=items.ids() if self.opened else None,
            notes=[*items.notes, note],
        )


def _read_items(opened: OpenedItems, rows: RowReader, rejects: Rejects) -> Items:
    """Read the whole table, which tells better than a sample what its columns hold."""
    cells = pl.concat(list(rows(opened.table, unchanged)))
    columns, notes, left_out = opened.columns, list(opened.notes), dict(opened.left_out)
    if not opened.is_told:
        kinds = _kinds(opened, cells)
        columns = {
            name: replace(column, type=kinds[name].type)
            for name, column in columns.items()
            if kinds[name].type
        }
        left_out |= {name: kind.why_none for name, kind in kinds.items() if not kind.type}
        notes += _told(kinds)
    if left_out:
        told = ", ".join(f"{name} ({reason})" for name, reason in left_out.items())
        notes.append(f"of the items' columns, these were left out: {told}")
    found = replace(opened, columns=columns)
    if len(columns) < len(opened.columns):
        # What is wrong in a column that is left out is no fault of the row.
        is_inside = pl.col("kind").is_in(list(CELL_FAULTS))
        cells = cells.with_columns(kind=pl.when(~is_inside).then("kind"))
        cells = with_cell_faults(cells, found.used, CONTROL + BROKEN)
    formats: list[str] = []
    good = rejects.separate(_item_rows(cells, found, formats), opened.table.path)
    return replace(_items(good, found, notes), time_formats=tuple(formats))


def _kinds(opened: OpenedItems, cells: pl.DataFrame) -> dict[str, Kind]:
    whole = cells.filter(pl.col("kind").is_null() | pl.col("kind").is_in(list(CELL_FAULTS)))
    return {
        name: kind_of(name, whole[str(column.places[0])], opened.time_zone, opened.likely_format)
        for name, column in opened.columns.items()
    }


def _told(kinds: dict[str, Kind]) -> list[str]:
    """Say what the columns were taken for."""
    parts = []
    for kind, what in TOLD.items():
        names = [name for name, found in kinds.items() if found.type == kind]
        if names:
            parts.append(f"{what} in {', '.join(names)}")
    odd = [f"{name} ({kind.odd!r})" for name, kind in kinds.items() if kind.odd]
    if odd:
        parts.append(f"words among the numbers of {', '.join(odd)}")
    told = f"of the items' columns, there are {'; '.join(parts)}; --mapping changes that"
    return [told] if parts else []


def _items(good: pl.DataFrame, opened: OpenedItems, notes: Sequence[str]) -> Items:
    types = {name: column.type for name, column in opened.columns.items()}
    attributes = good.unique("item_id", keep="first", maintain_order=True)
    told = good.select(pl.struct("item_id", *types)).to_series()
    listings, is_new = None, told.is_first_distinct()
    if opened.listed_at is not None or opened.delisted_at is not None:
        stay = ["item_id", "start", "end"]
        has_stay = pl.any_horizontal(pl.col("start", "end").is_not_null())
        if opened.listed_at is None:
            # All were there from the first; who has no end is there still.
            has_stay = pl.lit(True)
        elif idle := len(good) - int(good.select(has_stay).to_series().sum()):
            notes = [*notes, f"{idle:,} rows of items have no times, and no stay on the shelf"]
        is_new |= good.select(pl.struct(stay).is_first_distinct() & has_stay).to_series()
        listings = good.filter(has_stay).select(stay).unique(maintain_order=True)
    return Items(
        attributes.select("item_id", *types),
        types,
        listings,
        repeated=len(good) - int(is_new.sum()),
        differing=told.n_unique() - len(attributes),
        notes=notes,
    )


def _item_rows(cells: pl.DataFrame, opened: OpenedItems, formats: list[str]) -> pl.DataFrame:
    """Give the item, its attributes and a stay of each row, and what is wrong with it.

    The formats of times that were found are added to ``formats``.
    """
    columns: dict[str, pl.Expr] = {"item_id": pl.col(str(opened.item_id)).str.strip_chars()}
    faults = [("empty id", columns["item_id"] == "")]
    for name, column in opened.columns.items():
        is_plain = opened.is_told and column.type != "time"
        text = joined(column) if is_plain else _without_words(joined(column), column.type)
        columns[name] = text
        if column.type == "time":
            columns[name] = _times(cells, name, text, opened, "auto", formats)
            faults.append((f"time in {name}", (text != "") & columns[name].is_null()))
    stays = {"start": (opened.listed_at, STAYS[0]), "end": (opened.delisted_at, STAYS[1])}
    for name, (place, told) in stays.items():
        text = pl.lit("") if place is None else pl.col(str(place)).str.strip_chars()
        text = _without_words(text, "time")
        is_end = told == DELISTED
        columns[name] = _times(cells, told, text, opened, opened.time_format, formats, is_end)
        faults.append((f"time in {told}", (text != "") & columns[name].is_null()))
    if opened.is_told:
        floats = {name: c for name, c in opened.columns.items() if c.type == "float"}
        faults += number_faults(floats)
    faults.append(("delisted before listed", columns["end"] < columns["start"]))
    return cells.select("line", "row", kind=first_fault(faults), **columns)


def _without_words(text: pl.Expr, kind: str) -> pl.Expr:
    """Empty cells of numbers and times in which a word says that there is none."""
    if kind == "token":
        return text
    is_empty = text.str.to_lowercase().is_in(list(EMPTY_WORDS))
    return pl.when(~is_empty).then(text).otherwise(pl.lit(""))


def _times(
    cells: pl.DataFrame,
    column: str,
    text: pl.Expr,
    opened: OpenedItems,
    time_format: str,
    formats: list[str],
    is_end: bool = False,
) -> pl.Expr:
    """Read a column of times, whose cells tell the format if nobody did."""
    values = cells.filter(pl.col("kind").is_null()).select(text=text)["text"]
    values = values.filter(values != "")
    if values.is_empty():
        return pl.lit(None, pl.Int64)
    if time_format == "auto":
        sample = values.head(1_000).to_list()
        try:
            time_format = find_format(sample, opened.time_zone, opened.likely_format)
        except DataError as error:
            raise DataError(
                f"{opened.table.path}, column {column}: none of the first values is a time: "
                f"{', '.join(sample[:3])!r}; write their format in a mapping, "
                "items: {time_format: PATTERN}, such as %Y-%m-%d"
            ) from error
    formats.append(time_format)
    return parse_times(text, time_format, opened.time_zone, is_end)
