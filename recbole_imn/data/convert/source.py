"""What a source is: tables of rows, and which column of theirs means what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recbole_imn.data.convert.items import ItemReader

DUPLICATE_RULES = ("keep", "first")
MAX_BAD = 0.001


@dataclass(frozen=True)
class Column:
    """A column of an atomic file and where its values come from.

    Attributes
    ----------
    places : tuple of int
        Columns of the table, from 0; several of them make one ``float_seq``.
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
    time_format : str
        ``seconds``, ``milliseconds`` or ``microseconds`` since 1970, or a pattern such as
        ``%Y-%m-%d %H:%M:%S``.
    time_zone : str
        Where the clock of a pattern without an offset hung.
    behavior : int or None
        Column with the kind of action.
    constant_behavior : str or None
        The kind of action of every row, where no column says it; one of ``behaviors``.
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


@dataclass(frozen=True)
class Table:
    """A file of rows.

    Attributes
    ----------
    path : Path
    n_columns : int
        Columns that every row must have.
    separator, encoding : str
        Of a text file.
    skipped_lines : int
        Lines before the first row: 1 for a header.
    quoted : bool
        Whether cells may stand in double quotes.
    is_parquet : bool
        Whether the file is no text but parquet.
    """

    path: Path
    n_columns: int
    separator: str = ","
    encoding: str = "utf-8"
    skipped_lines: int = 1
    quoted: bool = True
    is_parquet: bool = False


@dataclass(frozen=True)
class Source:
    """A log to convert.

    Attributes
    ----------
    name : str
        Name of the converter.
    tables : sequence of (Table, Layout)
        Event tables, in the order in which events at the same time are to stand.
    items : ItemReader or None
        Reads attributes and listings of items from further files.
    time_zone : str
        In which the origin of the written times is midnight.
    is_relative : bool
        Whether times count from a moment that nobody knows; they are written as they are.
    options : mapping of str to object
        What was asked for, to be written down beside the files.
    notes : sequence of str
        What a user should know, one line each.
    """

    name: str
    tables: Sequence[tuple[Table, Layout]]
    items: ItemReader | None = None
    time_zone: str = "UTC"
    is_relative: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def layout(self) -> Layout:
        """The layout of the first event table; all of them have the same columns."""
        return self.tables[0][1]
