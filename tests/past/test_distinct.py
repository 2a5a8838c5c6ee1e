"""Distinct ids, and places among them, are numpy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.past.distinct import distinct, places_in

ids = st.lists(st.integers(0, 20), max_size=30).map(lambda values: np.array(values, np.int32))


@settings(deadline=None)
@given(ids, ids)
def test_distinct_ids_and_their_places(first, second):
    values = np.concatenate([first, second])
    found = distinct(first, second.astype(np.int64))
    assert found.dtype == np.int64
    assert found.tolist() == np.unique(values).tolist()
    asked = np.arange(22)
    assert places_in(found, asked).tolist() == np.searchsorted(found, asked).tolist()
