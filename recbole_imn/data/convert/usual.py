"""Columns that nobody has named, found by their usual names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_imn.data.convert.mapping import LogMapping, entries, make_mapping
from recbole_imn.errors import DataError

USUAL = {
    "user_id": ("user", "user_id"),
    "item_id": ("item", "item_id"),
    "timestamp": ("time", "timestamp"),
    "behavior": ("behavior",),
    "purchase": ("purchase",),
}
ROLES = {
    "user_id": "the user",
    "item_id": "the item",
    "timestamp": "the time",
    "behavior": "the action",
    "purchase": "purchases",
}


def usual_columns(settings: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """Find the columns of a log for what nobody has named a column for.

    Nothing is found beside columns named by position, for a role that a mapping says nothing
    has (``behavior: null``), or in a column that has been named for something else.

    Parameters
    ----------
    settings : mapping
        As in czb.yaml.
    names : sequence of str
        Names of the table's columns; ``""`` where there is none.

    Returns
    -------
    dict of str to str
        Roles of an event, and the columns that have them.

    Raises
    ------
    DataError
        If the settings are no mapping of a log.
    """
    told, mapping = entries(settings, "columns"), make_mapping(settings)
    if any(isinstance(place, int) for place in (*told.values(), *mapping.time_columns())):
        return {}
    free = [name for name in names if name and name not in mapping.named_columns()]
    found = {
        role: name
        for role, usual in USUAL.items()
        if role not in told and (name := next((n for n in usual if n in free), None))
    }
    if mapping.file_actions:
        found.pop("behavior", None)
    if mapping.purchases:
        # Actions tell of purchases.
        found.pop("purchase", None)
    return found


def usual_in_all(
    settings: Mapping[str, Any], tables: Mapping[Path, Sequence[str]]
) -> dict[str, str]:
    """Find the columns of a log of several tables, each of which must have them.

    Parameters
    ----------
    settings : mapping
        As in czb.yaml.
    tables : mapping of Path to sequence of str
        Names of each table's columns.

    Raises
    ------
    DataError
        As :func:`usual_columns`, or if a table has a column for what another has none for.
    """
    found = {path: usual_columns(settings, names) for path, names in tables.items()}
    roles = dict.fromkeys(role for columns in found.values() for role in columns)
    for role in roles:
        having = {path: columns[role] for path, columns in found.items() if role in columns}
        for path, columns in found.items():
            # A table without a header is refused where its columns are looked for by name.
            if any(tables[path]) and columns.get(role) != next(iter(having.values())):
                raise _differing(role, path, columns.get(role), having)
    return {role: next(c[role] for c in found.values() if role in c) for role in roles}


def _differing(role: str, path: Path, column: str | None, having: Mapping[Path, str]) -> DataError:
    other, name = next(iter(having.items()))
    if column is not None:
        return DataError(
            f"{path}: the column of {ROLES[role]} is {column!r}, but in {other} it is {name!r}; "
            "call them alike"
        )
    advice = "add it, or name the column that has the same in both"
    if role in ("behavior", "purchase"):
        advice = (
            f"add it, or write columns: {{{role}: null}} in --mapping=FILE to use it of neither"
        )
    return DataError(f"{path}: no column {name!r}, in which {other} has {ROLES[role]}; {advice}")


def usual_item(mapping: LogMapping, names: Sequence[str]) -> str | None:
    """Find the item's column of a table of items: by its name in the log, or a usual one."""
    return next((name for name in item_names(mapping) if name in names), None)


def item_names(mapping: LogMapping) -> list[str]:
    """Give the names that the item's column of a table of items may have."""
    named = mapping.columns.item_id
    return [name for name in dict.fromkeys((named, *USUAL["item_id"])) if isinstance(name, str)]
