"""Ranks from compact rows against the whole catalogue, under any proportions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.model.calibration import Proportions
from recbole_imn.model.calibration.ranking import ranks_of
from recbole_imn.model.calibration.rows import MOST_RANKS, RowCollector
from tests.model.calibration.rankings import BY_RECENCY, SIZES, Rows

# Few values, whose sums are exact: ties must be ties by both ways.
halves = st.integers(-8, 8).map(lambda value: value / 2)
scales = st.sampled_from([0.5, 1.0, 2.0])
proportions = st.builds(
    Proportions,
    st.tuples(scales, scales),
    st.tuples(halves, halves),
    st.sampled_from([0.0, 0.5, 4.0, 1000.0]),
)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), proportions, st.sampled_from([1, 2, 3, 10]))
def test_ranks_are_those_of_the_whole_catalogue(seed, found, top):
    rows = Rows(seed)
    expected = rows.ranks(found)
    expected[expected > top] = np.inf
    ranks = ranks_of(rows.collected(top), rows.calibration.slots, found, top)
    assert np.array_equal(ranks, expected)


def test_the_rows_have_ties_misses_and_hits():
    """The property above would be little without them."""
    ranks = np.concatenate([Rows(seed).ranks(Proportions.neutral(2)) for seed in range(20)])
    assert np.isinf(ranks).sum() > 20
    assert (ranks[np.isfinite(ranks)] % 1 == 0.5).sum() > 20
    assert (ranks == 1).sum() > 10


def test_newest_own_items_come_first_and_then_the_catalogue():
    rows = Rows(3, n_rows=40)
    found = Proportions((1.0, 1.0), (100 + 1000 * np.log(4), -1000.0), 1000.0)
    ranks = ranks_of(rows.collected(14), rows.calibration.slots, found, 14)
    for row, target in enumerate(rows.targets.tolist()):
        scores = rows.scores[row].tolist()
        if scores[target] == -np.inf:
            assert ranks[row] == np.inf
            continue
        own = [
            item
            for item, weight in zip(
                rows.items[row, : SIZES[0]].tolist(), rows.weights[row].tolist(), strict=False
            )
            if weight > -np.inf and scores[item] > -np.inf
        ]
        if target in own:
            assert ranks[row] == 1 + own.index(target)
            continue
        left = [score for item, score in enumerate(scores) if item not in own]
        ahead = sum(score > scores[target] for score in left)
        ties = sum(score == scores[target] for score in left) - 1
        assert ranks[row] == pytest.approx(1 + len(own) + ahead + ties / 2)
    assert BY_RECENCY == (True, False)


def test_ranks_are_known_down_to_a_bound():
    assert RowCollector(1000).top == MOST_RANKS
    assert RowCollector(5).top == 5
    with pytest.raises(ValueError, match="needs rows"):
        RowCollector(5).rows()
