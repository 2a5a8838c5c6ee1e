"""Intervals of differences that are paired by market and user, and how they grow with a dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.evaluation.significance import Figure

RESAMPLES = 2_000
Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Differences:
    """Differences of a metric between two systems on the rows of one market.

    Attributes
    ----------
    values : float64 [n_rows]
    users : int64 [n_rows]
        The user of each row.
    """

    values: Reals
    users: Integers

    def __getitem__(self, kept: npt.NDArray[np.bool_]) -> Differences:
        return Differences(self.values[kept], self.users[kept])


def resampled(markets: Sequence[Differences], seed: int = 0) -> Reals:
    """Give means over markets of means over rows, with both resampled, float64 [2000].

    Markets are drawn first, as they are the clusters, and then users of each drawn market,
    with all of their rows. Markets without rows are left out.
    """
    rng = np.random.default_rng(seed)
    kept = [market for market in markets if len(market.values)]
    means = np.stack([_over_users(market, rng) for market in kept])
    drawn = rng.integers(0, len(kept), (RESAMPLES, len(kept)))
    picked = rng.integers(0, RESAMPLES, drawn.shape)
    result: Reals = means[drawn, picked].mean(axis=1)
    return result


def _over_users(market: Differences, rng: np.random.Generator) -> Reals:
    """Give means over the rows of users drawn with replacement, float64 [2000]."""
    _, places = np.unique(market.users, return_inverse=True)
    sums, counts = np.bincount(places, weights=market.values), np.bincount(places)
    n = len(sums)
    times = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    means: Reals = (times @ sums) / (times @ counts)
    return means


def mean_over_markets(markets: Sequence[Differences]) -> float:
    """Give the mean over markets of means over rows; nan without any rows."""
    means = [market.values.mean() for market in markets if len(market.values)]
    return float(np.mean(means)) if means else np.nan


def figure(markets: Sequence[Differences]) -> Figure:
    """Give the mean difference with its interval, which a single market does not have."""
    mean = mean_over_markets(markets)
    if sum(len(market.values) > 0 for market in markets) < 2:
        return Figure(mean, np.nan, np.nan)
    return _figure(mean, resampled(markets))


def slope(doses: dict[float, Sequence[Differences]]) -> Figure:
    """Give what a unit of dose adds to the difference, by least squares over doses.

    Parameters
    ----------
    doses : dict of float to sequence of Differences
        The markets of each dose.
    """
    means = np.array([mean_over_markets(markets) for markets in doses.values()])
    strengths = np.array(list(doses))
    if len(doses) < 2 or any(len(markets) < 2 for markets in doses.values()):
        return Figure(np.nan, np.nan, np.nan)
    # Doses have markets of their own: each gets draws that know nothing of the others.
    drawn = np.stack([resampled(markets, number) for number, markets in enumerate(doses.values())])
    centred = strengths - strengths.mean()
    weights = centred / np.square(centred).sum()
    return _figure(float(weights @ means), weights @ drawn)


def _figure(mean: float, drawn: Reals) -> Figure:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(mean, float(low), float(high))
