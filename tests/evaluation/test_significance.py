"""Paired tests and intervals."""

import numpy as np
import pytest

from recbole_imn.evaluation.significance import compare, holm, user_interval

USERS = np.array([f"u{number % 40}" for number in range(400)], object)


def test_holm_steps_down():
    # 0.01 * 3, then at least as much: 0.02 * 2, 0.03 * 1 -> 0.04.
    assert holm([0.02, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_a_better_model_is_found_better():
    rng = np.random.default_rng(1)
    baseline = rng.integers(1, 40, 400).astype(float)
    better = np.maximum(baseline - 5, 1)
    found = compare("better", "baseline", [better], [baseline], USERS)
    assert 0 < found.low < found.difference < found.high
    assert found.reciprocal == pytest.approx((1 / better - 1 / baseline).mean())
    assert found.p_value < 1e-6


def test_equal_models_do_not_differ():
    rank = np.arange(1.0, 401.0)
    found = compare("one", "two", [rank, rank], [rank], USERS)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_seeds_are_averaged_in_every_row():
    good, bad = np.ones(400), np.full(400, np.inf)
    found = compare("one", "two", [good, bad], [good], USERS)
    assert found.difference == pytest.approx(-0.5)


def test_intervals_resample_users_not_rows():
    # All rows of a user are alike: the interval must be as wide as for a row a user.
    values = (np.arange(400) % 40 < 20).astype(float)
    low, high = user_interval(values, USERS)
    assert high - low > 0.2
    rows_as_users = np.array([str(number) for number in range(400)], object)
    narrow = user_interval(values, rows_as_users)
    assert narrow[1] - narrow[0] < 0.5 * (high - low)


def test_one_user_has_no_interval():
    assert user_interval(np.array([0.0, 1.0]), np.array(["u", "u"], object)) == (0.5, 0.5)
