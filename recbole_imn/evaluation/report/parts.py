"""What a report is made of: titles, sentences and tables of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recbole_imn.evaluation.metrics import Reals


@dataclass(frozen=True)
class Table:
    """A table of text; the first column names the rows.

    Attributes
    ----------
    columns : tuple of str
    rows : sequence of tuple of str
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    title : str
    sentences : list of str
        A paragraph each.
    table : Table, optional
    """

    title: str
    sentences: list[str]
    table: Table | None = None


@dataclass(frozen=True)
class Contents:
    """The whole report."""

    title: str
    notices: list[str]
    sections: list[Section]


def spread(values: Reals, best: bool = False) -> str:
    """Give mean and deviation over seeds, in bold if it is the best; one has no deviation.

    Parameters
    ----------
    values : float64 [n_seeds]
    best : bool
    """
    text = f"{np.mean(values):.4f}"
    if len(values) > 1:
        text += f" ± {values.std(ddof=1):.4f}"
    return f"**{text}**" if best else text
