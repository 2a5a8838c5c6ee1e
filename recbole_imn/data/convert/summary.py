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
        Rows of the log; bad ones; events written.
    item_rows, bad_item_rows : int
        The same of the files beside the log.
    duplicates : int
        Events equal to an earlier one in user, item, time, action and purchase flag.
    tied_events : int
        Events written that share their time with another one.
    purchases : int
        Events that are purchases.
    purchases_by_action : dict of str to int
        The same for each action, where there are actions.
    items, items_without_events, items_of_log_only : int
        Rows of the ``.item`` file; those of items that the log has no event of, and of items
        that no other file knows.
    other_attributes : int
        Distinct rows of the log that told other attributes of an item than its earliest row.
    repeated_item_rows, differing_item_rows : int
        Rows of a table of items that told nothing new of an item, and those that told other
        attributes than its first row.
    images_left_out : int
        Images of items that neither the log nor the table of items has.
    off_shelf, purchases_off_shelf : int
        Events of items that were not for sale then, where anything says when they were; those
        of them that are purchases.
    """

    rows: int = 0
    bad_rows: int = 0
    item_rows: int = 0
    bad_item_rows: int = 0
    events: int = 0
    duplicates: int = 0
    tied_events: int = 0
    purchases: int = 0
    purchases_by_action: dict[str, int] = field(default_factory=dict)
    items: int = 0
    items_without_events: int = 0
    items_of_log_only: int = 0
    other_attributes: int = 0
    repeated_item_rows: int = 0
    differing_item_rows: int = 0
    images_left_out: int = 0
    off_shelf: int = 0
    purchases_off_shelf: int = 0

    def add(self, other: Counts) -> None:
        """Add the counts of a part of the events; rows are counted where they are read."""
        self.events += other.events
        self.duplicates += other.duplicates
        self.tied_events += other.tied_events
        self.purchases += other.purchases
        self.off_shelf += other.off_shelf
        self.purchases_off_shelf += other.purchases_off_shelf
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
    notes : list of str
        What a user should know, one line each.
    inputs : list of dict
        Name, size, SHA-256 sum, rows and bad rows of every file that was read.
    outputs : dict
        Size and SHA-256 sum of every file that was written.
    """

    source: Source
    folder: Path
    duplicates: str
    rejects: Rejects
    counts: Counts = field(default_factory=Counts)
    origin: str = ""
    notes: list[str] = field(default_factory=list)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, dict[str, int | str]] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Give what ``NAME.source.json`` holds.

        The same files give the same record, but for a note on times that were still to come.
        """
        return {
            "simulated": False,
            "source": self.source.name,
            "origin": self.origin,
            "time_zone": self.source.time_zone,
            "unit": "seconds",
            "duplicates": self.duplicates,
            "options": dict(self.source.options),
            "notes": self.notes,
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
            *self._file_lines(),
            _line(counts.events, "events written in order of time"),
            _line(counts.duplicates, f"duplicates of an earlier event, {kept}"),
            _line(counts.tied_events, "events share their time with another; ties keep file order"),
            _line(counts.purchases, "purchases"),
            *self._item_lines(),
            *self._shelf_lines(),
            *self._warnings(),
            f"times are seconds since {self.origin}",
            *self.notes,
            f"written to {self.folder}",
        ]
        return "\n".join(lines)

    def _warnings(self) -> Sequence[str]:
        counts = self.counts
        warnings = [
            f"no event is {name!r}, which was to be a purchase; check its name"
            for name in self.source.layout.purchases
            if name not in counts.purchases_by_action
        ]
        if 0 < counts.items_of_log_only == counts.items - counts.items_without_events:
            warnings.append(
                "no item of the log is in any file of items; check that both call items alike"
            )
        return warnings

    def _file_lines(self) -> Sequence[str]:
        """Say of each file how many rows it has and what is wrong with some."""
        lines = []
        for file, count in self.rejects.files.items():
            lines += [_line(count.rows, f"rows read of {file.name}"), *self.rejects.lines(file)]
        return lines

    def _item_lines(self) -> Sequence[str]:
        counts = self.counts
        told = [
            (counts.items, "items with attributes"),
            (counts.items_without_events, "of them have no event yet; they are kept"),
            (counts.items_of_log_only, "of them are in the log only, and in no file of items"),
            (
                counts.other_attributes,
                "rows told other attributes of an item than its earliest event",
            ),
            (counts.repeated_item_rows, "rows of the table of items told nothing new of an item"),
            (
                counts.differing_item_rows,
                "rows of the table of items told other attributes than the item's first row, "
                "which counts",
            ),
            (counts.images_left_out, "images left out, of items that nothing else knows"),
        ]
        return [_line(count, what) for count, what in told if count]

    def _shelf_lines(self) -> Sequence[str]:
        """Say how many events no ranking of what is for sale can find."""
        counts = self.counts
        if not counts.off_shelf:
            return []
        bought = f", {counts.purchases_off_shelf:,} of them purchases" if counts.purchases else ""
        what = f"events ({counts.off_shelf / counts.events:.1%}{bought}) are of items not for sale"
        return [_line(counts.off_shelf, f"{what} then; --candidates=on_shelf never finds them")]


def _line(count: int, what: str) -> str:
    return f"{count:>13,} {what}"
