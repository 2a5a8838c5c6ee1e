"""Changes of an atomic file: of cells, rows and its text."""

from __future__ import annotations

from random import Random
from typing import Any


def any_row(rng: Random, sheet: Any) -> tuple[int, list[str]]:
    place = rng.randrange(len(sheet.rows))
    return place, sheet.rows[place]


def set_cells(sheet: Any, name: str, rng: Random, values: Any, most: int = 1) -> str:
    """Put values into cells of a column."""
    column = sheet.place(name) if sheet else None
    if column is None or not sheet.rows:
        return "no such column"
    done = []
    for _ in range(rng.randint(1, most)):
        place, row = any_row(rng, sheet)
        if column < len(row):
            row[column] = rng.choice(values)
            done.append(f"line {place + 2} {name}={row[column][:30]!r}")
    return ", ".join(done)


def rows_having(sheet: Any, name: str) -> list[list[str]]:
    """Give the rows that are long enough to have a column; none without the column."""
    column = sheet.place(name) if sheet else None
    return [] if column is None else [row for row in sheet.rows if column < len(row)]


def edited(sheet: Any, edit: Any, what: str) -> str:
    if sheet is None:
        return "no such file"
    sheet.edits.append(edit)
    return what
