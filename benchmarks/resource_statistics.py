"""Intervals of what is gained on simulated markets, and how gains grow with their strength."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.resource_markets import Market
from recbole_imn.evaluation.significance import Figure, mean_interval
from recbole_imn.log import Floats

# On each market; nan where it has no rows.
Gains = Mapping[Market, float]


def over_markets(values: npt.ArrayLike) -> Figure:
    """Give the mean over markets with Student's interval; what is the same everywhere has none."""
    gained = np.asarray(values, np.float64)
    gained = gained[~np.isnan(gained)]
    if len(gained) == 0:
        return Figure(np.nan, np.nan, np.nan)
    if np.ptp(gained) == 0:
        return Figure(float(gained.mean()), np.nan, np.nan)
    return mean_interval(gained)


def by_strength(gains: Gains) -> dict[float, Figure]:
    """Give the mean gain at each strength, in increasing order."""
    strengths = sorted({market.strength for market in gains})
    return {
        strength: over_markets([gain for at, gain in gains.items() if at.strength == strength])
        for strength in strengths
    }


def slopes(gains: Gains) -> Floats:
    """Give what a unit of strength adds to the gain, for each seed of markets, float64 [n].

    Markets of one seed share their users and cars, and trainings on them a seed, at whatever
    strength, so that a seed is one value, by least squares over strengths. Only seeds with rows
    at every strength are looked at; there are none where there is a single strength.
    """
    strengths = np.array(sorted({market.strength for market in gains}))
    if len(strengths) < 2:
        return np.zeros(0)
    of_seeds: dict[int, dict[float, float]] = {}
    for market, gain in gains.items():
        if not np.isnan(gain):
            of_seeds.setdefault(market.seed, {})[market.strength] = gain
    lines = [line for line in of_seeds.values() if len(line) == len(strengths)]
    centred = strengths - strengths.mean()
    weights = centred / np.square(centred).sum()
    return np.array([weights @ np.array([line[s] for s in strengths]) for line in lines])


def p_value(values: Floats) -> float:
    """Give Student's two-sided p-value of a mean of 0; 1 for fewer than two values."""
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(values, 0.0).pvalue) if len(values) > 1 else 1.0
