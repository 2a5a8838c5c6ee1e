"""What a source is: tables of events, and where more is told of their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recbole_imn.data.convert.layout import Layout, Table

if TYPE_CHECKING:
    from recbole_imn.data.convert.items import ItemReader

DUPLICATE_RULES = ("keep", "first")
MAX_BAD = 0.001


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
