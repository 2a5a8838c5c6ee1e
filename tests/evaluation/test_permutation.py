"""Sign flips over users, against scipy and against worlds counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from recbole_imn.evaluation import permutation
from recbole_imn.evaluation.permutation import sign_flip_p_value, sums_by_user


def users_of(*counts):
    """Names of users with so many rows each."""
    return np.repeat([f"u{number}" for number in range(len(counts))], counts).astype(object)


def scipy_p_value(differences, users, n_resamples):
    sums = np.array([differences[users == name].sum() for name in np.unique(users.astype(str))])
    found = permutation_test(
        (sums,),
        lambda values, axis: values.sum(axis=axis) / len(differences),
        permutation_type="samples",
        vectorized=True,
        n_resamples=n_resamples,
        rng=np.random.default_rng(5),
    )
    return found.pvalue


def test_worlds_counted_by_hand():
    # Sums 3, 1 and 1: of eight worlds, +++ and --- are 5 away from zero, ++-, +-+ and theirs 3.
    differences = np.array([1.0, 2.0, 1.0, 1.0])
    assert sign_flip_p_value(differences, users_of(2, 1, 1)) == 2 / 8
    assert sign_flip_p_value(np.array([3.0, 0.0, 1.0, -1.0]), users_of(2, 1, 1)) == 6 / 8


def test_users_are_flipped_whole_and_not_their_rows():
    differences = np.ones(12)
    assert sign_flip_p_value(differences, users_of(4, 4, 4)) == 2 / 8
    assert sign_flip_p_value(differences, users_of(*[1] * 12)) == 2 / 2**12


@pytest.mark.parametrize("seed", range(5))
def test_few_users_have_scipys_exact_p_value(seed):
    rng = np.random.default_rng(seed)
    users = users_of(*rng.integers(1, 5, 10))
    differences = rng.normal(0.3, 1, len(users))
    expected = scipy_p_value(differences, users, np.inf)
    assert sign_flip_p_value(differences, users) == pytest.approx(expected, abs=1e-12)


def test_many_users_have_scipys_p_value_but_for_chance():
    rng = np.random.default_rng(3)
    users = users_of(*rng.integers(1, 4, 60))
    differences = rng.normal(0.12, 1, len(users))
    expected = scipy_p_value(differences, users, 40_000)
    assert 0.05 < expected < 0.6
    # Four standard errors of a share of 10,000 worlds.
    assert sign_flip_p_value(differences, users) == pytest.approx(expected, abs=0.02)


def test_the_border_between_all_worlds_and_random_ones():
    differences = np.ones(14)
    most = sign_flip_p_value(differences[:13], users_of(*[1] * 13))
    assert most == 2 / 2**13
    drawn = sign_flip_p_value(differences, users_of(*[1] * 14))
    worlds = permutation.PERMUTATIONS + 1
    assert 1 / worlds <= drawn <= 10 / worlds
    assert drawn * worlds == pytest.approx(round(drawn * worlds))


def test_many_users_are_compared_in_little_memory(monkeypatch):
    rng = np.random.default_rng(8)
    users = users_of(*[1] * 50)
    differences = rng.normal(0.2, 1, 50)
    monkeypatch.setattr(permutation, "MOST_SIGNS", 500)
    shapes = []
    share = permutation._share
    monkeypatch.setattr(
        permutation,
        "_share",
        lambda worlds, *rest: share((shapes.append(one.shape) or one for one in worlds), *rest),
    )
    found = sign_flip_p_value(differences, users)
    assert {rows for rows, _ in shapes} == {1, 10, 9}
    assert sum(rows for rows, _ in shapes) == permutation.PERMUTATIONS + 1
    assert found == pytest.approx(scipy_p_value(differences, users, 40_000), abs=0.02)


def test_no_difference_is_none_whatever_rounding_leaves():
    users = users_of(2, 3)
    assert sign_flip_p_value(np.zeros(5), users) == 1
    noise = np.array([0.3, -(0.1 + 0.2), 1e-17, 0.0, 0.0])
    assert noise.any()
    assert sign_flip_p_value(noise, users) == 1


def test_p_values_of_equal_systems_are_uniform():
    """Of 200 comparisons of equally good systems about one in ten is below 0.1."""
    rng = np.random.default_rng(0)
    users = users_of(*[2] * 10)
    found = [sign_flip_p_value(rng.normal(size=20), users) for _ in range(200)]
    assert 8 <= sum(p <= 0.1 for p in found) <= 34


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.floats(-1, 1)), min_size=1, max_size=80),
    st.randoms(use_true_random=False),
)
def test_neither_the_order_of_rows_nor_that_of_systems_changes_a_bit(rows, random):
    def p_value(pairs, sign=1):
        users = np.array([f"u{user}" for user, _ in pairs], object)
        return sign_flip_p_value(np.array([sign * value for _, value in pairs]), users)

    mixed = random.sample(rows, len(rows))
    found = p_value(rows)
    assert 0 < found <= 1
    assert p_value(mixed) == found
    assert p_value(rows, sign=-1) == found


def test_sums_are_those_of_each_user_by_name():
    names, sums = sums_by_user(np.array([1.0, 2.0, 4.0]), np.array(["b", 7, "b"], object))
    assert (names.tolist(), sums.tolist()) == (["7", "b"], [2.0, 5.0])
