"""Which column of a table means what: read from yaml, checked, and found in the file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from recbole_imn.errors import DataError
from recbole_imn.files import read_yaml
from recbole_imn.validation import Strict, validated

Place = int | str
# Characters of names of columns that a message shows, and those of a name that may be one.
SHOWN, LONGEST_NAME = 200, 60
# Names that columns of the engine and of atomic files have.
RESERVED = {
    "user_id", "item_id", "timestamp", "behavior", "purchase", "listed_at", "delisted_at",
    "time", "line", "row", "kind", "start", "end", "image",
}  # fmt: skip


def _place(value: object) -> object:
    is_name = isinstance(value, str) and value.strip() != ""
    if not is_name and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ValueError("it must be a name from the header or a position from 1")
    return value


def _places(value: object) -> object:
    """Take one place, or two: those of the date and of the time of day."""
    if value is None:
        return None
    if not isinstance(value, list):
        return _place(value)
    if len(value) != 2:
        raise ValueError("several columns of a time are two, the date's and the clock's")
    return tuple(_place(place) for place in value)


def _text(value: object) -> object:
    """Take a code or name, which yaml may have read as a number."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("it must be text or a whole number")
    return str(value)


def _names(value: object) -> object:
    """Take a name or a list of names."""
    if isinstance(value, str):
        return (value,)
    if value is not None and not isinstance(value, list):
        raise ValueError("it must be the name of an action or a list of names")
    return tuple(value or ())


def _codes(value: object) -> object:
    return value if value is not None else {}


def _files(value: object) -> object:
    """Take files by their names, wherever they lie."""
    if not isinstance(value, dict):
        return _codes(value)
    return {Path(str(file)).name: action for file, action in value.items()}


def _header(value: object) -> object:
    text = str(value).lower()
    # As yaml has them.
    known = {"true": True, "yes": True, "false": False, "no": False, "auto": None}
    if not isinstance(value, bool | str) or text not in known:
        raise ValueError("it must be true, false or auto")
    return known[text]


def _separator(value: object) -> object:
    if not isinstance(value, str) or not value or set(value) & set('"\n\r'):
        raise ValueError("it must be one character or several, without quotes and line ends")
    return value.replace("\\t", "\t")


def _further(value: object) -> object:
    """Take columns by the names that they get, each with a place, or with place and type."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    for name in value:
        if name in RESERVED or not str(name).isidentifier():
            raise ValueError(f"a further column cannot be called {name!r}; choose another name")
    return {
        str(name): {"column": str(name), **entry} if isinstance(entry, dict) else {"column": entry}
        for name, entry in value.items()
    }


OnePlace = Annotated[Place, BeforeValidator(_place)]
Text = Annotated[str, BeforeValidator(_text)]


class Further(Strict):
    """A further column to keep."""

    column: OnePlace
    type: Literal["token", "float"] = "token"


class FurtherOfItem(Strict):
    """A column of a table of items; ``time`` becomes seconds of the log's times."""

    column: OnePlace
    type: Literal["token", "float", "time"] = "token"


class LogColumns(Strict):
    """Places of an event's parts; a time may stand in two columns."""

    user_id: OnePlace | None = None
    item_id: OnePlace | None = None
    timestamp: Annotated[Place | tuple[Place, Place] | None, BeforeValidator(_places)] = None
    behavior: OnePlace | None = None
    purchase: OnePlace | None = None


class ItemColumns(Strict):
    """Places of an item's name and of a stay on the shelf."""

    item_id: OnePlace | None = None
    listed_at: OnePlace | None = None
    delisted_at: OnePlace | None = None


class TableMapping(Strict):
    """How a table is written."""

    time_format: str = "auto"
    """``auto``, a unit or a pattern, as ``times.parse_times`` takes them."""
    time_zone: str = "UTC"
    separator: Annotated[str, BeforeValidator(_separator)] = "auto"
    quoting: Literal["double", "none"] = "double"
    """Whether cells may stand in double quotes; with ``none`` quotes are plain characters."""
    header: Annotated[bool | None, BeforeValidator(_header)] = None
    """Whether there is one; None finds out."""
    encoding: str = "utf-8"

    def time_columns(self) -> tuple[Place, ...]:
        """Give the places of times, the first of which tells a header."""
        return ()

    def named_columns(self) -> tuple[Place, ...]:
        """Give the places of all columns that the table must have."""
        return ()


class ItemMapping(TableMapping):
    """Columns of a table of items; without any, every column is looked at."""

    columns: ItemColumns = ItemColumns()
    item_columns: Annotated[dict[str, FurtherOfItem], BeforeValidator(_further)] = Field(
        default_factory=dict
    )

    def time_columns(self) -> tuple[Place, ...]:
        """Give the places of times, the first of which tells a header."""
        found = (self.columns.listed_at, self.columns.delisted_at)
        return tuple(place for place in found if place is not None)

    def named_columns(self) -> tuple[Place, ...]:
        """Give the place of the item, and those of its attributes."""
        item = () if self.columns.item_id is None else (self.columns.item_id,)
        return (*item, *self.time_columns(), *(c.column for c in self.item_columns.values()))


class LogMapping(TableMapping):
    """Columns of a log."""

    columns: LogColumns = LogColumns()
    event_columns: Annotated[dict[str, Further], BeforeValidator(_further)] = Field(
        default_factory=dict
    )
    item_columns: Annotated[dict[str, Further], BeforeValidator(_further)] = Field(
        default_factory=dict
    )
    behaviors: Annotated[dict[Text, Text], BeforeValidator(_codes)] = Field(default_factory=dict)
    """Names of codes; none keeps the codes."""
    file_actions: Annotated[dict[Text, Text], BeforeValidator(_files)] = Field(default_factory=dict)
    """Action of all rows of a file, by its name or a pattern of names; no column has it then."""
    purchases: Annotated[tuple[Text, ...], BeforeValidator(_names)] = ()
    """Actions that are purchases; ``all`` where no column has actions and every row is one."""
    items: ItemMapping = ItemMapping()
    """Columns of a table of items."""

    @property
    def all_are_purchases(self) -> bool:
        """Whether every row is a purchase."""
        has_actions = self.columns.behavior is not None or bool(self.file_actions)
        return self.purchases == ("all",) and not has_actions

    def time_columns(self) -> tuple[Place, ...]:
        """Give the places of times, the first of which tells a header."""
        found = self.columns.timestamp
        return found if isinstance(found, tuple) else () if found is None else (found,)

    def named_columns(self) -> tuple[Place, ...]:
        """Give the places of all columns."""
        columns = self.columns
        found = (columns.user_id, columns.item_id, columns.behavior, columns.purchase)
        further = (*self.event_columns.values(), *self.item_columns.values())
        named = tuple(place for place in found if place is not None)
        return (*named, *self.time_columns(), *(column.column for column in further))


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


def make_mapping(values: Mapping[str, Any]) -> LogMapping:
    """Check settings and make a mapping of them.

    Parameters
    ----------
    values : mapping
        As in czb.yaml. A table of items shares the log's time zone and encoding.

    Raises
    ------
    DataError
        For an unknown key, role or type, or a value of another kind.
    """
    shared = {key: values[key] for key in ("time_zone", "encoding") if key in values}
    items = entries(values, "items")
    given = {key: value for key, value in values.items() if key != "items"}
    mapping = validated(
        LogMapping, {**given, "items": {**shared, **items}}, "the mapping", DataError
    )
    names = mapping.behaviors.values() or mapping.file_actions.values()
    for purchase in mapping.purchases:
        if names and purchase not in names:
            raise DataError(
                f"{purchase!r} is to be a purchase, but the actions are {', '.join(names)}"
            )
    return mapping


def entries(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Give the entries of a setting that is a list of ``NAME: VALUE``; empty without it.

    Raises
    ------
    DataError
        If the setting is something else.
    """
    found = values.get(key)
    if found is not None and not isinstance(found, dict):
        raise DataError(f"the mapping: {key} is {found!r}; it must be a list of NAME: VALUE")
    return {str(name): entry for name, entry in (found or {}).items()}


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
        If the table has no such column, or two of this name.
    """
    if isinstance(place, int):
        if not 1 <= place <= len(names):
            raise DataError(f"{path}: column {place} is asked for, but there are {len(names)}")
        return place - 1
    if names.count(place) > 1:
        n = names.count(place)
        raise DataError(f"{path}: {n} columns are called {place!r}; name one by its position")
    if place in names:
        return names.index(place)
    if not any(names):
        raise DataError(f"{path}: column {place!r} is asked for by name, but there is no header")
    near = difflib.get_close_matches(place, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise DataError(f"{path}: no column {place!r}; {told_columns(names)}{hint}")


def told_columns(names: Sequence[str]) -> str:
    """Say which columns a table has, as far as a line goes, or that they may be none."""
    text = ", ".join(names)
    if len(text) > SHOWN:
        text = f"{text[:SHOWN]}... ({len(names):,} in all)"
    if any(name[:1].isdigit() or len(name) > LONGEST_NAME for name in names):
        return f"the first line has {text}; if it is no header, name columns by position, from 1"
    return f"the columns are {text}"
