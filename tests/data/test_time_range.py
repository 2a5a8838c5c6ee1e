"""Which ranges of times are no seconds."""

import numpy as np
import pytest

from recbole_imn.data.time_range import YEAR, suspicious

NOW = 1.5e9


def spread(start: float, years: float, n: int = 1000) -> np.ndarray:
    return start + np.sort(np.random.default_rng(0).random(n)) * years * YEAR


@pytest.mark.parametrize("years", [1e-6, 0.01, 1, 20, 50])
@pytest.mark.parametrize("start", [0.0, NOW, -NOW, -62135596800.0 + NOW, 6.2e10])
def test_logs_in_seconds_pass(start, years):
    assert suspicious(spread(start, years)) is None


@pytest.mark.parametrize("few", [[], [0.0], [5.0, 5.0], [0.0, 1.0, 86400.0, 1e7]])
def test_small_logs_pass(few):
    assert suspicious(np.array(few)) is None


@pytest.mark.parametrize(
    ("factor", "unit"), [(1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds")]
)
def test_another_unit_is_named_with_its_dates(factor, unit):
    message = suspicious(spread(NOW, 1) * factor)
    assert f"as {unit} they are 2017-07-1" in message
    assert "to 2018-07-1" in message


def test_other_units_from_zero_are_a_log_of_centuries():
    assert "years if they are seconds" in suspicious(spread(0, 1) * 1e3)


def test_a_row_in_seconds_among_milliseconds():
    times = spread(NOW, 1)
    mixed = suspicious(np.append(times * 1e3, NOW))
    assert "as milliseconds" in mixed
    assert "1 of 1001 are not, 1500000000 (2017-07-14 if counted from 1970)" in mixed
    # The same after both were divided by 1000.
    divided = suspicious(np.append(times, NOW / 1e3))
    assert divided.startswith("1 of 1001 times are 47 years away from all others: 1500000 (1970-01")


def test_a_row_in_milliseconds_among_seconds():
    assert "as milliseconds" in suspicious(np.append(spread(NOW, 1), NOW * 1e3))


def test_unknown_times_written_as_zero():
    assert "2 of 1002 times are 48 years away" in suspicious(np.append(spread(NOW, 1), [0, 0]))


def test_what_is_not_finite_is_left_out():
    assert suspicious(np.array([np.nan, np.inf, 1.0])) is None
    assert "no seconds of any date" in suspicious(np.array([1e300, 1.0, np.nan]))
