"""Comparing what the package made of atomic files with the independent reading."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fuzzing.reading import Plain, number

Row = dict[str, str]
PARTS = ("training", "validation", "test")


def in_time_order(inter: Plain) -> list[Row]:
    """Give rows by time, ties in the order of the file."""
    rows = [row for _, row in inter.rows]
    return sorted(rows, key=lambda row: number(row["timestamp"]) or 0.0)


def log_fault(inter: Plain, item: Plain | None, seen: dict[str, Any]) -> str | None:
    """Say how events differ from the file, or None."""
    rows = in_time_order(inter)
    if len(seen["time"]) != len(rows):
        return f"{len(seen['time'])} events of {len(rows)}"
    for name, column in (("user", "user_id"), ("item", "item_id")):
        fault = differing(name, seen[name], [row[column] for row in rows])
        if fault:
            return fault
    fault = differing("time", seen["time"], [number(row["timestamp"]) for row in rows])
    if fault:
        return fault
    if "purchase" in inter.header:
        fault = differing("purchase", seen["purchase"], [number(r["purchase"]) == 1 for r in rows])
    elif any(seen["purchase"]):
        fault = "purchases in a log without any"
    return fault or _ids_fault(rows, item, seen) or _history_fault(rows, seen)


def differing(name: str, found: Sequence[Any], expected: Sequence[Any]) -> str | None:
    """Say where two columns differ first."""
    if len(found) != len(expected):
        return f"{len(found)} values of {name} instead of {len(expected)}"
    for place, pair in enumerate(zip(found, expected, strict=True)):
        if pair[0] != pair[1]:
            return f"{name} of event {place} is {pair[0]!r} instead of {pair[1]!r}"
    return None


def _ids_fault(rows: Sequence[Row], item: Plain | None, seen: dict[str, Any]) -> str | None:
    expected = {row["item_id"] for row in rows}
    if item is not None:
        expected |= set(item.column("item_id"))
    found = set(seen["items"])
    if found != expected:
        return f"items differ: {sorted(found ^ expected)[:3]}"
    if len(seen["items"]) != len(found):
        return "an item has two numbers"
    return None


def _history_fault(rows: Sequence[Row], seen: dict[str, Any]) -> str | None:
    for event, history in seen.get("histories") or []:
        user = rows[event]["user_id"]
        past = [row["item_id"] for row in rows[:event] if row["user_id"] == user]
        if history != past[-len(history) :] or not history:
            return f"history of event {event} is {history[-3:]} instead of {past[-3:]}"
    return None


def row_fault(inter: Plain, seen: dict[str, Any], ratios: Sequence[float]) -> str | None:
    """Say how the rows of the three parts differ from a cut in time, or None."""
    users = [row["user_id"] for row in in_time_order(inter)]
    expected = split_rows(users, ratios)
    for name, found, wanted in zip(PARTS, seen["rows"], expected, strict=True):
        if list(found) != wanted:
            return f"{len(found)} {name} rows instead of {len(wanted)}, or others"
    return None


def split_rows(users: Sequence[str], ratios: Sequence[float]) -> list[list[int]]:
    """Give the events with a history of each part; parts but the first are rounded down."""
    sizes = [int(len(users) * ratio / sum(ratios)) for ratio in ratios[1:]]
    stops = [len(users) - sum(sizes), len(users) - sum(sizes[1:]), len(users)]
    known: set[str] = set()
    with_history = []
    for event, user in enumerate(users):
        if user in known:
            with_history.append(event)
        known.add(user)
    starts = [0, *stops[:-1]]
    return [
        [event for event in with_history if start <= event < stop]
        for start, stop in zip(starts, stops, strict=True)
    ]


def feature_fault(
    name: str, kind: str, cells: Sequence[str], is_training: Sequence[bool], vectors: list[Any]
) -> str | None:
    """Say how the columns of a feature differ from its cells, or None.

    A number must have a column that is an affine image of it, an empty cell the mean of the
    training part; a category or a set of them must have equal vectors where it is equal, and
    different ones where it differs.

    Parameters
    ----------
    name, kind : str
        Of the field.
    cells : sequence of str
        Of the objects (events or items) that have a row in the file.
    is_training : sequence of bool
        Which of them the training part touches.
    vectors : list of list of float
        What the package made of all fields, one row an object.
    """
    if any(not math.isfinite(value) for vector in vectors for value in vector):
        return f"feature {name} has values that are not finite"
    if kind == "float":
        values = [None if cell == "" else number(cell) for cell in cells]
        if any(_is_image(values, is_training, column) for column in zip(*vectors, strict=True)):
            return None
        return f"no column is an image of the numbers in {name}"
    if kind in ("token", "token_seq"):
        return _category_fault(name, kind, cells, is_training, vectors)
    return None


def _is_image(
    values: Sequence[float | None], is_training: Sequence[bool], column: Sequence[float]
) -> bool:
    """Whether a column is a v + b with a > 0, and the training mean where v is None."""
    pairs = [(v, c) for v, c in zip(values, column, strict=True) if v is not None]
    known = [
        v for v, training in zip(values, is_training, strict=True) if v is not None and training
    ]
    if not pairs:
        return True
    low, high = min(pairs), max(pairs)
    if low[0] == high[0]:
        # A constant says nothing; it must be constant.
        return all(abs(c - pairs[0][1]) < 1e-4 for _, c in pairs)
    slope = (high[1] - low[1]) / (high[0] - low[0])
    scale = max(1.0, *(abs(c) for _, c in pairs))
    if slope <= 0 and len(set(known)) > 1:
        return False
    if any(abs(low[1] + slope * (v - low[0]) - c) > 1e-3 * scale for v, c in pairs):
        return False
    if not known:
        return True
    filled = low[1] + slope * (math.fsum(known) / len(known) - low[0])
    empty = [c for v, c in zip(values, column, strict=True) if v is None]
    return all(abs(filled - c) <= 1e-3 * scale for c in empty)


def _category_fault(
    name: str, kind: str, cells: Sequence[str], is_training: Sequence[bool], vectors: list[Any]
) -> str | None:
    """Look for a 0/1 column of every category that the training part has."""
    sets = [{cell} - {""} if kind == "token" else set(cell.split(" ")) - {""} for cell in cells]
    known = {
        value
        for found, training in zip(sets, is_training, strict=True)
        if training
        for value in found
    }
    matrix = list(zip(*vectors, strict=True))
    for value in sorted(known):
        wanted = [value in found for found in sets]
        if not any(_separates(wanted, column) for column in matrix):
            return f"no column of {name} tells {value!r} from others"
    return None


def _separates(wanted: Sequence[bool], column: Sequence[float]) -> bool:
    """Whether a column has one value where something holds, and another elsewhere."""
    inside = [c for w, c in zip(wanted, column, strict=True) if w]
    outside = [c for w, c in zip(wanted, column, strict=True) if not w]
    if max(inside) - min(inside) > 1e-4 or (outside and max(outside) - min(outside) > 1e-4):
        return False
    return not outside or abs(inside[0] - outside[0]) > 1e-6
