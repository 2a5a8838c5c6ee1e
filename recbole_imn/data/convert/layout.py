"""A table of rows, and which column of it means what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Column:
    """A column of an atomic file and where its values come from.

    Attributes
    ----------
    places : tuple of int
        Columns of the table, from 0; several of them make one ``float_seq``, and none an empty
        cell.
    type : str
        ``token``, ``float`` or ``float_seq``.
    """

    places: tuple[int, ...]
    type: str


@dataclass(frozen=True)
class Layout:
    """How the rows of a table become events.

    Attributes
    ----------
    user_id, item_id, timestamp : int
        Columns of the table, from 0.
    clock : int or None
        Column with the time of day, where ``timestamp`` has the date only.
    time_format : str
        As in :func:`~recbole_imn.data.convert.times.parse_times`, of both cells with a space
        between them where there are two.
    time_zone : str
        Where the clock of a pattern without an offset hung.
    behavior : int or None
        Column with the kind of action.
    constant_behavior : str or None
        The kind of action of every row of this table, where no column says it; one of
        ``behaviors``.
    behaviors : mapping of str to str or None
        Names of the codes in that column, for all tables of a source; other codes are unknown
        actions. Without it every code is its own name.
    purchases : tuple of str
        Names of the actions that are purchases.
    purchase : int or None
        Column with 0 or 1, for sources whose actions do not tell.
    event_columns, item_columns : mapping of str to Column
        Further columns of the log, and attributes of the row's item.
    """

    user_id: int
    item_id: int
    timestamp: int
    time_format: str
    clock: int | None = None
    time_zone: str = "UTC"
    behavior: int | None = None
    constant_behavior: str | None = None
    behaviors: Mapping[str, str] | None = None
    purchases: tuple[str, ...] = ()
    purchase: int | None = None
    event_columns: Mapping[str, Column] = field(default_factory=dict)
    item_columns: Mapping[str, Column] = field(default_factory=dict)

    @property
    def has_behavior(self) -> bool:
        """Whether events have a kind of action."""
        return self.behavior is not None or self.constant_behavior is not None

    @property
    def has_purchase(self) -> bool:
        """Whether the source tells purchases from other events."""
        return bool(self.purchases) or self.purchase is not None

    @property
    def event_types(self) -> dict[str, str]:
        """Columns of the ``.inter`` file and their types, in order."""
        types = {"user_id": "token", "item_id": "token", "timestamp": "float"}
        if self.has_behavior:
            types["behavior"] = "token"
        if self.has_purchase:
            types["purchase"] = "float"
        return types | {name: column.type for name, column in self.event_columns.items()}

    @property
    def used(self) -> frozenset[int]:
        """Columns of the table that anything is taken from."""
        single = (self.user_id, self.item_id, self.timestamp, self.clock, self.behavior)
        further = (*self.event_columns.values(), *self.item_columns.values())
        places = [*single, self.purchase, *(place for c in further for place in c.places)]
        return frozenset(place for place in places if place is not None)


@dataclass(frozen=True)
class Table:
    """A file of rows.

    Attributes
    ----------
    path : Path
    n_columns : int
        Columns that every row must have.
    separator, encoding : str
        Of a text file; a separator may have several characters.
    skipped_lines : int
        Lines of the header, blank ones before it not counted; 0 without one.
    quoted : bool
        Whether cells may stand in double quotes.
    form : {"text", "parquet", "json"}
        ``json`` has an object a line.
    keys : tuple of str
        Where each column of ``json`` is: a key, or keys with dots between them.
    used : frozenset of int or None
        Columns from 0 that anything is taken from; None means all. What is wrong inside
        others is no fault, and parquet leaves them unread.
    """

    path: Path
    n_columns: int
    separator: str = ","
    encoding: str = "utf-8"
    skipped_lines: int = 1
    quoted: bool = True
    form: str = "text"
    keys: tuple[str, ...] = ()
    used: frozenset[int] | None = None

    @property
    def places(self) -> list[int]:
        """Columns in use, in order."""
        return sorted(range(self.n_columns) if self.used is None else self.used)
