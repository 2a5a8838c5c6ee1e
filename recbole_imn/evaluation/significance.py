"""Whether two models differ on the same rows: paired tests and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.evaluation.metrics import Reals
from recbole_imn.evaluation.permutation import TOLERANCE, sign_flip_p_value
from recbole_imn.rank_metrics import rank_metric

RESAMPLES = 2000


@dataclass(frozen=True)
class Comparison:
    """One model against another on the same rows.

    Attributes
    ----------
    model, baseline : str
    difference : float
        Mean over rows of the metric, NDCG@10 by default, of the model minus the baseline's.
    low, high : float
        95% interval of the difference, by resampling users; nan where there is a single one.
    p_value : float
        Two-sided, of the same difference, by flipping the signs of users
        (:func:`~recbole_imn.evaluation.permutation.sign_flip_p_value`).
    corrected : float
        The same after Holm's correction over all comparisons of a table.
    """

    model: str
    baseline: str
    difference: float
    low: float
    high: float
    p_value: float
    corrected: float = float("nan")

    @property
    def interval(self) -> str:
        """The interval as text."""
        return f"{self.low:+.4f} to {self.high:+.4f}" if self.low <= self.high else "of one user"

    @property
    def figure(self) -> Figure:
        """Difference and interval."""
        return Figure(self.difference, self.low, self.high)


def compare(
    model: str,
    baseline: str,
    ranks: Sequence[Reals],
    others: Sequence[Reals],
    users: npt.NDArray[np.object_],
    metric: str = "ndcg@10",
) -> Comparison:
    """Compare two models row by row, the seeds of each averaged in every row.

    Difference, interval and p-value are of one metric, and users are independent, their rows
    are not. The order of seeds changes no bit; the two models exchanged change the signs.

    Parameters
    ----------
    model, baseline : str
        Names for the result.
    ranks, others : sequence of float64 [n_rows]
        Ranks of the model and of the baseline, one array a seed.
    users : object [n_rows]
        The user of each row.
    metric : str
        Such as ``ndcg@10``; ``fullmrr`` has no cut.
    """
    gain = mean_gain(ranks, metric) - mean_gain(others, metric)
    low, high = user_interval(gain, users)
    return Comparison(
        model=model,
        baseline=baseline,
        difference=float(gain.mean()),
        low=low,
        high=high,
        p_value=sign_flip_p_value(gain, users),
    )


def user_interval(values: Reals, users: npt.NDArray[np.object_]) -> tuple[float, float]:
    """Give a 95% interval of the mean over rows by resampling whole users.

    Parameters
    ----------
    values : float64 [n_rows]
    users : object [n_rows]

    Returns
    -------
    low, high : float
        nan where all rows are of one user; both the mean itself where all users are alike.
    """
    from scipy.stats import bootstrap

    _, group = np.unique(users.astype(str), return_inverse=True)
    sums, counts = np.bincount(group, weights=values), np.bincount(group)
    mean = float(sums.sum() / counts.sum())
    if len(sums) == 1:
        return float("nan"), float("nan")
    if np.allclose(sums, mean * counts, rtol=0, atol=TOLERANCE):
        return mean, mean
    interval = bootstrap(
        (sums, counts),
        lambda total, number, axis: total.sum(axis=axis) / number.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=100,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class Figure:
    """A mean with a 95% interval; ``low`` and ``high`` are nan where there is none."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Give the figure with its sign, and the interval in brackets."""
        if np.isnan(self.low):
            return f"{self.mean:+.4f}"
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def mean_interval(values: Reals) -> Figure:
    """Give the mean of few independent values with Student's t interval.

    Parameters
    ----------
    values : float64 [n]
        A single one has no interval.
    """
    from scipy.stats import ttest_1samp

    if len(values) < 2:
        return Figure(float(values.mean()), np.nan, np.nan)
    interval = ttest_1samp(values, 0.0).confidence_interval()
    return Figure(float(values.mean()), float(interval.low), float(interval.high))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for the number of tests by Holm's step-down method."""
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.maximum.accumulate(np.asarray(p_values, float)[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1)
    return [float(value) for value in corrected]


def mean_gain(ranks: Sequence[Reals], metric: str) -> Reals:
    """Give a metric of each row, the seeds averaged, float64 [n_rows].

    Parameters
    ----------
    ranks : sequence of float64 [n_rows]
        One array a seed.
    metric : str
        Such as ``ndcg@10``, or ``fullmrr``.
    """
    gains = np.stack([rank_metric(metric)(rank) for rank in ranks])
    # In order of size, so that the order of seeds changes no bit.
    mean: Reals = np.sort(gains, axis=0).mean(axis=0)
    return mean
