"""Tables of items and their image vectors, beside a log with a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from recbole_imn.data.convert.events import first_fault, joined, number_faults
from recbole_imn.data.convert.images import read_images
from recbole_imn.data.convert.items import Items, RowReader
from recbole_imn.data.convert.mapping import RESERVED, Place, TableMapping
from recbole_imn.data.convert.opened import open_table
from recbole_imn.data.convert.rejects import Rejects
from recbole_imn.data.convert.source import Column, Table
from recbole_imn.data.convert.times import parse_times


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
        Width to which image vectors are reduced.
    """

    items: Path | None = None
    images: Path | None = None
    image_width: int = 32


@dataclass(frozen=True)
class OpenedItems:
    """A table of items with what its columns mean.

    Attributes
    ----------
    table : Table
    item_id : int
        Column with the item.
    columns : dict of str to Column
        Attributes.
    left_out : sequence of str
        Columns that were wanted and are not there, or that cannot be attributes.
    listed_at, delisted_at : int or None
        Columns with the times of a stay on the shelf; a row a stay.
    time_format, time_zone : str
    """

    table: Table
    item_id: int
    columns: dict[str, Column]
    left_out: Sequence[str] = ()
    listed_at: int | None = None
    delisted_at: int | None = None
    time_format: str = ""
    time_zone: str = "UTC"


def open_items(path: Path, mapping: TableMapping) -> OpenedItems:
    """Find the columns of a table of items.

    Parameters
    ----------
    path : Path
    mapping : TableMapping
        Of the log. Without a mapping of items, every column of the table is an attribute.

    Raises
    ------
    DataError
        If the table has no column with the item, or its times cannot be read.
    """
    items = mapping.items or _default_items(mapping)
    opened = open_table(path, items)
    item_id = opened.place(items.columns.get("item_id", "item_id"))
    if items.item_columns:
        wanted = {name: spec for name, spec in items.item_columns.items() if opened.has(spec[0])}
        left_out = [name for name in items.item_columns if name not in wanted]
    else:
        others = [name for name in opened.names if name not in items.columns.values()]
        wanted = {
            name: (name, "token") for name in others if name.isidentifier() and name not in RESERVED
        }
        left_out = [name for name in others if name not in wanted]
    found = OpenedItems(opened.table, item_id, opened.columns(wanted), left_out)
    listed_at, delisted_at = (
        opened.place(items.columns[role])
        if role in items.columns and opened.has(items.columns[role])
        else None
        for role in ("listed_at", "delisted_at")
    )
    if listed_at is None:
        return found
    return replace(
        found,
        listed_at=listed_at,
        delisted_at=delisted_at,
        time_format=opened.time_format(listed_at, items),
        time_zone=items.time_zone,
    )


def _default_items(mapping: TableMapping) -> TableMapping:
    """Expect the item under its name in the log, and listings under their usual names."""
    item = mapping.columns["item_id"]
    columns: dict[str, Place] = {"item_id": item if isinstance(item, str) else "item_id"}
    columns |= {name: name for name in ("listed_at", "delisted_at")}
    return TableMapping(columns, time_zone=mapping.time_zone, encoding=mapping.encoding)


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
    def open(cls, mapping: TableMapping, extras: Extras) -> MappedItems:
        """Find the columns of the table, if there is one."""
        return cls(open_items(extras.items, mapping) if extras.items else None, extras)

    @property
    def left_out(self) -> Sequence[str]:
        """Give columns that were wanted and are not there, or that cannot be attributes."""
        return self.opened.left_out if self.opened else ()

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
        images = read_images(self.extras.images, self.extras.image_width)
        attributes = items.attributes.join(images, on="item_id", how="full", coalesce=True)
        return replace(items, attributes=attributes, types={**items.types, "image": "float_seq"})


def _read_items(opened: OpenedItems, rows: RowReader, rejects: Rejects) -> Items:
    parts = [
        rejects.separate(block, opened.table.path.name)
        for block in rows(opened.table, partial(_item_rows, opened=opened))
    ]
    table = pl.concat(parts)
    attributes = table.unique("item_id", keep="first", maintain_order=True)
    types = {name: column.type for name, column in opened.columns.items()}
    listings = None
    if opened.listed_at is not None:
        listings = table.select("item_id", "start", "end").drop_nulls("start")
    return Items(attributes.select("item_id", *types), types, listings)


def _item_rows(block: pl.DataFrame, opened: OpenedItems) -> pl.DataFrame:
    """Give the item, its attributes and a stay of each row, and what is wrong with it."""
    columns: dict[str, pl.Expr] = {"item_id": pl.col(str(opened.item_id)).str.strip_chars()}
    columns |= {name: joined(column) for name, column in opened.columns.items()}
    faults = [("empty id", columns["item_id"] == "")]
    for name, place in (("start", opened.listed_at), ("end", opened.delisted_at)):
        if place is None:
            columns[name] = pl.lit(None, pl.Int64)
            continue
        text = pl.col(str(place))
        columns[name] = parse_times(text, opened.time_format, opened.time_zone)
        faults.append(("time", (text.str.strip_chars() != "") & columns[name].is_null()))
    faults += number_faults(opened.columns)
    faults.append(("delisted before listed", columns["end"] < columns["start"]))
    return block.select("line", "row", kind=first_fault(faults), **columns)
