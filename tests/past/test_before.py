"""Chains lead back to what was the latest before a position."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.past.before import counted_before, latest_before


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 31))
def test_the_latest_before_a_position_and_their_number(own, position):
    events = np.flatnonzero(own)
    chain = np.full(len(own) + 1, -1)
    chain[events[1:]] = events[:-1]
    last = int(events[-1]) if len(events) else -1
    earlier = events[events < position]
    expected = int(earlier[-1]) if len(earlier) else -1
    assert latest_before(last, position, chain) == expected
    assert counted_before(last, len(events), position, chain) == (expected, len(earlier))
