"""What a page is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from recbole_imn.pages.figures import Figure


@dataclass(frozen=True)
class Table:
    """A table of text; the first column names the rows.

    Attributes
    ----------
    columns : tuple of str
    rows : sequence of tuple of str
        A cell between two pairs of stars is bold.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    @cached_property
    def sides(self) -> list[str]:
        """On which side the cells of each column stand: words on the left, numbers on the right."""
        return [
            "words" if self._has_words(place) else "numbers" for place in range(len(self.columns))
        ]

    def _has_words(self, place: int) -> bool:
        return any(re.search("[A-Za-z]{4}", row[place]) for row in self.rows)


@dataclass(frozen=True)
class Fold:
    """Something that opens on request.

    Attributes
    ----------
    title : str
    table : Table, optional
    folds : sequence of Fold
        What can be opened in it.
    sentences : sequence of str
    """

    title: str
    table: Table | None = None
    folds: Sequence[Fold] = ()
    sentences: Sequence[str] = ()


@dataclass(frozen=True)
class Part:
    """A part of a page: a heading, and below it, in this order, what it has.

    Attributes
    ----------
    title : str
    lead : sequence of str
        Paragraphs before the plots.
    figures : sequence of Figure
    table : Table, optional
    notes : sequence of str
        Paragraphs after the plots.
    folds : sequence of Fold
    in_columns : bool
        Whether plots stand beside each other where there is room.
    """

    title: str
    lead: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    table: Table | None = None
    notes: Sequence[str] = ()
    folds: Sequence[Fold] = ()
    in_columns: bool = False


@dataclass(frozen=True)
class Tile:
    """A figure that stands out, and what it is."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """A whole page.

    Attributes
    ----------
    title : str
    heading : str
    lead : sequence of str
    notices : sequence of str
        Warnings above everything else.
    tiles : sequence of Tile
    parts : sequence of Part
    """

    title: str
    heading: str
    parts: Sequence[Part]
    lead: Sequence[str] = ()
    notices: Sequence[str] = ()
    tiles: Sequence[Tile] = ()
