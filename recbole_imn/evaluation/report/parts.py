"""What a report is made of: titles, sentences and tables of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recbole_imn.evaluation.metrics import Reals

METRICS = {
    "recall@10": "Recall@10",
    "ndcg@10": "NDCG@10",
    "recall@20": "Recall@20",
    "ndcg@20": "NDCG@20",
    "mrr@10": "MRR@10",
}
#: Behind the title of every table that puts a simulated market beside the paper's logs.
SIMULATED = "simulated, not comparable"
PROTOCOLS = {
    "all": "the whole catalogue ranked",
    "on_shelf": "only the items on the shelf ranked",
}


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
    # In order of size, so that the order of seeds changes no bit.
    ordered = np.sort(values)
    text = f"{ordered.mean():.4f}"
    if len(values) > 1:
        text += f" ± {ordered.std(ddof=1):.4f}"
    return f"**{text}**" if best else text
