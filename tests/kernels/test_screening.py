"""Bounds of scores hold for sums in any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.screening import screen


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 400), st.integers(1, 30), st.integers(0, 2**31), st.floats(1e-3, 1e3))
def test_a_score_in_any_precision_lies_between(width, n, seed, scale):
    rng = np.random.default_rng(seed)
    table = (rng.normal(size=(n, width)) * scale).astype(np.float32)
    query = rng.normal(size=width).astype(np.float32)
    values = rng.normal(size=n).astype(np.float32)
    low, high = screen(table, query, values)
    orders = [np.arange(width), rng.permutation(width), np.arange(width)[::-1]]
    scores = [(table[:, order] * query[order]).sum(axis=1) + values for order in orders]
    scores += [table @ query + values]
    exact = table.astype(np.float64) @ query.astype(np.float64) + values
    for score in [*scores, exact]:
        assert (low <= score).all()
        assert (score <= high).all()
    assert ((high - low) <= 1e-3 * (np.abs(table) @ np.abs(query) + np.abs(values)) + 1e-30).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_values_are_none(dtype):
    table, query = np.eye(3, dtype=dtype), np.ones(3, dtype)
    low, high = screen(table, query, None)
    assert ((low < 1) & (high > 1)).all()
