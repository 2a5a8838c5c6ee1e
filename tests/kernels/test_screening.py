"""The best are found, in whatever order their products are summed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.screening import screen


@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 400),
    st.integers(1, 30),
    st.integers(1, 5),
    st.integers(0, 2**31),
    st.floats(1e-3, 1e3),
)
def test_whoever_sums_finds_their_best_among_them(width, n, k, seed, scale):
    rng = np.random.default_rng(seed)
    table = (rng.normal(size=(n, width)) * scale).astype(np.float32)
    # Some are nearly alike, so that rounding decides.
    table[n // 2 :] = table[: n - n // 2] + np.float32(1e-7) * table[n // 2 :]
    query = rng.normal(size=width).astype(np.float32)
    values = rng.normal(size=n).astype(np.float32)
    items = np.sort(rng.choice(n, rng.integers(1, n + 1), replace=False))
    out = rng.random(len(items)) < 0.2
    k = min(k, len(items))
    found = screen(table, query, items, values, out, k)
    assert not found[out].any()
    orders = [np.arange(width), rng.permutation(width), np.arange(width)[::-1]]
    scores = [(table[:, order] * query[order]).sum(axis=1) + values for order in orders]
    scores += [table @ query + values]
    for score in scores:
        allowed = items[~out]
        best = allowed[np.argsort(-score[allowed], kind="stable")[:k]]
        assert np.isin(best, items[found]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_far_behind_is_not_found(dtype):
    table, query = np.diag(np.arange(4, dtype=dtype)), np.ones(4, dtype)
    items, nothing = np.arange(4), np.empty(0, dtype)
    none = np.zeros(4, np.bool_)
    assert screen(table, query, items, nothing, none, 1).tolist() == [False, False, False, True]
    none[3] = True
    assert screen(table, query, items, nothing, none, 2).tolist() == [False, True, True, False]
    assert screen(table, query, items, nothing, none, 4).tolist() == [True, True, True, False]
