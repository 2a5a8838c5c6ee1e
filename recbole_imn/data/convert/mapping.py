"""Which column of a table means what: read from yaml, checked, and found in the file."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recbole_imn.data.atomic import DataError
from recbole_imn.files import read_yaml

Place = int | str
TYPES = ("token", "float")
ROLES = ("user_id", "item_id", "timestamp", "behavior", "purchase")
ITEM_ROLES = ("item_id", "listed_at", "delisted_at")
# Names that columns of the engine and of atomic files have.
RESERVED = {*ROLES, *ITEM_ROLES, "time", "line", "row", "kind", "start", "end", "image"}


@dataclass(frozen=True)
class TableMapping:
    """Columns of one table.

    Attributes
    ----------
    columns : mapping of str to (int or str)
        Place of each role: a position from 1, or a name from the header.
    event_columns, item_columns : mapping of str to (place, type)
        Further columns to keep, of the event and of its item.
    time_format, time_zone, separator, header, encoding : str
        As in czb.yaml; ``auto`` where the file itself is to tell.
    behaviors : mapping of str to str or None
        Names of codes; None keeps the codes.
    purchases : tuple of str
        Actions that are purchases.
    items : TableMapping or None
        Columns of a table of items.
    """

    columns: Mapping[str, Place]
    event_columns: Mapping[str, tuple[Place, str]] = field(default_factory=dict)
    item_columns: Mapping[str, tuple[Place, str]] = field(default_factory=dict)
    time_format: str = "auto"
    time_zone: str = "UTC"
    separator: str = "auto"
    header: str = "auto"
    encoding: str = "utf-8"
    behaviors: Mapping[str, str] | None = None
    purchases: tuple[str, ...] = ()
    items: TableMapping | None = None


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a mapping file.

    Raises
    ------
    DataError
        If it is not there, is no yaml, or holds no mapping.
    """
    if not path.is_file():
        raise DataError(f"--mapping names {path}, which does not exist")
    values = read_yaml(path, DataError)
    if not isinstance(values, dict):
        raise DataError(f"{path} holds no settings; write for example columns: {{user_id: 1}}")
    return values


def make_mapping(values: Mapping[str, Any], roles: Collection[str] = ROLES) -> TableMapping:
    """Check settings and make a mapping of them.

    Parameters
    ----------
    values : mapping
        As in czb.yaml.
    roles : collection of str
        What the table's columns may be.

    Raises
    ------
    DataError
        For an unknown key, role or type, or a value of another kind.
    """
    _known(values, TableMapping.__dataclass_fields__, "setting")
    columns = entries(values, "columns")
    _known(columns, roles, "role of a column")
    for role, place in columns.items():
        _check_place(role, place)
    behaviors = {code: str(name) for code, name in entries(values, "behaviors").items()}
    purchases = values.get("purchases") or []
    purchases = [str(name) for name in ([purchases] if isinstance(purchases, str) else purchases)]
    for purchase in purchases:
        if behaviors and purchase not in behaviors.values():
            raise DataError(
                f"{purchase!r} is to be a purchase, but the actions are "
                f"{', '.join(behaviors.values())}"
            )
    shared = {key: values[key] for key in ("time_zone", "encoding") if key in values}
    items = entries(values, "items")
    return TableMapping(
        columns=columns,
        event_columns=_extras(entries(values, "event_columns")),
        item_columns=_extras(entries(values, "item_columns")),
        time_format=str(values.get("time_format", "auto")),
        time_zone=str(values.get("time_zone", "UTC")),
        separator=str(values.get("separator", "auto")),
        header=str(values.get("header", "auto")).lower(),
        encoding=str(values.get("encoding", "utf-8")),
        behaviors=behaviors or None,
        purchases=tuple(purchases),
        items=make_mapping({**shared, **items}, ITEM_ROLES) if items else None,
    )


def entries(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Give the entries of a setting that is a list of ``NAME: VALUE``; empty without it.

    Raises
    ------
    DataError
        If the setting is something else.
    """
    found = values.get(key) or {}
    if not isinstance(found, dict):
        raise DataError(f"{key} is {found!r}, not a list of NAME: VALUE")
    return {str(name): entry for name, entry in found.items()}


def _extras(wanted: Mapping[str, Any]) -> dict[str, tuple[Place, str]]:
    extras = {}
    for name, entry in wanted.items():
        if name in RESERVED or not name.isidentifier():
            raise DataError(f"a further column cannot be called {name!r}; choose another name")
        spec = entry if isinstance(entry, dict) else {"column": entry}
        _known(spec, ("column", "type"), f"setting of column {name}")
        kind, place = spec.get("type", "token"), spec.get("column", name)
        if kind not in TYPES:
            raise DataError(f"column {name} has type {kind!r}; it may be {' or '.join(TYPES)}")
        _check_place(name, place)
        extras[name] = (place, kind)
    return extras


def _check_place(role: str, place: object) -> None:
    if not isinstance(place, int | str) or isinstance(place, bool):
        raise DataError(f"column {role} is {place!r}, neither a name nor a position from 1")


def _known(found: Collection[str], known: Collection[str], what: str) -> None:
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise DataError(f"unknown {what} {key!r} in the mapping; {hint}")


def find(place: Place, names: list[str], path: Path) -> int:
    """Give the position from 0 of a column.

    Parameters
    ----------
    place : int or str
        A position from 1 or a name.
    names : list of str
        Names of the table's columns; ``""`` where there is no header.
    path : Path
        Named in messages.

    Raises
    ------
    DataError
        If the table has no such column.
    """
    if isinstance(place, int):
        if not 1 <= place <= len(names):
            raise DataError(f"{path}: column {place} is asked for, but there are {len(names)}")
        return place - 1
    if place in names:
        return names.index(place)
    if not any(names):
        raise DataError(f"{path}: column {place!r} is asked for by name, but there is no header")
    near = difflib.get_close_matches(place, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise DataError(f"{path}: no column {place!r}; the columns are {', '.join(names)}{hint}")
