"""The best places of rows, against sorting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recbole_imn.kernels.best_places import best_places

# Few values, so that many are equal; both zeros, and what has no end.
VALUES = st.sampled_from([0.0, -0.0, 1.0, -1.5, 2.0, -np.inf, np.inf])


@st.composite
def tables(draw):
    """Scores, and places that each row leaves out."""
    shape = draw(st.tuples(st.integers(0, 4), st.integers(0, 20)))
    scores = draw(arrays.arrays(np.float32, shape, elements=VALUES))
    n, m = shape
    out = [draw(st.lists(st.integers(0, m - 1), max_size=m + 2)) if m else [] for _ in range(n)]
    return scores, out


def flat(out):
    start = np.concatenate([[0], np.cumsum([len(row) for row in out])]).astype(np.int64)
    return np.array([place for row in out for place in row], np.int64), start


# The first example compiles the loop.
@settings(deadline=None)
@given(tables(), st.integers(1, 25))
def test_places_are_those_of_a_stable_sort(table, k):
    scores, out = table
    places, counts = best_places(scores, k, *flat(out))
    assert places.shape == (len(scores), min(k, scores.shape[1]))
    for row, values in enumerate(scores):
        order = [int(place) for place in np.argsort(-values, kind="stable")]
        expected = [place for place in order if place not in out[row]][:k]
        assert places[row, : counts[row]].tolist() == expected
        assert (places[row, counts[row] :] == -1).all()


def test_a_row_of_a_view_is_read_as_it_lies():
    scores = np.random.default_rng(0).normal(size=(6, 50)).astype(np.float32)
    none = flat([[]] * 6)
    places, _ = best_places(scores[:, 7:], 5, *none)
    assert np.array_equal(places, np.argsort(-scores[:, 7:], axis=1)[:, :5])


@pytest.mark.parametrize("place", [0, 3, 9])
def test_what_is_no_number_is_refused(place):
    scores = np.arange(10.0)[None].repeat(2, axis=0)
    scores[1, place] = np.nan
    with pytest.raises(ValueError, match="a score is no number"):
        best_places(scores, 2, *flat([[], []]))
