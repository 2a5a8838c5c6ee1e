"""Search for the proportions by which validation rows are ranked best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recbole_imn.log import Floats, Integers
from recbole_imn.model.calibration.calibration import Proportions, Slots
from recbole_imn.model.calibration.moves import coordinates
from recbole_imn.model.calibration.ranking import ranks_of
from recbole_imn.model.calibration.rows import MOST_RANKS, SearchedRows
from recbole_imn.rank_metrics import RankMetric

SWEEPS = 3
# So many standard errors a change must gain: of many that gain nothing, the best gains one.
ERRORS = 2.0


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    proportions : Proportions
    score, neutral_score : float
        The metric over the rows that were looked at, with and without these proportions.
    n_rows : int
    """

    proportions: Proportions
    score: float
    neutral_score: float
    n_rows: int

    def told(self, sources: Sequence[str], metric: str) -> str:
        """Say what was found in one line."""
        parts = zip(sources, self.proportions.scale, self.proportions.offset, strict=True)
        each = ", ".join(f"{name} x{scale:.3g} {offset:+.4g}" for name, scale, offset in parts)
        return (
            f"calibration: {each}, recency {self.proportions.recency:.4g}; {metric} "
            f"{self.neutral_score:.4f} -> {self.score:.4f} on {self.n_rows:,} rows"
        )


def search_proportions(
    rows: SearchedRows, slots: Slots, by_recency: Sequence[bool], metric: RankMetric
) -> Found:
    """Try changes of each coordinate in turn, from none at all; keep the best that is sure.

    A change is sure if the metric rises by more than :data:`ERRORS` standard errors of the
    difference, which are those over users. The same rows give the same proportions.

    Parameters
    ----------
    rows : SearchedRows
    slots : Slots
    by_recency : sequence of bool
        Of each source.
    metric : RankMetric
        Ranks below :data:`~recbole_imn.model.calibration.rows.MOST_RANKS` are worth nothing.
    """
    top = min(metric.top, MOST_RANKS)

    def values_at(found: Proportions) -> Floats:
        return metric(ranks_of(rows, slots, found, top))

    now, given = Proportions.neutral(len(by_recency)), coordinates(rows, slots, by_recency)
    values = neutral = values_at(now)
    for _ in range(SWEEPS):
        before = now
        for coordinate in given:
            tried = [(option, values_at(option)) for option in coordinate(now)]
            better = [one for one in tried if is_better(one[1] - values, rows.users)]
            # The first of equal ones.
            now, values = max(better, key=lambda one: one[1].mean(), default=(now, values))
        if now == before:
            break
    return Found(now, float(values.mean()), float(neutral.mean()), len(rows))


def is_better(difference: Floats, users: Integers) -> bool:
    """Whether a mean difference is more than :data:`ERRORS` standard errors above 0.

    Parameters
    ----------
    difference : float64 [n]
    users : int64 [n]
        Numbers from 0 on. Rows of one user are not independent of each other.
    """
    mean, n = difference.mean(), len(difference)
    if mean <= 0:
        return False
    sums = np.bincount(users, difference - mean)
    n_users = len(sums)
    if n_users < 2:
        return False
    error = np.sqrt((sums**2).sum() * n_users / (n_users - 1)) / n
    return bool(mean > ERRORS * error)
