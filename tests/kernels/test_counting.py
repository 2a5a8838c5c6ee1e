"""Counts of rows, against numpy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recbole_imn.kernels.counting import are_below_infinity, count_above

# Few values, so that many are equal; both zeros, and what has no end.
VALUES = st.sampled_from([0.0, -0.0, 1.0, -1.5, 2.0, -np.inf, np.inf])
SHAPES = st.tuples(st.integers(0, 4), st.integers(1, 40))


# The first example compiles the loop.
@settings(deadline=None)
@given(st.data(), st.sampled_from([np.float32, np.float64]))
def test_counts_are_numpys(data, dtype):
    scores = data.draw(SHAPES.flatmap(lambda shape: arrays.arrays(dtype, shape, elements=VALUES)))
    own = data.draw(
        arrays.arrays(np.int64, len(scores), elements=st.integers(0, scores.shape[1] - 1))
    )
    above, equal = count_above(scores, own)
    mine = scores[np.arange(len(scores)), own].reshape(-1, 1)
    assert above.tolist() == (scores > mine).sum(axis=1).tolist()
    assert equal.tolist() == (scores == mine).sum(axis=1).tolist()
    # A table whose rows do not lie one behind the other.
    apart = np.repeat(np.repeat(scores, 2, axis=0), 2, axis=1)[::2, ::2]
    assert [each.tolist() for each in count_above(apart, own)] == [above.tolist(), equal.tolist()]


@pytest.mark.parametrize("place", [0, 17, 39])
def test_what_is_no_number_is_refused_wherever_it_is(place):
    scores = np.zeros((3, 40), np.float32)
    scores[1, place] = np.nan
    with pytest.raises(ValueError, match="no number"):
        count_above(scores, np.zeros(3, np.int64))


@settings(deadline=None)
@given(arrays.arrays(np.float32, st.integers(0, 50), elements=VALUES | st.just(np.nan)))
def test_all_are_below_infinity(scores):
    assert are_below_infinity(scores) == bool((scores < np.inf).all())
