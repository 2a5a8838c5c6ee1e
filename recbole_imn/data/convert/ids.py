"""Ids that may not mean what they seem to: words for nobody, numbers in two spellings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from recbole_imn.data.convert.header import EMPTY_WORDS

ROLES = {"user_id": "user", "item_id": "item"}
# What programs write where there is nobody; any of them may be somebody's id.
_WORDS = EMPTY_WORDS - {""} | {"<na>", "#n/a", "(null)", "undefined", "unknown", "anonymous"}
NOBODY = sorted({w for word in _WORDS for w in (word, word.upper(), word.title())} | {"NaN", "NaT"})
LONGEST = max(map(len, NOBODY))
# Of larger blocks, one row of so many is looked at; what is found there is counted in all rows.
LARGE, STEP = 1 << 16, 16


@dataclass
class _Spellings:
    """Ids of a file: all, those that are whole numbers with ``.0``, and one of these."""

    rows: int = 0
    pointed: int = 0
    example: str = ""
    has_plain: bool = False


@dataclass
class Ids:
    """Looks at the ids of events as they come."""

    _rows: int = 0
    _is_sampled: bool = False
    _nobody: Counter[tuple[str, str]] = field(default_factory=Counter)
    _spelt: dict[tuple[str, Path], _Spellings] = field(default_factory=dict)

    def add(self, events: pl.DataFrame, path: Path) -> None:
        """Look at a block of events of a file."""
        self._rows += len(events)
        self._is_sampled |= len(events) > LARGE
        for role in ROLES:
            ids = events[role]
            some = ids.gather_every(STEP) if len(ids) > LARGE else ids
            self._count_nobody(role, ids, some)
            self._spell(ids, some, self._spelt.setdefault((role, path), _Spellings()))

    def _count_nobody(self, role: str, ids: pl.Series, some: pl.Series) -> None:
        short = some.filter(some.str.len_bytes() <= LONGEST)
        met = set(short.filter(short.is_in(NOBODY)).unique())
        words = sorted(met | {word for known, word in self._nobody if known == role})
        if words:
            found = ids.filter(ids.is_in(words)).value_counts()
            self._nobody.update({(role, word): count for word, count in found.iter_rows()})

    @staticmethod
    def _spell(ids: pl.Series, some: pl.Series, about: _Spellings) -> None:
        about.rows += len(ids)
        about.has_plain |= bool(some.str.contains(r"^[0-9]+$").any())
        if not about.pointed and not some.str.ends_with(".0").any():
            return
        pointed = ids.filter(ids.str.contains(r"^[0-9]+\.0$"))
        if len(pointed):
            about.pointed += len(pointed)
            about.example = about.example or str(pointed[0])

    def notes(self) -> list[str]:
        """Say what a user should know, one line each."""
        return [*self._of_nobody(), *self._of_spellings()]

    def _of_nobody(self) -> list[str]:
        advice = (
            "if it means nobody, take these rows out of the table, or empty those cells and allow "
            "for bad rows with --max-bad"
        )
        least = "at least " if self._is_sampled else ""
        return [
            f"{ROLES[role]} {word!r} has {least}{count:,} of {self._rows:,} events; {advice}"
            for (role, word), count in self._nobody.most_common()
        ]

    def _of_spellings(self) -> list[str]:
        notes = []
        for (role, path), about in self._spelt.items():
            has_plain = any(a.has_plain for (r, _), a in self._spelt.items() if r == role)
            if not about.pointed or not (has_plain or about.pointed == about.rows):
                continue
            name, plain = ROLES[role], about.example.removesuffix(".0")
            notes.append(
                f"{path.name}: {about.pointed:,} of {about.rows:,} events have {name}s written as "
                f"numbers with .0, such as {about.example!r}, which is another {name} than "
                f"{plain!r}; if they are the same, write them alike in all files"
            )
        return notes
