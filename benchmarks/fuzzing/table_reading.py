"""An independent reading of tables, and of what ``convert`` made of them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fuzzing.checks import differing
from fuzzing.reading import Plain, number, read_plain
from fuzzing.times import CLOCKS, EPOCH

Record = dict[str, Any]
CONTROL = "\t\r\n\0"
UNIT = "\x1f"


@dataclass
class Truth:
    """What tables hold.

    Attributes
    ----------
    events : list of dict
        Good rows: user_id, item_id, time (microseconds since 1970) and what else there is.
    items : dict of str to dict
        Attributes of each item, of its first row.
    bad, dubious : set of int
        Lines that are no events, or may be none.
    n_rows : int
        Of the log.
    """

    events: list[Record] = field(default_factory=list)
    items: dict[str, Record] = field(default_factory=dict)
    bad: set[int] = field(default_factory=set)
    dubious: set[int] = field(default_factory=set)
    n_rows: int = 0
    bad_items: int = 0


def read_table(base: Any, log: bytes, items: bytes | None) -> Truth:
    """Read a log and a table of items."""
    truth = Truth(dubious=set(base.dubious_lines))
    for line, cells in _lines(base.log, log):
        truth.n_rows += 1
        record = _event(base, cells) if cells is not None else None
        if line in truth.dubious:
            continue
        if record is None:
            truth.bad.add(line)
        else:
            truth.events.append(record)
    truth.events.sort(key=lambda record: record["time"])
    if base.options.get("duplicates") == "first":
        truth.events = _without_duplicates(truth.events)
    for line, cells in _lines(base.items, items) if items is not None else ():
        truth.n_rows += 1
        if cells is None or not cells[0].strip() or _is_bad_weight(base, cells[2]):
            truth.bad.add(line)
            continue
        record = dict(zip(base.items.roles, (cell.strip() for cell in cells), strict=True))
        truth.items.setdefault(record.pop("item_id"), record)
    return truth


def _is_bad_weight(base: Any, cell: str) -> bool:
    """Whether a weight is no number though the mapping says that it is one."""
    is_mapped = base.mapping is not None and "items" in base.mapping
    return is_mapped and bool(cell.strip()) and number(cell) is None


def _lines(table: Any, data: bytes) -> Sequence[tuple[int, list[str] | None]]:
    """Give line and cells of every row that is not blank; None for a broken one."""
    if table.is_multiline:
        return _multiline(table, data)
    found = []
    rows = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for line, raw in enumerate(rows, start=1):
        raw = raw.removesuffix(b"\r")
        if (line == 1 and table.has_header) or not raw.strip(b" "):
            continue
        found.append((line, _cells(table, raw)))
    return found


def _multiline(table: Any, data: bytes) -> list[tuple[int, list[str] | None]]:
    """Read a table with quoted cells that end on another line."""
    try:
        text = data.decode(table.encoding).removeprefix("\ufeff")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=table.separator)
        found, line = [], 1
        for row in reader:
            if row and not (line == 1 and table.has_header):
                is_broken = len(row) != len(table.roles)
                found.append((line, None if is_broken else row))
            line = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error, TypeError):
        return []
    return found


def _cells(table: Any, raw: bytes) -> list[str] | None:
    try:
        text = raw.decode(table.encoding)
        # The csv module knows separators of one character only.
        line = text.replace(table.separator, UNIT)
        rows = [
            [cell.replace(UNIT, table.separator) for cell in row]
            for row in csv.reader([line], delimiter=UNIT, strict=True)
        ]
    except (UnicodeDecodeError, csv.Error):
        return None
    if len(rows) != 1 or len(rows[0]) != len(table.roles):
        return None
    if any(c in text for c in CONTROL if c != table.separator):
        return None
    if any(c in cell for cell in rows[0] for c in CONTROL):
        return None
    return rows[0]


def _event(base: Any, cells: list[str]) -> Record | None:
    """Make an event of a row, or None."""
    record: Record = dict(zip(base.log.roles, (cell.strip() for cell in cells), strict=True))
    record["time"] = CLOCKS[base.clock].read(record.pop("timestamp"), base.zone)
    if not record["user_id"] or not record["item_id"] or record["time"] is None:
        return None
    if "behavior" in record and not record["behavior"]:
        return None
    if base.purchases:
        record["purchase"] = float(record["behavior"] in base.purchases)
    elif "purchase" in record:
        flags = {"true": 1.0, "false": 0.0}
        flag = flags.get(record["purchase"].lower(), number(record["purchase"]))
        if flag not in (0.0, 1.0):
            return None
        record["purchase"] = flag
    if "price" in record:
        record["price"] = None if record["price"] == "" else number(record["price"])
        if record["price"] is None and cells[base.log.roles.index("price")].strip():
            return None
    return record


def _without_duplicates(events: list[Record]) -> list[Record]:
    key = ("user_id", "item_id", "time", "behavior", "purchase")
    first: dict[tuple[Any, ...], Record] = {}
    for event in events:
        first.setdefault(tuple(event.get(name) for name in key), event)
    return list(first.values())


def check_output(base: Any, truth: Truth, result: Any) -> str | None:
    """Say how the files differ from the tables, or None."""
    folder = result.folder / "out" / "fz"
    inter = read_plain((folder / "fz.inter").read_bytes())
    if inter.faults:
        return f"fz.inter has a faulty line: {inter.faults[0]}"
    record = json.loads((folder / "fz.source.json").read_text(encoding="utf-8"))
    origin = (datetime.fromisoformat(record["origin"]) - EPOCH) // timedelta(microseconds=1)
    fault = _events_fault(truth, inter, origin)
    if fault:
        return fault
    wrong = _said(truth, record, result.out)
    if wrong:
        return wrong
    item = folder / "fz.item"
    if item.exists() or truth.items or "brand" in base.log.roles:
        return _items_fault(base, truth, read_plain(item.read_bytes()))
    return None


def _events_fault(truth: Truth, inter: Plain, origin: int) -> str | None:
    rows = [row for _, row in inter.rows]
    if truth.dubious:
        least, most = len(truth.events), len(truth.events) + len(truth.dubious)
        return None if least <= len(rows) <= most else f"{len(rows)} events of {least} to {most}"
    if len(rows) != len(truth.events):
        return f"{len(rows)} events of {len(truth.events)}"
    for name in ("user_id", "item_id", "behavior"):
        if name in inter.header:
            fault = differing(name, [r[name] for r in rows], [e[name] for e in truth.events])
            if fault:
                return fault
    for place, (row, event) in enumerate(zip(rows, truth.events, strict=True)):
        time = float(row["timestamp"]) + origin / 1e6
        if not math.isclose(time, event["time"] / 1e6, rel_tol=1e-15, abs_tol=2e-6):
            return f"time of event {place} is {time!r} instead of {event['time'] / 1e6!r}"
        for name in ("purchase", "price"):
            if name in row and number(row[name]) != event[name]:
                return f"{name} of event {place} is {row[name]!r} instead of {event[name]!r}"
    return None


def _said(truth: Truth, record: Record, out: str) -> str | None:
    """Say which count of the record is wrong."""
    counts = record["counts"]
    if not truth.dubious and counts["events"] != len(truth.events):
        return f"the record says {counts['events']} events"
    if not truth.dubious and sum(record["bad_rows"].values()) != len(truth.bad):
        return f"the record says {record['bad_rows']} bad rows, of {len(truth.bad)}"
    return None if f"{counts['events']:,} events written" in out else "the count is not shown"


def _items_fault(base: Any, truth: Truth, item: Plain) -> str | None:
    if item.faults:
        return f"fz.item has a faulty line: {item.faults[0]}"
    found = {row["item_id"]: row for _, row in item.rows}
    if len(found) != len(item.rows):
        return "an item twice in fz.item"
    expected = {event["item_id"] for event in truth.events} | set(truth.items)
    if not truth.dubious and set(found) != expected:
        missing, extra = sorted(expected - set(found)), sorted(set(found) - expected)
        return (
            f"of {len(expected)} items {len(missing)} are missing ({missing[:2]}), new {extra[:2]}"
        )
    for name, attributes in truth.items.items():
        for key, value in attributes.items():
            if key in item.header and name in found and not _same(found[name][key], value):
                return f"{key} of item {name!r} is {found[name][key]!r} instead of {value!r}"
    return None if truth.dubious else _brands_fault(truth, found)


def _brands_fault(truth: Truth, found: dict[str, Record]) -> str | None:
    """Compare attributes that stand in the log: the first row by line counts."""
    for event in truth.events:
        row = found[event["item_id"]]
        if "brand" in row and "brand" in event:
            brands = {e["brand"] for e in truth.events if e["item_id"] == event["item_id"]}
            if row["brand"] not in brands:
                return f"brand of item {event['item_id']!r} is {row['brand']!r}"
    return None


def _same(found: str, expected: str) -> bool:
    return found == expected or (number(found) is not None and number(found) == number(expected))
