"""Whether two models differ on the same rows: paired tests and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.evaluation.permutation import TOLERANCE, sign_flip_p_value
from recbole_imn.log import Floats
from recbole_imn.rank_metrics import rank_metric

RESAMPLES = 2000


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

    @property
    def interval(self) -> str:
        """The interval as text."""
        return interval(self.low, self.high, "+")


@dataclass(frozen=True)
class Comparison:
    """One model against another on the same rows.

    Attributes
    ----------
    model, baseline : str
    figure : Figure
        Of :func:`paired`: the metric, NDCG@10 by default, of the model minus the baseline's.
    p_value : float
        Two-sided, of the same difference, by flipping the signs of users
        (:func:`~recbole_imn.evaluation.permutation.sign_flip_p_value`).
    corrected : float
        The same after Holm's correction over all comparisons of a table.
    """

    model: str
    baseline: str
    figure: Figure
    p_value: float
    corrected: float = float("nan")

    @property
    def difference(self) -> float:
        """Mean over rows of the metric of the model minus the baseline's."""
        return self.figure.mean

    @property
    def low(self) -> float:
        """Lower end of the 95% interval; nan where there is a single user."""
        return self.figure.low

    @property
    def high(self) -> float:
        """Upper end of the 95% interval; nan where there is a single user."""
        return self.figure.high


def compare(
    model: str,
    baseline: str,
    ranks: Sequence[Floats],
    others: Sequence[Floats],
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
    figure, difference = paired(gains(ranks, metric), gains(others, metric), users)
    return Comparison(model, baseline, figure, sign_flip_p_value(difference, users))


def paired(
    ours: Sequence[Floats], others: Sequence[Floats], users: npt.NDArray[np.object_]
) -> tuple[Figure, Floats]:
    """Give what one side has more than another in every row, seeds averaged, and its mean.

    Parameters
    ----------
    ours, others : sequence of float64 [n_rows]
        One array a seed.
    users : object [n_rows]

    Returns
    -------
    figure : Figure
        The mean over rows with the interval of :func:`paired_interval`.
    difference : float64 [n_rows]
    """
    difference: Floats = averaged(ours) - averaged(others)
    mean, ends = float(difference.mean()), paired_interval(ours, others, users)
    return Figure(mean, *ends), difference


def user_interval(values: Floats, users: npt.NDArray[np.object_]) -> tuple[float, float]:
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
    return paired_interval([values], [], users)


def paired_interval(
    ours: Sequence[Floats], others: Sequence[Floats], users: npt.NDArray[np.object_]
) -> tuple[float, float]:
    """Give a 95% interval of a difference of means over rows, by resampling users and seeds.

    Whole users are drawn, the same for both sides, and from the seeds of either side as many as
    it has: a method that was trained again would have other figures. Of a single seed nobody
    knows how much they differ, so that its interval is that of the users alone; of three it is
    too narrow still.

    Parameters
    ----------
    ours, others : sequence of float64 [n_rows]
        One array a seed; without any of ``others``, the interval is that of the mean of ``ours``.
    users : object [n_rows]

    Returns
    -------
    low, high : float
        nan where all rows are of one user; both the difference itself where all users and seeds
        are alike. The order of seeds changes no bit.
    """
    from scipy.stats import bootstrap

    _, group = np.unique(users.astype(str), return_inverse=True)
    counts = np.bincount(group)
    if len(counts) == 1:
        return float("nan"), float("nan")
    mine, theirs = _sums(ours, group), _sums(others, group)
    nothing = np.zeros(len(counts))
    differences = np.stack([one - other for one in mine for other in theirs or [nothing]])
    mean = float(differences.mean(axis=0).sum() / counts.sum())
    if np.allclose(differences, mean * counts, rtol=0, atol=TOLERANCE):
        return mean, mean
    seeds = np.random.default_rng(1)

    def difference(*parts: Floats, axis: int) -> Floats:
        *totals, number = (part.sum(axis=axis) for part in parts)
        means = np.stack(totals) / number
        found: Floats = _drawn(means[: len(mine)], seeds) - _drawn(means[len(mine) :], seeds)
        return found

    ends = bootstrap(
        (*mine, *theirs, counts),
        difference,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=100,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(ends.low), float(ends.high)


def _sums(values: Sequence[Floats], group: npt.NDArray[np.intp]) -> list[Floats]:
    """Give the sums of users, a row a seed; seeds in an order of their values."""
    sums: list[Floats] = [np.bincount(group, weights=one).astype(np.float64) for one in values]
    return sorted(sums, key=lambda one: one.tolist())


def _drawn(means: Floats, rng: np.random.Generator) -> Floats:
    """Draw as many seeds as there are for every resample, and average them; 0 without seeds."""
    if not len(means):
        return np.zeros(means.shape[1:])
    places = rng.integers(len(means), size=means.shape)
    mean: Floats = np.take_along_axis(means, places, axis=0).mean(axis=0)
    return mean


def interval(low: float, high: float, sign: str = "") -> str:
    """Write an interval, with signs if ``sign`` is ``+``; ``of one user`` where there is none."""
    return f"{low:{sign}.4f} to {high:{sign}.4f}" if low <= high else "of one user"


def mean_interval(values: Floats) -> Figure:
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


def averaged(seeds: Sequence[Floats]) -> Floats:
    """Average what seeds have of each row, float64 [n_rows]; their order changes no bit."""
    mean: Floats = np.sort(np.stack(seeds), axis=0).mean(axis=0)
    return mean


def gains(ranks: Sequence[Floats], metric: str) -> list[Floats]:
    """Give a metric of each row, float64 [n_rows] a seed."""
    return [rank_metric(metric)(rank) for rank in ranks]
