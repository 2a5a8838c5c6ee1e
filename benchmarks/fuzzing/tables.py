"""Cases of ``convert``: tables in many dialects, and what their events must be."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from fuzzing.case import Case, Expectation, Result, mutate
from fuzzing.table_mutations import MUTATIONS
from fuzzing.table_reading import check_output, read_table
from fuzzing.times import CLOCKS, SECOND

NAME = "fz"
ZONES = ("UTC", "UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York")


@dataclass
class Table:
    """A text table in the making.

    Attributes
    ----------
    roles : list of str
        What each column is: a role, or a further column.
    names : list of str
        Of the header.
    rows : list of list of str
        Cells as they are before quoting.
    separator, newline, encoding : str
    quoting : {"where needed", "all", "none"}
    has_header : bool
    raw : dict of int to str
        Lines, by the position of their row, that are to be written as they are.
    """

    roles: list[str]
    names: list[str]
    rows: list[list[str]]
    separator: str = ","
    newline: str = "\n"
    encoding: str = "utf-8"
    quoting: str = "where needed"
    has_header: bool = True
    is_multiline: bool = False
    raw: dict[int, str] = field(default_factory=dict)
    edits: list[Any] = field(default_factory=list)

    def line(self, place: int) -> int:
        """Give the line of a row."""
        return place + 1 + int(self.has_header)

    def data(self) -> bytes:
        """Give the file."""
        lines = [self._text(self.names)] if self.has_header else []
        lines += [self.raw.get(place, self._text(row)) for place, row in enumerate(self.rows)]
        data = (self.newline.join(lines) + self.newline).encode(self.encoding, "replace")
        for edit in self.edits:
            data = edit(data)
        return data

    def _text(self, cells: list[str]) -> str:
        return self.separator.join(self._cell(cell) for cell in cells)

    def _cell(self, cell: str) -> str:
        needs = self.separator in cell or '"' in cell or "\n" in cell
        if self.quoting == "all" or (self.quoting == "where needed" and needs):
            return '"' + cell.replace('"', '""') + '"'
        return cell


@dataclass
class TableBase:
    """A good table and options that fit it, which mutations spoil."""

    log: Table
    items: Table | None
    clock: str
    zone: str
    mapping: dict[str, Any] | None
    options: dict[str, str]
    purchases: list[str]
    has_names: bool
    files: dict[str, bytes] = field(default_factory=dict)
    refusals: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    # What may be refused as well as read; lines that may be bad as well as good.
    is_dubious: bool = False
    dubious_lines: set[int] = field(default_factory=set)
    must_say: list[str] = field(default_factory=list)


def make(seed: str, kept: list[int] | None) -> Case:
    """Make a case."""
    base = good_table(Random(seed))
    done = mutate(base, MUTATIONS, seed, kept)
    files = {"log.csv": base.log.data()}
    if base.items is not None:
        files["items.csv"] = base.items.data()
    if base.mapping is not None:
        files["mapping.yaml"] = json.dumps(base.mapping).encode()
    files |= base.files
    options = {"input": "log.csv", "name": NAME, "output": "out", **base.options}
    arguments = ["convert", "csv", *(f"--{key}={value}" for key, value in options.items())]
    return Case("command", arguments, files, expect(base, files), done)


def good_table(rng: Random) -> TableBase:
    """Make a table that nothing is wrong with, and options that fit it."""
    clock, zone = rng.choice(sorted(CLOCKS)), rng.choice(ZONES)
    roles = ["user_id", "item_id", "timestamp"]
    roles += [role for role in ("behavior", "price", "brand", "note") if rng.random() < 0.5]
    has_flag = "behavior" not in roles and rng.random() < 0.4
    roles += ["purchase"] if has_flag else []
    rng.shuffle(roles)
    rows = _good_rows(rng, roles, clock, zone)
    has_header = rng.random() < 0.85
    log = Table(roles, [_column(role) for role in roles], rows, has_header=has_header)
    log.separator = rng.choice((",", ",", "\t", ";", "|"))
    log.quoting = rng.choice(("where needed", "where needed", "all"))
    log.newline = rng.choice(("\n", "\n", "\r\n"))
    purchases = [name for name in ("buy",) if "behavior" in roles and rng.random() < 0.6]
    base = TableBase(log, None, clock, zone, None, {}, purchases, has_header)
    base.items = _good_items(rng, log) if rng.random() < 0.35 else None
    _write_options(base, rng)
    return base


def _column(role: str) -> str:
    return {"user_id": "who", "item_id": "what", "timestamp": "when", "behavior": "did"}.get(
        role, role
    )


def _good_rows(rng: Random, roles: list[str], clock: str, zone: str) -> list[list[str]]:
    size = CLOCKS[clock].resolution
    # Summer days, in which no clock is set.
    time = 1_688_000_000 * SECOND + rng.randrange(SECOND)
    rows = []
    for _ in range(rng.randint(20, 150)):
        time += rng.choice((0, size, rng.randrange(3600) * SECOND))
        cells = {
            "user_id": f"u{rng.randint(1, 9)}",
            "item_id": f"i{rng.randint(1, 15)}",
            "timestamp": CLOCKS[clock].write(time // size * size, zone),
            "behavior": rng.choice(("view", "view", "buy")),
            "purchase": rng.choice("01"),
            "price": f"{rng.lognormvariate(3, 1):.2f}",
            "brand": rng.choice(("acme", "b & co", "c")),
            "note": rng.choice(("", "fine", "it is, really", 'a "good" one')),
        }
        rows.append([cells[role] for role in roles])
    if rng.random() < 0.3:
        rng.shuffle(rows)
    return rows


def _good_items(rng: Random, log: Table) -> Table:
    place = log.roles.index("item_id")
    names = sorted({row[place] for row in log.rows} | {f"new{n}" for n in range(rng.randint(0, 4))})
    rng.shuffle(names)
    rows = [[name, rng.choice("xyz"), f"{rng.random() * 9:.3f}"] for name in names]
    roles = ["item_id", "category", "weight"]
    return Table(roles, [_column(role) for role in roles], rows)


def _write_options(base: TableBase, rng: Random) -> None:
    """Say the columns on the command line, or in a mapping file, by name or by position."""
    log = base.log
    by_name = base.has_names and rng.random() < 0.8

    def place(role: str) -> str | int:
        return _column(role) if by_name else log.roles.index(role) + 1

    core = ("user_id", "item_id", "timestamp", "behavior", "purchase")
    columns = {role: place(role) for role in core if role in log.roles}
    settings: dict[str, Any] = {}
    if CLOCKS[base.clock].option:
        settings["time_format"] = CLOCKS[base.clock].option
    if base.zone != "UTC":
        settings["time_zone"] = base.zone
    further = {"price": "float", "brand": "token"}
    wanted = {name: kind for name, kind in further.items() if name in log.roles}
    if wanted or rng.random() < 0.2:
        mapping: dict[str, Any] = {"columns": columns, **settings}
        if "price" in wanted:
            mapping["event_columns"] = {"price": {"column": place("price"), "type": "float"}}
        if "brand" in wanted:
            mapping["item_columns"] = {"brand": {"column": place("brand"), "type": "token"}}
        if base.purchases:
            mapping["purchases"] = base.purchases
        if base.items is not None:
            mapping["items"] = _items_mapping()
        base.mapping = mapping
        base.options["mapping"] = "mapping.yaml"
    else:
        names = {"user_id": "user", "item_id": "item", "timestamp": "time"}
        names |= {"behavior": "behavior", "purchase": "purchase-column"}
        base.options |= {names[role]: str(column) for role, column in columns.items()}
        base.options |= {key.replace("_", "-"): value for key, value in settings.items()}
        if base.purchases:
            base.options["purchase"] = ",".join(base.purchases)
        if base.items is not None and not by_name:
            base.items.names[0] = "item_id"
    if base.items is not None:
        base.options["items"] = "items.csv"
    if rng.random() < 0.3:
        base.options["max-bad"] = rng.choice(("1", "0.5", "0"))
    if rng.random() < 0.2:
        base.options["duplicates"] = rng.choice(("keep", "first"))


def _items_mapping() -> dict[str, Any]:
    further = {"category": {"column": "category", "type": "token"}}
    further["weight"] = {"column": "weight", "type": "float"}
    return {"columns": {"item_id": "what"}, "item_columns": further}


def expect(base: TableBase, files: dict[str, bytes]) -> Expectation:
    """Read the tables independently and say what must come of them."""
    if base.refusals:
        why, _ = base.refusals[0]
        return Expectation([why], [[name for _, group in base.refusals for name in group]])
    truth = read_table(base, files["log.csv"], files.get("items.csv"))
    most = float(base.options.get("max-bad", 0.001))
    bad, rows = len(truth.bad), truth.n_rows
    lines = [f"line {line}:" for line in sorted(truth.bad | truth.dubious)]
    if base.is_dubious or b"\0" in files["log.csv"]:
        lines.append("log.csv")
    if (bad > most * rows and not base.is_dubious) or not truth.events:
        why = f"{bad} of {rows} rows are bad, the first in line {min(truth.bad, default=0)}"
        return Expectation([why], [lines] if lines else [])
    may_fail = base.is_dubious or bad + len(truth.dubious) > most * rows

    def check(result: Result) -> str | None:
        said = (result.out + result.err).lower()
        for text in base.must_say:
            if text not in said:
                return f"not a word of {text!r}"
        return None if base.is_dubious else check_output(base, truth, result)

    return Expectation(may_fail=may_fail, check=check)
