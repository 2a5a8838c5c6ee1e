"""Scores become probabilities, and the likeliest temperature is found."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recbole_imn.errors import ServingError
from recbole_imn.serving.allocation import calibrate, fit_temperature

tables = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(1, 40)),
    elements=st.one_of(st.floats(-700, 700), st.just(-np.inf)),
)


@settings(deadline=None)
@given(tables, st.floats(0.01, 100), st.floats(-100, 100))
def test_rows_are_probabilities_whatever_their_constant(scores, temperature, constant):
    found = calibrate(scores, temperature)
    some = np.isfinite(scores).any(axis=1)
    np.testing.assert_allclose(found.sum(axis=1), some.astype(float), rtol=1e-12)
    assert (found[np.isneginf(scores)] == 0).all()
    shifted = calibrate(scores + constant, temperature)
    np.testing.assert_allclose(shifted, found, rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(tables)
def test_a_row_depends_on_no_other(scores):
    together = calibrate(scores)
    for row in range(len(scores)):
        assert calibrate(scores[row : row + 1]).tobytes() == together[row].tobytes()


def test_a_small_table():
    found = calibrate(np.log([[1.0, 3.0], [5.0, 5.0]]))
    np.testing.assert_allclose(found, [[0.25, 0.75], [0.5, 0.5]])
    sharper = calibrate(np.log([[1.0, 3.0]]), temperature=0.5)
    np.testing.assert_allclose(sharper, [[0.1, 0.9]])


def test_the_temperature_of_scores_that_were_scaled_is_found():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 8))
    true = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_temperature(logits * 3, true) == pytest.approx(3, rel=0.05)
    assert fit_temperature(logits / 4 + 7, true) == pytest.approx(1 / 4, rel=0.05)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_no_other_temperature_is_likelier(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(30, 5)) * rng.uniform(0.1, 10)
    scores[:, 4] = np.where(rng.random(30) < 0.5, -np.inf, scores[:, 4])
    true = rng.integers(0, 4, 30)
    true[:15] = scores[:15, :4].argmax(axis=1)
    right = scores[np.arange(30), true] == scores.max(axis=1)
    assume(not right.all() and _gain_over_chance(scores, true) > 0)
    found = fit_temperature(scores, true)
    best = _log_likelihood(scores, true, found)
    assert best >= _log_likelihood(scores, true, found * 1.05)
    assert best >= _log_likelihood(scores, true, found / 1.05)


def _gain_over_chance(scores, true):
    known = np.where(np.isfinite(scores), scores, np.nan)
    return (scores[np.arange(len(true)), true] - np.nanmean(known, axis=1)).mean()


def _log_likelihood(scores, true, temperature):
    return np.log(calibrate(scores, temperature)[np.arange(len(true)), true]).sum()


def test_scores_without_a_likeliest_temperature_are_refused():
    scores = np.array([[1.0, 0.0], [1.0, 0.0]])
    with pytest.raises(ServingError, match="right in each of 2 rows"):
        fit_temperature(scores, [0, 0])
    with pytest.raises(ServingError, match="no better than chance"):
        fit_temperature(scores, [0, 1])
    with pytest.raises(ServingError, match="no better than chance"):
        fit_temperature(scores, [1, 1])


@pytest.mark.parametrize("place", [2, -1, 1])
def test_a_true_item_is_a_candidate(place):
    with pytest.raises(ServingError, match=f"true_places has {place} for row 0"):
        fit_temperature(np.array([[0.0, -np.inf]]), [place])


@pytest.mark.parametrize("wrong", ["a", None, True, 0, [1]])
def test_what_is_no_temperature_is_refused(wrong):
    with pytest.raises(ServingError, match=r"temperature is .*; it is a number above 0"):
        calibrate([[1.0, 2.0]], wrong)


def test_what_is_no_number_is_refused():
    with pytest.raises(ServingError, match=r"scores is \[\['a'\]\]; give numbers"):
        calibrate([["a"]])
    for wrong in (["a"], [0.5], [np.inf]):
        with pytest.raises(ServingError, match="true_places is"):
            fit_temperature([[1.0, 2.0]], wrong)


def test_what_is_no_score_is_refused():
    with pytest.raises(ServingError, match="row 0, column 1 is nan"):
        calibrate([[0.0, np.nan]])
    with pytest.raises(ServingError, match="shape"):
        calibrate([0.0])
    with pytest.raises(ServingError, match="temperature is 0"):
        calibrate([[0.0]], temperature=0)
    with pytest.raises(ServingError, match="true_places have shape"):
        fit_temperature([[0.0]], [0, 0])
