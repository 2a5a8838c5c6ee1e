"""Intervals over simulated markets, and slopes over their strengths."""

import numpy as np
import pytest

from benchmarks.resource_markets import Market
from benchmarks.resource_statistics import by_strength, over_markets, p_value, slopes

# Student's t of 97.5% with two degrees of freedom, of a mean of three.
HALF = 4.302653 / np.sqrt(3)
NAN = float("nan")


def gains(lines):
    """Give gains by market from those of seeds 1, 2, ... at each strength."""
    return {
        Market(0.01, strength, seed): gain
        for strength, line in lines.items()
        for seed, gain in enumerate(line, start=1)
    }


def test_intervals_are_students_over_markets():
    found = over_markets([1.0, 2.0, 3.0])
    assert (found.mean, found.low, found.high) == pytest.approx((2, 2 - HALF, 2 + HALF))


def test_one_market_equal_ones_and_none_have_no_interval():
    assert str(over_markets([0.5])) == str(over_markets([0.5, 0.5])) == "+0.5000"
    assert np.isnan(over_markets([]).mean)
    assert np.isnan(over_markets([NAN, NAN]).mean)


def test_markets_without_rows_are_left_out():
    assert over_markets([1.0, NAN, 2.0, 3.0]) == over_markets([1.0, 2.0, 3.0])
    found = by_strength(gains({4.0: [NAN, 2.0], 0.0: [1.0, 3.0]}))
    assert [(strength, figure.mean) for strength, figure in found.items()] == [(0, 2), (4, 2)]


def test_a_slope_is_of_each_seed():
    # By 1, 2 and 3 a unit of strength, from levels that differ far more.
    found = slopes(gains({s: [10 + s, 2 * s, 3 * s - 40] for s in (0.0, 1.0, 4.0)}))
    assert found == pytest.approx([1, 2, 3])


def test_seeds_with_a_strength_missing_have_no_slope():
    lines = {0.0: [0.0, 0.0, NAN], 2.0: [2.0, 4.0, 100.0]}
    assert slopes(gains(lines)).tolist() == [1, 2]
    assert slopes(gains({1.0: [1.0, 2.0]})).tolist() == []
    assert slopes(gains({0.0: [NAN], 1.0: [1.0]})).tolist() == []


def test_the_p_value_is_that_of_the_interval():
    """Where the 95% interval just reaches 0, it is 5%."""
    assert p_value(np.array([1.0, 2.0, 3.0]) - 2 + HALF) == pytest.approx(0.05, abs=1e-6)
    assert p_value(np.array([1.0])) == p_value(np.zeros(0)) == 1
