"""Turning rows into events, and naming what is wrong with those that are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from recbole_imn.data.convert.layout import Column, Layout
from recbole_imn.data.convert.times import parse_times

ITEM_PREFIX = "item."
# Words in a column of purchases, in any case.
FLAGS = {"true": "1", "t": "1", "yes": "1", "y": "1", "false": "0", "f": "0", "no": "0", "n": "0"}


def to_events(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Give rows with the columns of events, and with what is wrong in ``kind``.

    Parameters
    ----------
    rows : DataFrame
        As :func:`~recbole_imn.data.convert.rows.read_rows` gives them.
    layout : Layout

    Returns
    -------
    DataFrame
        ``line``, ``row``, ``kind``, ``user_id``, ``item_id`` (str), ``time`` (int64
        microseconds since 1970), ``behavior`` (str) and ``purchase`` (int8) if the layout has
        them, further columns (str) under their names, and item attributes (str) under
        ``item.NAME``.
    """
    moment = pl.col(str(layout.timestamp))
    if layout.clock is not None:
        moment = pl.concat_str([moment, pl.col(str(layout.clock))], separator=" ")
    columns = {
        "user_id": _token(layout.user_id),
        "item_id": _token(layout.item_id),
        "time": parse_times(moment, layout.time_format, layout.time_zone),
    }
    if layout.has_behavior:
        columns["behavior"] = _behavior(layout)
    extras = dict(layout.event_columns) | {
        ITEM_PREFIX + name: column for name, column in layout.item_columns.items()
    }
    columns |= {name: joined(column) for name, column in extras.items()}
    events = rows.select("line", "row", "kind", *raw(extras), **columns, **_flag(layout))
    if layout.purchases:
        bought = pl.col("behavior").is_in(list(layout.purchases))
        events = events.with_columns(purchase=bought.cast(pl.Int8))
    return events.with_columns(kind=_kind(layout, extras)).select(
        "line", "row", "kind", *columns, *(["purchase"] if layout.has_purchase else [])
    )


def _token(place: int) -> pl.Expr:
    return pl.col(str(place)).str.strip_chars()


def _behavior(layout: Layout) -> pl.Expr:
    """Name the action; null for a code without a name."""
    constant = pl.lit(layout.constant_behavior, pl.String)
    code = constant if layout.behavior is None else _token(layout.behavior)
    if layout.behaviors is None:
        return pl.when(code != "").then(code)
    # A byte an event instead of a string: it is sorted, written and read again.
    names = pl.Enum(sorted(set(layout.behaviors.values())))
    if layout.behavior is None:
        return code.cast(names)
    return code.replace_strict(dict(layout.behaviors), default=None, return_dtype=names)


def _flag(layout: Layout) -> dict[str, pl.Expr]:
    """Read a column of 0 and 1, or words for them; null for anything else."""
    if layout.purchase is None:
        return {}
    number = _token(layout.purchase).str.to_lowercase()
    number = number.replace(FLAGS).cast(pl.Float64, strict=False)
    return {"purchase": pl.when(number.is_in([0.0, 1.0])).then(number).cast(pl.Int8)}


def joined(column: Column) -> pl.Expr:
    """Give a cell as it is, several cells as a sequence, or an empty one."""
    if not column.places:
        return pl.lit("")
    if len(column.places) == 1:
        return _token(column.places[0])
    return pl.concat_str([_token(place) for place in column.places], separator=" ")


def raw(columns: Mapping[str, Column]) -> list[pl.Expr]:
    """Give the cells that must be numbers, under the names of their places."""
    places = {
        place for column in columns.values() if column.type != "token" for place in column.places
    }
    return [pl.col(str(place)) for place in sorted(places)]


def _kind(layout: Layout, extras: Mapping[str, Column]) -> pl.Expr:
    empty = (pl.col("user_id") == "") | (pl.col("item_id") == "")
    faults = [("empty id", empty), ("time", pl.col("time").is_null())]
    if layout.has_behavior:
        faults.append(("unknown action", pl.col("behavior").is_null()))
    if layout.purchase is not None:
        faults.append(("purchase flag", pl.col("purchase").is_null()))
    faults += number_faults(extras)
    return first_fault(faults)


def number_faults(columns: Mapping[str, Column]) -> list[tuple[str, pl.Expr]]:
    """Name rows whose float columns hold no numbers; one cell alone may be empty."""
    faults = []
    for column in columns.values():
        if column.type != "token" and column.places:
            wrong = [_no_number(place, column.type == "float") for place in column.places]
            faults.append(("number", pl.any_horizontal(wrong)))
    return faults


def _no_number(place: int, may_be_empty: bool) -> pl.Expr:
    text = _token(place)
    number = text.cast(pl.Float64, strict=False)
    wrong = number.is_null() | ~number.is_finite().fill_null(False)
    return wrong & (text != "") if may_be_empty else wrong


def first_fault(faults: Iterable[tuple[str, pl.Expr]]) -> pl.Expr:
    """Name the first fault of each row, after what ``kind`` says already."""
    named = [pl.when(wrong).then(pl.lit(kind)) for kind, wrong in faults]
    return pl.coalesce(pl.col("kind"), *named)
