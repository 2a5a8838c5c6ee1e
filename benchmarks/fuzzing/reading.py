"""An independent reading of atomic files: plain Python and its csv module, nothing else."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

csv.field_size_limit(1 << 24)
KINDS = ("token", "float", "token_seq", "float_seq")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
LARGEST = 3.4e38  # of float32, in which models calculate


@dataclass
class Fault:
    """What is wrong in a file, and in which line; 0 for the file as a whole."""

    line: int
    why: str


@dataclass
class Plain:
    """An atomic file as it stands.

    Attributes
    ----------
    header : dict of str to str
    rows : list of (line, dict of str to str)
        Cells of the rows with the right number of columns.
    faults : list of Fault
    """

    header: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def column(self, name: str) -> list[str]:
        """Give the cells of a column."""
        return [row[name] for _, row in self.rows]


def read_plain(data: bytes, encoding: str = "utf-8") -> Plain:
    """Read an atomic file, keeping all faults."""
    found = Plain()
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    names: list[str] = []
    for number, raw in enumerate(lines, start=1):
        try:
            text = raw.removesuffix(b"\r").decode(encoding)
        except UnicodeDecodeError:
            found.faults.append(Fault(number, "not text"))
            continue
        if number == 1:
            names = _header(text, found)
        elif text.strip():
            _row(number, text, names, found)
    return found


def _header(text: str, found: Plain) -> list[str]:
    if not text:
        found.faults.append(Fault(0, "an empty file"))
        return []
    names = []
    for column in text.split("\t"):
        name, _, kind = column.partition(":")
        if kind not in KINDS:
            found.faults.append(Fault(1, f"header {column!r}"))
        if name in names:
            found.faults.append(Fault(1, f"the header names {name!r} twice"))
        names.append(name)
        found.header.setdefault(name, kind)
    return names


def _row(number: int, text: str, names: Sequence[str], found: Plain) -> None:
    try:
        (cells,) = csv.reader([text], delimiter="\t", quoting=csv.QUOTE_NONE)
    except (csv.Error, ValueError):
        found.faults.append(Fault(number, "a row that is none"))
        return
    if "\0" in text:
        found.faults.append(Fault(number, "a zero byte"))
        return
    if len(cells) != len(names):
        found.faults.append(Fault(number, f"{len(cells)} columns of {len(names)}"))
        return
    # A row of separators alone is as blank as an empty line.
    if any(cells):
        found.rows.append((number, dict(zip(names, cells, strict=True))))


def number(text: str) -> float | None:
    """Read a finite number in plain notation, or None."""
    text = text.strip(" ")
    value = float(text) if NUMBER.fullmatch(text) else None
    return value if value is not None and abs(value) < float("inf") else None


def is_odd_number(cell: str) -> bool:
    """Whether a cell is a number that models cannot use: harmless where none looks at it."""
    value = number(cell)
    return cell.lower().lstrip("+-") in ("nan", "inf", "infinity", "1e999") or (
        value is not None and abs(value) >= LARGEST
    )


def cell_faults(plain: Plain, checks: Mapping[str, str]) -> list[Fault]:
    """Find cells that cannot be what they must be.

    Parameters
    ----------
    plain : Plain
    checks : mapping of str to str
        What a column must be: ``id``, ``time``, ``flag``, ``number`` (or empty), ``any number``
        (infinite ones and none as well), ``numbers``, ``moments`` (numbers of which some may be
        infinite).
    """
    faults = []
    for line, row in plain.rows:
        for name, kind in checks.items():
            if name in row and not _fits(row[name], kind):
                faults.append(Fault(line, f"{name} is {row[name][:40]!r}, not {kind}"))
    return faults


def _fits(cell: str, kind: str) -> bool:
    if kind == "id":
        return cell != ""
    value = number(cell)
    if kind == "time":
        return value is not None
    if kind == "flag":
        return value in (0.0, 1.0)
    if kind == "any number" and is_odd_number(cell):
        return True
    if kind.removeprefix("any ") == "number":
        return cell == "" or (value is not None and abs(value) < LARGEST)
    parts = [part for part in cell.split(" ") if part]
    if kind == "moments":
        return all(number(part) is not None or part in ("inf", "-inf") for part in parts)
    return all((v := number(part)) is not None and abs(v) < LARGEST for part in parts)
