"""Any table with a column mapping: the sources ``csv`` and ``czb``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from recbole_imn.data.atomic import DataError
from recbole_imn.data.convert.events import first_fault, joined, number_faults
from recbole_imn.data.convert.images import read_images
from recbole_imn.data.convert.items import Items, RowReader
from recbole_imn.data.convert.mapping import Place, TableMapping, entries, make_mapping, read_yaml
from recbole_imn.data.convert.opened import OpenedTable, open_table
from recbole_imn.data.convert.rejects import Rejects
from recbole_imn.data.convert.source import Column, Layout, Source, Table
from recbole_imn.data.convert.times import parse_times

CZB_MAPPING = Path(__file__).with_name("czb.yaml")


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


def read_czb(paths: Sequence[Path], settings: Mapping[str, Any], extras: Extras) -> Source:
    """Describe the log of the CheZhiBao platform, with settings over those of czb.yaml."""
    defaults = read_yaml(CZB_MAPPING)
    columns = {**defaults["columns"], **entries(settings, "columns")}
    values = {**defaults, **settings, "columns": columns}
    source = read_table("czb", paths, values, extras)
    if "item_columns" not in settings:
        note = "model and registration_date are columns 4 and 5 of the log; --mapping changes that"
        source = replace(source, notes=[*source.notes, note])
    return source


def read_table(
    name: str, paths: Sequence[Path], settings: Mapping[str, Any], extras: Extras
) -> Source:
    """Describe a log with a column mapping.

    Parameters
    ----------
    name : str
        Name of the source.
    paths : sequence of Path
        Tables of events with the same columns, text or parquet.
    settings : mapping
        As in czb.yaml.
    extras : Extras

    Raises
    ------
    DataError
        If the mapping is wrong or does not fit the files.
    """
    mapping = make_mapping(settings)
    missing = [role for role in ("user_id", "item_id", "timestamp") if role not in mapping.columns]
    if missing:
        raise DataError(
            f"no column is named for {', '.join(missing)}; give --user, --item and --time, or "
            "columns in --mapping=FILE"
        )
    opened = [open_table(path, mapping) for path in paths]
    tables = [(table.table, _layout(table, mapping)) for table in opened]
    reader = None
    if extras.items or extras.images:
        reader = MappedItems(_open_items(mapping, extras), extras)
    formats = sorted({layout.time_format for _, layout in tables})
    notes = [f"times were read as {' and '.join(formats)}, time zone {mapping.time_zone}"]
    if not tables[0][1].has_purchase:
        notes.append("no action is a purchase; name some with --purchase=ACTION")
    options = {key: value for key, value in settings.items() if key != "items"}
    return Source(name, tables, reader, mapping.time_zone, options=options, notes=notes)


def _layout(opened: OpenedTable, mapping: TableMapping) -> Layout:
    places = {role: opened.place(place) for role, place in mapping.columns.items()}
    if mapping.purchases and "behavior" not in places:
        raise DataError("purchases are named, but no column for the action; give --behavior=COLUMN")
    if mapping.purchases and "purchase" in places:
        raise DataError("purchases are told by actions and by a column of their own; keep one")
    return Layout(
        user_id=places["user_id"],
        item_id=places["item_id"],
        timestamp=places["timestamp"],
        behavior=places.get("behavior"),
        purchase=places.get("purchase"),
        time_format=opened.time_format(places["timestamp"], mapping),
        time_zone=mapping.time_zone,
        behaviors=mapping.behaviors,
        purchases=mapping.purchases,
        event_columns=opened.columns(dict(mapping.event_columns)),
        item_columns=opened.columns(dict(mapping.item_columns)),
    )


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
    listed_at, delisted_at : int or None
        Columns with the times of a stay on the shelf; a row a stay.
    time_format, time_zone : str
    """

    table: Table
    item_id: int
    columns: dict[str, Column]
    listed_at: int | None
    delisted_at: int | None
    time_format: str
    time_zone: str


def _open_items(mapping: TableMapping, extras: Extras) -> OpenedItems | None:
    if extras.items is None:
        return None
    items = mapping.items or _default_items(mapping)
    opened = open_table(extras.items, items)
    wanted = {
        name: spec for name, spec in items.item_columns.items() if spec[0] in opened.names
    } or {
        column: (column, "token")
        for column in opened.names
        if column.isidentifier() and column not in items.columns.values()
    }
    there = {
        role: opened.place(place)
        for role, place in items.columns.items()
        if role == "item_id" or isinstance(place, int) or place in opened.names
    }
    if "item_id" not in there:
        raise DataError(f"{extras.items}: no column is named for item_id; see items in the mapping")
    listed_at = there.get("listed_at")
    return OpenedItems(
        opened.table,
        there["item_id"],
        opened.columns(wanted),
        listed_at,
        there.get("delisted_at"),
        "" if listed_at is None else opened.time_format(listed_at, items),
        items.time_zone,
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
    columns: dict[str, pl.Expr] = {"item_id": pl.col(str(opened.item_id)).str.strip_chars()}
    columns |= {name: joined(column) for name, column in opened.columns.items()}
    faults = [("empty id", pl.col(str(opened.item_id)).str.strip_chars() == "")]
    for name, place in (("start", opened.listed_at), ("end", opened.delisted_at)):
        if place is None or opened.listed_at is None:
            columns[name] = pl.lit(None, pl.Int64)
            continue
        text = pl.col(str(place))
        columns[name] = parse_times(text, opened.time_format, opened.time_zone)
        faults.append(("time", (text.str.strip_chars() != "") & columns[name].is_null()))
    faults += number_faults(opened.columns)
    if opened.listed_at is not None and opened.delisted_at is not None:
        faults.append(("delisted before listed", columns["end"] < columns["start"]))
    return block.select("line", "row", kind=first_fault(faults), **columns)
