"""Rows that cannot be used: counted by kind, shown once, and written down in full."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from recbole_imn.data.atomic import DataError

HEADER = "file,line,kind,row\n"
SHOWN_CHARACTERS = 120


@dataclass
class Rejects:
    """Collects bad rows in a file.

    Attributes
    ----------
    path : Path
        A CSV file with the columns file, line, kind and row; made at the first bad row.
    counts : Counter of str
        Number of bad rows of each kind.
    first : dict of str to str
        The first bad row of each kind, with its file and line.
    rows : int
        Rows seen, good ones included.
    """

    path: Path
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    rows: int = 0

    def separate(self, rows: pl.DataFrame, file: str) -> pl.DataFrame:
        """Keep the rows with a ``kind`` as bad ones, and give the others.

        Parameters
        ----------
        rows : DataFrame
            With the columns ``line``, ``kind`` and ``row``.
        file : str
            Name of the file that they come from.
        """
        self.rows += len(rows)
        good = pl.col("kind").is_null()
        if rows["kind"].null_count() == len(rows):
            return rows
        self._add(rows.filter(~good), file)
        return rows.filter(good)

    def _add(self, bad: pl.DataFrame, file: str) -> None:
        self.counts.update(dict(bad["kind"].value_counts().iter_rows()))
        for line, kind, row in (
            bad.unique("kind", keep="first", maintain_order=True)
            .select("line", "kind", "row")
            .iter_rows()
        ):
            self.first.setdefault(kind, f"{file}, line {line}: {row[:SHOWN_CHARACTERS]!r}")
        is_new = not self.path.exists()
        with self.path.open("ab") as target:
            if is_new:
                target.write(HEADER.encode())
            table = bad.select(pl.lit(file).alias("file"), "line", "kind", "row")
            table.write_csv(target, include_header=False, quote_style="necessary")

    @property
    def total(self) -> int:
        """Number of bad rows."""
        return self.counts.total()

    def lines(self) -> list[str]:
        """Say how many rows of each kind were bad, and show the first of each."""
        return [
            f"{count:>13,} bad rows ({kind}), the first in {self.first[kind]}"
            for kind, count in self._commonest()
        ]

    def _commonest(self) -> list[tuple[str, int]]:
        return sorted(self.counts.items(), key=lambda entry: (-entry[1], entry[0]))

    def check(self, max_bad: float, written_to: Path) -> None:
        """Raise if more than a share of the rows are bad.

        Raises
        ------
        DataError
            With counts by kind, the first bad row, and where to find all of them.
        """
        if self.total <= max_bad * self.rows:
            return
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in self._commonest())
        commonest = self._commonest()[0][0]
        raise DataError(
            f"{self.total:,} of {self.rows:,} rows are bad ({kinds}), more than "
            f"--max-bad={max_bad:.4g}; the first {commonest} is in {self.first[commonest]}; "
            f"all are in {written_to}; nothing else was written"
        )
