"""JSON lines: an object a line, whose keys are columns; nested ones by a path with dots."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from recbole_imn.data.convert.layout import Table

_ABSENT = object()


def parse_object(line: str) -> dict[str, Any] | None:
    """Read an object with its numbers as they were written; None if the line holds none."""
    try:
        found = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def paths(found: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give the paths of an object's values, and what stands there.

    That is ``values``, ``lists``, ``objects``, whose own paths follow, or nothing where the cell
    is empty.
    """
    for key, value in found.items():
        if isinstance(value, dict):
            yield f"{prefix}{key}", "objects"
            yield from paths(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", "lists"
        else:
            yield f"{prefix}{key}", "" if value in (None, "") else "values"


def cell(found: dict[str, Any], path: str) -> str | None:
    """Give the value at a path as text, empty where there is none; None if it is nested."""
    value: Any = found.get(path, _ABSENT)
    if value is _ABSENT:
        head, _, rest = path.partition(".")
        inner = found.get(head)
        return cell(inner, rest) if rest and isinstance(inner, dict) else ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else None


def object_cells(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Add cells to lines, and name lines that hold no object or a nested value."""
    cells: list[list[str | None]] = [[] for _ in table.keys]
    kinds: list[str | None] = []
    wanted = [(place, table.keys[place]) for place in table.places]
    columns = [cells[place] for place, _ in wanted]
    for line in frame["row"]:
        found = parse_object(line)
        values = [cell(found or {}, path) for _, path in wanted]
        for column, value in zip(columns, values, strict=True):
            column.append(value)
        kinds.append("no JSON object" if found is None else _nested_kind(values))
    texts = {
        str(place): pl.Series(column, dtype=pl.String)
        for (place, _), column in zip(wanted, columns, strict=True)
    }
    return frame.with_columns(kind=pl.Series(kinds, dtype=pl.String), **texts)


def _nested_kind(values: list[str | None]) -> str | None:
    return "nested value" if None in values else None
