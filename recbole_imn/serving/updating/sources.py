"""Which columns of a file mean what, found by their usual names."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole_imn.data.atomic import FIELD_TYPES
from recbole_imn.data.convert.mapping import entries, make_mapping
from recbole_imn.data.convert.opened import open_table
from recbole_imn.data.convert.sniff import first_lines, is_json_lines, is_parquet
from recbole_imn.data.convert.usual import USUAL, usual_columns, usual_item
from recbole_imn.errors import DataError

_ATOMIC = re.compile(rf"(?P<name>[^:]+):(?P<type>{'|'.join(FIELD_TYPES)})\Z")
# How all atomic files are written; their times are seconds of the log.
ATOMIC = {
    "separator": "\t",
    "quoting": "none",
    "header": True,
    "time_format": "seconds",
}


@dataclass(frozen=True)
class Header:
    """Names of a table's columns.

    Attributes
    ----------
    path : Path
    names : list of str
        ``""`` without a header.
    types : dict of str to str
        Types of the columns of an atomic file; empty for other tables.
    """

    path: Path
    names: list[str]
    types: Mapping[str, str]

    @property
    def is_atomic(self) -> bool:
        """Whether the file is an atomic file."""
        return bool(self.types)

    def place(self, wanted: Any) -> Any:
        """Give a column as a mapping names it: an atomic file's by its position from 1."""
        if self.is_atomic and isinstance(wanted, str):
            if wanted not in self.names:
                known = ", ".join(self.names)
                raise DataError(f"{self.path}: no column {wanted!r}; the columns are {known}")
            return self.names.index(wanted) + 1
        return wanted


def header_of(path: Path, settings: Mapping[str, Any]) -> Header:
    """Read the names of a table's columns.

    Parameters
    ----------
    path : Path
    settings : mapping
        How the table is written, as ``convert`` takes it.

    Raises
    ------
    DataError
        If it is no table.
    """
    mapping = make_mapping(settings)
    if not is_parquet(path) and not is_json_lines(path):
        found = _atomic(first_lines(path, mapping.encoding)[0])
        if found:
            return Header(path, list(found), found)
    return Header(path, open_table(path, mapping).names, {})


def _atomic(line: str) -> dict[str, str]:
    """Read the header of an atomic file; nothing if it is none."""
    cells = [_ATOMIC.match(cell) for cell in line.split("\t")]
    return {cell["name"]: cell["type"] for cell in cells if cell} if all(cells) else {}


def event_settings(
    header: Header,
    settings: Mapping[str, Any],
    fields: Sequence[str],
    has_behaviors: bool,
    tells_purchases: bool,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Complete the settings of a table of events by what its header tells.

    Parameters
    ----------
    header : Header
    settings : mapping
        As ``convert`` takes them; what they say stays.
    fields : sequence of str
        Further columns that are wanted where the table has them.
    has_behaviors : bool
        Whether events of the log have kinds of action.
    tells_purchases : bool
        Whether some of them are purchases, or could be by their kind.

    Returns
    -------
    settings : dict
    fields : dict of str to str
        Wanted columns that are there, and the names under which they will be read.

    Raises
    ------
    DataError
        If nothing tells which of the events are purchases, where kinds of action would.
    """
    named = entries(settings, "columns")
    found = usual_columns(settings, header.names)
    if not has_behaviors:
        found.pop("behavior", None)
    # Of each role, so that nothing is looked for again; null says that there is none.
    columns = dict.fromkeys(USUAL) | found | named
    is_log = all(columns[role] is not None for role in ("user_id", "item_id", "timestamp"))
    told = named.keys() | {role for role, place in columns.items() if place is not None}
    mapping = make_mapping(settings)
    is_told = {"behavior", "purchase"} & told or mapping.all_are_purchases or mapping.file_actions
    if is_log and tells_purchases and not is_told:
        raise DataError(
            f"{header.path}: no column tells the kind of action or a purchase, as the log does; "
            "name one with --behavior=COLUMN or --purchase-column=COLUMN, or give the file's with "
            "--file-action=FILE=ACTION (behavior: null in a mapping says that there is none)"
        )
    asked = entries(settings, "event_columns")
    further = {name: entry for name, entry in asked.items() if name in fields}
    read = {name: name for name in further}
    for number, name in enumerate(fields):
        if name not in further and name in header.names:
            # A field of an atomic file may have any name.
            read[name] = f"field_{number}"
            further[read[name]] = header.place(name)
    base = ATOMIC if header.is_atomic else {}
    kept = {name: value for name, value in settings.items() if name not in ("items", *base)}
    columns = {role: header.place(place) for role, place in columns.items()}
    return {**kept, **base, "columns": columns, "event_columns": further}, read


def without_absent(
    settings: Mapping[str, Any], header: Header, names_of_all: Container[str]
) -> dict[str, Any]:
    """Leave out further columns that are not in a table, but in another of the same log."""
    columns = make_mapping(settings).event_columns
    absent = {
        name
        for name, further in columns.items()
        if further.column not in header.names and further.column in names_of_all
    }
    asked = entries(settings, "event_columns")
    kept = {name: entry for name, entry in asked.items() if name not in absent}
    return {**settings, "event_columns": kept}


def item_settings(header: Header, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Complete the settings of a table of items by what the header of an atomic file tells.

    Raises
    ------
    DataError
        If nothing tells which column has the item.
    """
    if not header.is_atomic:
        return settings
    mapping = make_mapping(settings)
    named = mapping.items.columns.item_id or usual_item(mapping, header.names)
    item = header.place(named or "item_id")
    others = [place for name in header.names if (place := header.place(name)) != item]
    # Some names are those of columns of the reader's own, or of none that a reader could have.
    attributes = {f"field_{place}": place for place in others}
    written = {key: value for key, value in ATOMIC.items() if key != "time_format"}
    items = {**written, "columns": {"item_id": item}, "item_columns": attributes}
    return {**settings, "items": items}
