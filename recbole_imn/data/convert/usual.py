"""Columns that nobody has named, found by their usual names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_imn.data.convert.mapping import LogMapping, entries, make_mapping

USUAL = {
    "user_id": ("user", "user_id"),
    "item_id": ("item", "item_id"),
    "timestamp": ("time", "timestamp"),
    "behavior": ("behavior",),
    "purchase": ("purchase",),
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
    if mapping.purchases:
        # Actions tell of purchases.
        found.pop("purchase", None)
    return found


def usual_item(mapping: LogMapping, names: Sequence[str]) -> str | None:
    """Find the item's column of a table of items: by its name in the log, or a usual one."""
    return next((name for name in item_names(mapping) if name in names), None)


def item_names(mapping: LogMapping) -> list[str]:
    """Give the names that the item's column of a table of items may have."""
    named = mapping.columns.item_id
    return [name for name in dict.fromkeys((named, *USUAL["item_id"])) if isinstance(name, str)]
