"""Paired tests and intervals."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.evaluation.significance import (
    averaged,
    compare,
    gains,
    holm,
    paired_interval,
    user_interval,
)
from recbole_imn.rank_metrics import rank_metric

USERS = np.array([f"u{number % 40}" for number in range(400)], object)
PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_holm_steps_down():
    # 0.01 * 3, then at least as much: 0.02 * 2, 0.03 * 1 -> 0.04.
    assert holm([0.02, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(PROBABILITIES)
def test_holm_corrects_upwards_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    for raw, p in zip(p_values, corrected, strict=True):
        assert raw <= p <= min(1, raw * len(p_values))
    for (raw, p), (other, q) in itertools.pairwise(sorted(zip(p_values, corrected, strict=True))):
        assert raw <= other
        assert p <= q


@given(PROBABILITIES, st.randoms(use_true_random=False))
def test_holm_does_not_know_the_order_of_comparisons(p_values, random):
    places = random.sample(range(len(p_values)), len(p_values))
    mixed = holm([p_values[place] for place in places])
    assert mixed == [holm(p_values)[place] for place in places]


@given(PROBABILITIES)
def test_holm_rejects_what_the_procedure_in_words_rejects(p_values):
    """The smallest against level / m, the next against level / (m - 1), until one is above."""
    level, rejected = 0.05, []
    for place, p in enumerate(sorted(p_values)):
        if p * (len(p_values) - place) > level:
            break
        rejected.append(p)
    assert sum(p <= level for p in holm(p_values)) == len(rejected)


def test_a_better_model_is_found_better():
    rng = np.random.default_rng(1)
    baseline = rng.integers(1, 40, 400).astype(float)
    better = np.maximum(baseline - 5, 1)
    found = compare("better", "baseline", [better], [baseline], USERS)
    assert 0 < found.figure.low < found.figure.mean < found.figure.high
    assert found.p_value == 1e-4


def test_the_test_is_of_the_metric_that_is_named():
    """Ranks that differ beyond the cut alone do not differ by a metric with one."""
    deep, deeper = np.full(400, 30.0), np.full(400, 60.0)
    assert compare("one", "two", [deep], [deeper], USERS).p_value == 1
    assert compare("one", "two", [deep], [deeper], USERS, "fullmrr").p_value == 1e-4


def test_equal_models_do_not_differ():
    rank = np.arange(1.0, 401.0)
    found = compare("one", "two", [rank, rank, rank], [rank], USERS)
    assert found.figure.mean == pytest.approx(0, abs=1e-15)
    assert found.p_value == 1
    assert found.figure.low == found.figure.high == pytest.approx(0, abs=1e-15)


def test_seeds_are_averaged_in_every_row():
    good, bad = np.ones(400), np.full(400, np.inf)
    found = compare("one", "two", [good, bad], [good], USERS)
    assert found.figure.mean == pytest.approx(-0.5)


@pytest.mark.parametrize("metric", ["ndcg@10", "fullmrr"])
def test_the_order_of_seeds_changes_no_bit(metric):
    rng = np.random.default_rng(2)
    ours, theirs = ([rng.integers(1, 15, 400).astype(float) for _ in range(4)] for _ in range(2))
    found = compare("one", "two", ours, theirs, USERS, metric)
    for seeds in itertools.permutations(range(4)):
        ordered = ([side[seed] for seed in seeds] for side in (ours, theirs))
        assert compare("one", "two", *ordered, USERS, metric) == found


def test_the_other_model_first_has_the_other_sign_and_the_same_p_value():
    rng = np.random.default_rng(4)
    ours, theirs = ([rng.integers(1, 15, 400).astype(float) for _ in range(3)] for _ in range(2))
    found = compare("one", "two", ours, theirs, USERS)
    turned = compare("two", "one", theirs, ours, USERS)
    assert turned.p_value == found.p_value
    assert turned.figure.mean == -found.figure.mean


def test_the_mean_gain_is_that_of_each_seed():
    ranks = [np.array([1.0, 3.0, np.inf]), np.array([2.0, 3.0, 11.0])]
    expected = np.mean([rank_metric("ndcg@10")(rank) for rank in ranks], axis=0)
    assert averaged(gains(ranks, "ndcg@10")) == pytest.approx(expected)


def test_intervals_resample_users_not_rows():
    # All rows of a user are alike: the interval must be as wide as for a row a user.
    values = (np.arange(400) % 40 < 20).astype(float)
    low, high = user_interval(values, USERS)
    assert high - low > 0.2
    rows_as_users = np.array([str(number) for number in range(400)], object)
    narrow = user_interval(values, rows_as_users)
    assert narrow[1] - narrow[0] < 0.5 * (high - low)


def test_of_a_seed_each_the_interval_is_that_of_the_users():
    rng = np.random.default_rng(5)
    ours, others = rng.random((2, 400))
    expected = user_interval(ours - others, USERS)
    assert paired_interval([ours], [others], USERS) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("side", [0, 1])
def test_seeds_that_differ_make_an_interval_wider(side):
    """By as much as the mean of three of them, drawn with replacement, varies."""
    rng = np.random.default_rng(6)
    values = rng.random(400) / 10
    seeds = [values - 0.3, values, values + 0.3]
    sides = [[values], [values]]
    sides[side] = seeds
    low, high = paired_interval(*sides, USERS)
    drawn = [np.mean(three) for three in itertools.product((-0.3, 0.0, 0.3), repeat=3)]
    assert (low, high) == pytest.approx((min(drawn), max(drawn)), abs=1e-12)
    alone = paired_interval(seeds, [], USERS)
    assert alone[1] - alone[0] > 0.5


def test_one_user_has_no_interval():
    one = np.array(["u", "u"], object)
    assert np.isnan(user_interval(np.array([0.0, 1.0]), one)).all()
    compared = compare("a", "b", [np.array([1.0, 2.0])], [np.array([2.0, 2.0])], one)
    assert (compared.p_value, compared.figure.interval) == (1.0, "of one user")
    assert "[" not in str(compared.figure)


def test_small_differences_have_intervals_too():
    low, high = user_interval(np.array([1e-9, -1e-9, 3e-9]), np.array(["u", "v", "w"], object))
    assert -1e-9 <= low < high <= 3e-9
