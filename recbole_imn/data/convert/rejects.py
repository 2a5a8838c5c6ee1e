"""Rows that cannot be used: counted by kind, shown once, and written down in full."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from recbole_imn.errors import DataError

HEADER = "file,line,kind,row\n"
SHOWN_CHARACTERS = 120
HINTS = {
    "quoting": " (where quotes are plain characters: --quoting=none)",
    "purchase flag": " (it must be 0, false, f or no, or 1, true, t or yes; purchases that are "
    "told by an action: --behavior=COLUMN --purchase=ACTION)",
}


@dataclass
class FileCount:
    """Rows of a file: all, bad ones by kind, those of several lines, and lines of the longest."""

    rows: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    joined: int = 0
    longest: int = 0


@dataclass
class Rejects:
    """Collects bad rows in a file.

    Attributes
    ----------
    path : Path
        A CSV file with the columns file, line, kind and row; made at the first bad row.
    files : dict of Path to FileCount
        What was read of each file.
    first : dict of (Path, str) to str
        The first bad row of each file and kind, with file and line.
    """

    path: Path
    files: dict[Path, FileCount] = field(default_factory=dict)
    first: dict[tuple[Path, str], str] = field(default_factory=dict)

    def separate(self, rows: pl.DataFrame, file: Path) -> pl.DataFrame:
        """Keep the rows with a ``kind`` as bad ones, and give the others.

        Parameters
        ----------
        rows : DataFrame
            With the columns ``line``, ``kind`` and ``row``.
        file : Path
            The file that they come from.
        """
        self.files.setdefault(file, FileCount()).rows += len(rows)
        good = pl.col("kind").is_null()
        if rows["kind"].null_count() == len(rows):
            return rows
        self._add(rows.filter(~good), file)
        return rows.filter(good)

    def joined(self, file: Path, records: int, longest: int) -> None:
        """Count records of a file that run over several lines, and lines of the longest."""
        count = self.files.setdefault(file, FileCount())
        count.joined += records
        count.longest = max(count.longest, longest)

    def _add(self, bad: pl.DataFrame, file: Path) -> None:
        self.files[file].bad.update(dict(bad["kind"].value_counts().iter_rows()))
        for line, kind, row in (
            bad.unique("kind", keep="first", maintain_order=True)
            .select("line", "kind", "row")
            .iter_rows()
        ):
            first = f"{file.name}, line {line}: {row[:SHOWN_CHARACTERS]!r}"
            self.first.setdefault((file, kind), first)
        is_new = not self.path.exists()
        with self.path.open("ab") as target:
            if is_new:
                target.write(HEADER.encode())
            table = bad.select(pl.lit(file.name).alias("file"), "line", "kind", "row")
            table.write_csv(target, include_header=False, quote_style="necessary")

    @property
    def counts(self) -> Counter[str]:
        """Number of bad rows of each kind, of all files."""
        total: Counter[str] = Counter()
        for count in self.files.values():
            total.update(count.bad)
        return total

    @property
    def total(self) -> int:
        """Number of bad rows of all files."""
        return self.counts.total()

    def lines(self, file: Path) -> list[str]:
        """Say what a file has of long records and bad rows, and show the first of each kind."""
        about = self.files[file]
        lines = [
            f"{count:>13,} bad rows ({kind}), the first in {self.first[file, kind]}"
            for kind, count in _commonest(about.bad)
        ]
        if about.joined:
            longest = f"over several lines, the longest over {about.longest:,}"
            lines.insert(0, f"{about.joined:>13,} of them run {longest}")
        return lines

    def check(self, max_bad: float, written_to: Path) -> None:
        """Raise if more than a share of the rows of a file are bad.

        Raises
        ------
        DataError
            With counts by kind, the first bad row, and where to find all of them.
        """
        for file, count in self.files.items():
            n_bad = count.bad.total()
            if n_bad <= max_bad * count.rows:
                continue
            commonest = _commonest(count.bad)
            kinds = ", ".join(f"{kind} {number:,}" for kind, number in commonest)
            kind = commonest[0][0]
            hint = HINTS.get(kind, "")
            raise DataError(
                f"{file.name}: {n_bad:,} of {count.rows:,} rows are bad ({kinds}), more than "
                f"--max-bad={max_bad:.4g}; the first {kind} is in {self.first[file, kind]}{hint}; "
                f"all are in {written_to}; nothing else was written"
            )


def _commonest(bad: Counter[str]) -> list[tuple[str, int]]:
    return sorted(bad.items(), key=lambda entry: (-entry[1], entry[0]))
