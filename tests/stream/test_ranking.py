"""Exact scores of the catalogue while items move."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.stream import ItemTimeline


def make(seed, n_events=30, n_items=6, width=4, start=10):
    rng = np.random.default_rng(seed)
    items = rng.integers(0, n_items, n_events)
    base = torch.from_numpy(rng.normal(size=(n_items, width)))
    moved = torch.from_numpy(rng.normal(size=(n_events, width)))
    return ItemTimeline(start, start + n_events, base, items, moved), base, items, moved


def expected_scores(query, position, start, base, items, moved):
    table = base.clone()
    for event in range(position - start):
        table[items[event]] = moved[event]
    return table @ query


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 9))
def test_scores_equal_a_table_overwritten_event_by_event(seed, chunk):
    timeline, base, items, moved = make(seed)
    rng = np.random.default_rng(seed + 1)
    for _ in range(2):  # the second call goes back in time
        positions = rng.integers(10, 41, 8)
        queries = torch.from_numpy(rng.normal(size=(8, 4)))
        scores = timeline.score_all(queries, positions, chunk)
        for row, position in enumerate(positions):
            expected = expected_scores(queries[row], position, 10, base, items, moved)
            torch.testing.assert_close(scores[row], expected)
        asked = torch.from_numpy(rng.integers(0, 6, 8))
        single = timeline.score(queries, positions, asked)
        torch.testing.assert_close(single, scores.gather(1, asked[:, None])[:, 0])


def test_positions_outside_the_segment_are_refused():
    timeline, *_ = make(0)
    with pytest.raises(ValueError, match=r"position 41 is outside the segment 10\.\.40"):
        timeline.score_all(torch.zeros(1, 4, dtype=torch.float64), np.array([41]), 8)


def test_a_timeline_needs_one_item_an_event():
    with pytest.raises(ValueError, match=r"segment 0\.\.3 has 3 events, got 2 items"):
        ItemTimeline(0, 3, torch.zeros(2, 1), np.array([0, 1]), torch.zeros(3, 1))
