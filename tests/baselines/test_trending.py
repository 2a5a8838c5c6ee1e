"""Fading popularity against its definition, summed anew for every row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.baselines.trending import trending

EVENTS = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9)), min_size=1, max_size=40)


def log_of(events):
    items, breaks = np.array(events).T
    return items.astype(np.int32), 1e9 + np.cumsum(breaks).astype(float)


@settings(max_examples=80, deadline=None)
@given(EVENTS, st.sampled_from([0.5, 3.0, 1e6]), st.integers(1, 6))
def test_shares_are_as_defined(events, half_life, n):
    items, times = log_of(events)
    rows = np.arange(len(items))[::-1].copy()
    found, shares = trending(rows, items, times, half_life, np.arange(6), n)
    for row, event in enumerate(rows.tolist()):
        weights = 2.0 ** (-(times[event] - times[:event]) / half_life)
        sums = np.bincount(items[:event], weights, minlength=6)
        there = np.flatnonzero(np.bincount(items[:event], minlength=6))
        n_found = min(n, len(there))
        assert (found[row, n_found:] == 0).all()
        assert set(found[row, :n_found]) <= set(there)
        expected = sums[found[row, :n_found]] / max(sums.sum(), 1e-300)
        assert shares[row, :n_found] == pytest.approx(expected, abs=1e-9)
        best = np.sort(sums[there] / max(sums.sum(), 1e-300))[::-1][:n_found]
        assert shares[row, :n_found] == pytest.approx(best, abs=1e-9)


def test_long_after_all_events_shares_are_still_told_apart():
    items, times = np.array([1, 1, 2, 3], np.int32), np.array([0.0, 1.0, 1.0, 1e9])
    found, shares = trending(np.array([3]), items, times, 1.0, np.arange(4), 3)
    assert found.tolist() == [[1, 2, 0]]
    assert shares[0, :2] == pytest.approx([0.6, 0.4])


def test_equally_popular_items_go_by_their_places():
    items, times = np.array([1, 2, 3], np.int32), np.zeros(3)
    found, _ = trending(np.array([2]), items, times, 1.0, np.array([0, 2, 1, 0]), 3)
    assert found.tolist() == [[2, 1, 0]]
