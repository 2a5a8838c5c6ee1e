"""Which column of a table of items means what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from recbole_imn.data.convert.layout import Column, Table
from recbole_imn.data.convert.mapping import (
    RESERVED,
    ItemColumns,
    ItemMapping,
    LogMapping,
    told_columns,
)
from recbole_imn.data.convert.opened import OpenedTable, open_table
from recbole_imn.data.convert.times import require_time_zone
from recbole_imn.data.convert.usual import item_names, usual_item
from recbole_imn.data.stays import STAYS
from recbole_imn.errors import DataError


@dataclass(frozen=True)
class OpenedItems:
    """A table of items with what its columns mean.

    Attributes
    ----------
    table : Table
    item_id : int
        Column with the item.
    columns : dict of str to Column
        Attributes; ``time`` is a type too.
    is_told : bool
        Whether types were told; otherwise the cells tell them.
    left_out : mapping of str to str
        Columns that were wanted and are not there, or that cannot be attributes, and why.
    listed_at, delisted_at : int or None
        Columns with the times of a stay on the shelf; a row a stay.
    time_format : str
        Of the stays; ``auto`` finds it.
    likely_format : str
        What was told of these times or the log's; taken where most of a column's are written so.
    time_zone : str
    notes : sequence of str
    """

    table: Table
    item_id: int
    columns: dict[str, Column]
    is_told: bool
    left_out: Mapping[str, str] = field(default_factory=dict)
    listed_at: int | None = None
    delisted_at: int | None = None
    time_format: str = "auto"
    likely_format: str = "auto"
    time_zone: str = "UTC"
    notes: Sequence[str] = ()

    @property
    def used(self) -> frozenset[int]:
        """Columns of the table that anything is taken from."""
        single = (self.item_id, self.listed_at, self.delisted_at)
        places = [*single, *(place for c in self.columns.values() for place in c.places)]
        return frozenset(place for place in places if place is not None)


def open_items(path: Path, mapping: LogMapping) -> OpenedItems:
    """Find the columns of a table of items.

    Parameters
    ----------
    path : Path
    mapping : LogMapping
        Of the log. Without a mapping of items, every column of the table is an attribute.

    Raises
    ------
    DataError
        If the table has no column with the item, or its times cannot be read.
    """
    opened = open_table(path, _with_header(mapping.items))
    items = _completed(mapping, opened.names)
    if items.columns.item_id is None:
        usual = " or ".join(repr(name) for name in item_names(mapping))
        raise DataError(
            f"{path}: no column {usual}; {told_columns(opened.names)}; name it in a mapping, "
            "items: {columns: {item_id: COLUMN}}"
        )
    item_id = opened.place(items.columns.item_id)
    columns, left_out = _attributes(opened, items)
    stays = {
        role: opened.place(place)
        for role in STAYS
        if (place := getattr(items.columns, role)) is not None and opened.has(place)
    }
    found = OpenedItems(
        opened.table,
        item_id,
        columns,
        bool(items.item_columns),
        left_out,
        **stays,
        time_format=items.time_format,
        likely_format=mapping.time_format if items.time_format == "auto" else items.time_format,
        time_zone=require_time_zone(items.time_zone),
        notes=opened.notes,
    )
    return replace(found, table=replace(opened.table, used=found.used))


def _with_header(items: ItemMapping) -> ItemMapping:
    """Expect a header where columns are to be found by their names."""
    is_found = not any(isinstance(place, int) for place in items.named_columns())
    return items.model_copy(update={"header": True}) if is_found and items.header is None else items


def _completed(mapping: LogMapping, names: Sequence[str]) -> ItemMapping:
    """Expect the item under its name in the log, or a usual one, and stays under theirs.

    A mapping that names attributes has no columns but those that it names.
    """
    items, told = mapping.items, mapping.items.columns
    item = told.item_id or usual_item(mapping, names)
    stays = {role: getattr(told, role) for role in STAYS}
    if not items.item_columns:
        stays = {role: place or role for role, place in stays.items()}
    return items.model_copy(update={"columns": ItemColumns(item_id=item, **stays)})


def _attributes(
    opened: OpenedTable, items: ItemMapping
) -> tuple[dict[str, Column], dict[str, str]]:
    """Give the columns that are attributes, and why others are none."""
    if items.item_columns:
        wanted = {name: (c.column, c.type) for name, c in items.item_columns.items()}
        found = {name: spec for name, spec in wanted.items() if opened.has(spec[0])}
        missing = {name: "not there" for name in wanted if name not in found}
        return opened.columns(found), missing
    taken = {items.columns.item_id, items.columns.listed_at, items.columns.delisted_at}
    columns, left_out = {}, {}
    for place, name in enumerate(opened.names):
        if name in taken or place + 1 in taken:
            continue
        if reason := _why_none(opened, place):
            left_out[name or f"column {place + 1}"] = reason
        else:
            columns[name] = Column((place,), "token")
    return columns, left_out


def _why_none(opened: OpenedTable, place: int) -> str:
    """Say why a column is no attribute, as it is named; empty if it is one."""
    name = opened.names[place]
    if not name:
        return "no name"
    if nested := opened.nested.get(place) or opened.mixed.get(place):
        return f"{nested} in its cells"
    if opened.names.count(name) > 1:
        return "several of this name"
    if name in RESERVED:
        return "a name with another meaning; item_columns of a mapping names what is kept"
    return "" if name.isidentifier() else "no name of letters, digits and _"
