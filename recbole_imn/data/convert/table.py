"""Any table with a column mapping: the sources ``csv`` and ``czb``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recbole_imn.data.convert.file_actions import action_of_file
from recbole_imn.data.convert.item_files import Extras, MappedItems
from recbole_imn.data.convert.jodie import FEATURES
from recbole_imn.data.convert.layout import Layout
from recbole_imn.data.convert.mapping import (
    Further,
    LogMapping,
    Place,
    entries,
    make_mapping,
    read_mapping,
    told_columns,
)
from recbole_imn.data.convert.opened import OpenedTable, open_table
from recbole_imn.data.convert.source import Source
from recbole_imn.data.convert.time_columns import time_format, time_places
from recbole_imn.data.convert.usual import usual_in_all
from recbole_imn.errors import DataError

# The action of every row, where each is a purchase and no column says so.
PURCHASE = "purchase"
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
        Tables of events with the same columns: text, JSON lines or parquet.
    settings : mapping
        As in czb.yaml.
    extras : Extras

    Raises
    ------
    DataError
        If the mapping is wrong or does not fit the files.
    """
    mapping = make_mapping(settings)
    opened = [open_table(path, mapping) for path in paths]
    found = usual_in_all(settings, {table.table.path: table.names for table in opened})
    settings = {**settings, "columns": {**entries(settings, "columns"), **found}}
    mapping = make_mapping(settings)
    _require_roles(mapping, opened[0])
    _require_no_jodie(opened)
    # Only of text does it matter which columns are asked for by name.
    opened = [
        open_table(table.table.path, mapping) if table.table.form == "text" else table
        for table in opened
    ]
    names = frozenset(name for table in opened for name in table.names)
    tables = [(table.table, _layout(table, mapping, names)) for table in opened]
    reader = MappedItems.open(mapping, extras) if extras.items or extras.images else None
    formats = sorted({layout.time_format for _, layout in tables})
    notes = [f"times were read as {' and '.join(formats)}, time zone {mapping.time_zone}"]
    if found:
        notes.append(f"of the log's columns, {', '.join(found.values())} were found by their names")
    notes += [note for table in opened for note in table.notes]
    notes += [note for table, layout in tables for note in _empty(table.path, layout)]
    if mapping.file_actions:
        told = (f"{table.path.name}: {layout.constant_behavior}" for table, layout in tables)
        notes.append(f"all rows of a file are one action, {', '.join(told)}")
    if not tables[0][1].has_purchase:
        notes.append(_no_purchases(tables[0][1], len(tables)))
    options = {key: value for key, value in settings.items() if key != "items"}
    return Source(name, tables, reader, mapping.time_zone, options=options, notes=notes)


def _no_purchases(layout: Layout, n_files: int) -> str:
    """Say how purchases can be told."""
    note = "no action is a purchase; name some with --purchase=ACTION"
    if n_files > 1 and not layout.has_behavior:
        note += ", and where each file has one action, all of them with --file-action=FILE=ACTION"
    return note


def _require_no_jodie(opened: Sequence[OpenedTable]) -> None:
    """Raise for a header that names many columns of features as one."""
    for table in opened:
        width = max(map(len, table.sample), default=0)
        if table.names[-1:] == [FEATURES] and width > len(table.names):
            path = table.table.path
            raise DataError(
                f"{path}: the header has {len(table.names)} columns and rows have {width}, as logs "
                f"of JODIE do; use convert jodie --input={path}"
            )


def _require_roles(mapping: LogMapping, opened: OpenedTable) -> None:
    columns = mapping.columns
    needed = ("user_id", "item_id", "timestamp")
    missing = [role for role in needed if getattr(columns, role) is None]
    if missing:
        raise DataError(
            f"{opened.table.path}: no column is named for {', '.join(missing)}; give --user, "
            "--item and --time, or columns in --mapping=FILE; who names one by position names all; "
            f"{told_columns(opened.names) if any(opened.names) else 'there is no header'}"
        )
    has_actions = columns.behavior is not None or mapping.file_actions
    if mapping.purchases and not has_actions and not mapping.all_are_purchases:
        raise DataError(
            "purchases are named, but no column for the action; give --behavior=COLUMN, "
            "--file-action=FILE=ACTION where each file has one, or --purchase=all where every row "
            "is a purchase"
        )
    if mapping.purchases and columns.purchase is not None:
        raise DataError("purchases are told by actions and by a column of their own; keep one")


def _empty(path: Path, layout: Layout) -> list[str]:
    """Name further columns that only other files have."""
    names = [name for name, column in layout.event_columns.items() if not column.places]
    return [f"{path.name} has no column for {', '.join(names)}: empty cells"] if names else []


def _layout(opened: OpenedTable, mapping: LogMapping, names_of_all: frozenset[str]) -> Layout:
    columns = mapping.columns
    places: dict[str, Any] = {
        role: opened.place(place)
        for role in ("user_id", "item_id", "behavior", "purchase")
        if (place := getattr(columns, role)) is not None
    }
    if places["user_id"] == places["item_id"]:
        raise DataError(f"{opened.table.path}: user and item are the same column")
    actions: dict[str, Any] = {
        "behaviors": mapping.behaviors or None,
        "purchases": mapping.purchases,
    }
    if mapping.all_are_purchases:
        actions = {
            "constant_behavior": PURCHASE,
            "behaviors": {PURCHASE: PURCHASE},
            "purchases": (PURCHASE,),
        }
    if mapping.file_actions:
        actions = action_of_file(mapping, opened.table.path)
    times = time_places(opened, columns.timestamp) if columns.timestamp is not None else (0, None)
    return Layout(
        **places,
        timestamp=times[0],
        clock=times[1],
        time_format=time_format(opened, times, mapping),
        time_zone=mapping.time_zone,
        **actions,
        event_columns=opened.columns(_wanted(mapping.event_columns), elsewhere=names_of_all),
        item_columns=opened.columns(_wanted(mapping.item_columns)),
    )


def _wanted(columns: Mapping[str, Further]) -> dict[str, tuple[Place, str]]:
    return {name: (column.column, column.type) for name, column in columns.items()}
