"""What a report is made of: titles, sentences and tables of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recbole_imn.evaluation.significance import Comparison
from recbole_imn.log import Floats
from recbole_imn.pages import Table

__all__ = ["METRICS", "RANKED", "SIMULATED", "Against", "Contents", "Section", "Table", "spread"]

METRICS = {
    "recall@10": "Recall@10",
    "ndcg@10": "NDCG@10",
    "recall@20": "Recall@20",
    "ndcg@20": "NDCG@20",
    "mrr@10": "MRR@10",
}
#: Behind the title of every table that puts a simulated market beside the paper's logs.
SIMULATED = "simulated, not comparable"
#: What is ranked, in words.
RANKED = {
    "all": "the whole catalogue ranked",
    "on_shelf": "only the items on the shelf ranked",
}


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    title : str
    sentences : list of str
        A paragraph each.
    table : Table, optional
    kind : str
        What it is about, by which a page with plots finds it.
    protocol : str
        Of its figures; empty where they are of none.
    """

    title: str
    sentences: list[str]
    table: Table | None = None
    kind: str = ""
    protocol: str = ""


@dataclass(frozen=True)
class Against:
    """Every system beside the strongest baseline.

    Attributes
    ----------
    baseline : str
        The system.
    found : mapping of str to Comparison
        By the system that is compared with it, p-values corrected together.
    """

    baseline: str
    found: Mapping[str, Comparison]


@dataclass(frozen=True)
class Contents:
    """The whole report.

    Attributes
    ----------
    title : str
    notices : list of str
    sections : list of Section
    against : mapping of str to Against
        By protocol; without those in which there is nothing to compare.
    """

    title: str
    notices: list[str]
    sections: list[Section]
    against: Mapping[str, Against] = field(default_factory=dict)

    def of(self, kind: str, protocol: str = "") -> list[Section]:
        """Give the sections of a kind, in order."""
        return [one for one in self.sections if (one.kind, one.protocol) == (kind, protocol)]


def mean_text(mean: float | None) -> str:
    """Give a mean as text, - where there is none."""
    return "-" if mean is None else f"{mean:.4f}"


def spread(values: Floats, best: bool = False) -> str:
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
