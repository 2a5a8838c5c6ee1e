"""What a conversion did, for people and for the record beside the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from recbole_imn.data.convert.rejects import Rejects
from recbole_imn.data.convert.source import Source


@dataclass
class Counts:
    """What happened to the rows.

    Attributes
    ----------
    rows, bad_rows, events : int
        Rows read, of all files; bad ones; events written.
    duplicates : int
        Events equal to an earlier one in user, item, time, action and purchase flag.
    tied_events : int
        Events written that share their time with another one.
    purchases : int
        Events that are purchases.
    purchases_by_action : dict of str to int
        The same for each action, where there are actions.
    items : int
        Rows of the ``.item`` file.
    other_attributes : int
        Distinct rows that told other attributes of an item than its first row.
    """

    rows: int = 0
    bad_rows: int = 0
    events: int = 0
    duplicates: int = 0
    tied_events: int = 0
    purchases: int = 0
    purchases_by_action: dict[str, int] = field(default_factory=dict)
    items: int = 0
    other_attributes: int = 0

    def add(self, other: Counts) -> None:
        """Add the counts of a part of the events; rows are counted where they are read."""
        self.events += other.events
        self.duplicates += other.duplicates
        self.tied_events += other.tied_events
        self.purchases += other.purchases
        for action, count in other.purchases_by_action.items():
            self.purchases_by_action[action] = self.purchases_by_action.get(action, 0) + count


@dataclass
class Conversion:
    """A conversion and all that there is to say about it.

    Attributes
    ----------
    source : Source
    folder : Path
        Where the files go.
    duplicates : {"keep", "first"}
        The rule for duplicates.
    rejects : Rejects
    counts : Counts
    origin : str
        Moment that times count from, in ISO form.
    inputs : list of dict
        Name, size and SHA-256 sum of every file that was read.
    outputs : dict
        Size and SHA-256 sum of every file that was written.
    """

    source: Source
    folder: Path
    duplicates: str
    rejects: Rejects
    counts: Counts = field(default_factory=Counts)
    origin: str = ""
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, dict[str, int | str]] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Give what ``NAME.source.json`` holds; the same files give the same record."""
        return {
            "simulated": False,
            "source": self.source.name,
            "origin": self.origin,
            "time_zone": self.source.time_zone,
            "unit": "seconds",
            "duplicates": self.duplicates,
            "options": dict(self.source.options),
            "notes": list(self.source.notes),
            "counts": asdict(self.counts),
            "bad_rows": dict(sorted(self.rejects.counts.items())),
            "inputs": self.inputs,
            "outputs": self.outputs,
            "versions": {name: version(name) for name in ("recbole_imn", "polars")},
        }

    def text(self) -> str:
        """Lay out the counts, a line each."""
        counts = self.counts
        kept = "kept" if self.duplicates == "keep" else "left out, the first kept"
        lines = [
            _line(counts.rows, "rows read"),
            *self.rejects.lines(),
            _line(counts.events, "events written in order of time"),
            _line(counts.duplicates, f"duplicates of an earlier event, {kept}"),
            _line(counts.tied_events, "events share their time with another; ties keep file order"),
            _line(counts.purchases, "purchases"),
            *self._item_lines(),
            *self._warnings(),
            f"times are seconds since {self.origin}",
            *self.source.notes,
            f"written to {self.folder}",
        ]
        return "\n".join(lines)

    def _warnings(self) -> Sequence[str]:
        found = self.counts.purchases_by_action
        return [
            f"no event is {name!r}, which was to be a purchase; check its name"
            for name in self.source.layout.purchases
            if name not in found
        ]

    def _item_lines(self) -> Sequence[str]:
        items, others = self.counts.items, self.counts.other_attributes
        lines = [_line(items, "items with attributes")] if items else []
        if others:
            lines.append(_line(others, "rows told other attributes of an item than its first row"))
        return lines


def _line(count: int, what: str) -> str:
    return f"{count:>13,} {what}"
