"""Any table with a column mapping: the sources ``csv`` and ``czb``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recbole_imn.data.atomic import DataError
from recbole_imn.data.convert.item_files import Extras, MappedItems
from recbole_imn.data.convert.mapping import TableMapping, entries, make_mapping, read_mapping
from recbole_imn.data.convert.opened import OpenedTable, open_table
from recbole_imn.data.convert.source import Layout, Source

CZB_MAPPING = Path(__file__).with_name("czb.yaml")


def read_czb(paths: Sequence[Path], settings: Mapping[str, Any], extras: Extras) -> Source:
    """Describe the log of the CheZhiBao platform, with settings over those of czb.yaml."""
    defaults = read_mapping(CZB_MAPPING)
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
    reader = MappedItems.open(mapping, extras) if extras.items or extras.images else None
    formats = sorted({layout.time_format for _, layout in tables})
    notes = [f"times were read as {' and '.join(formats)}, time zone {mapping.time_zone}"]
    if not tables[0][1].has_purchase:
        notes.append("no action is a purchase; name some with --purchase=ACTION")
    if reader and reader.left_out:
        notes.append(f"of the items' columns, these were left out: {', '.join(reader.left_out)}")
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
