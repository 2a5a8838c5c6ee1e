"""The search keeps what is surely better, and gets as far as it must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.model.calibration import Proportions
from recbole_imn.model.calibration.calibration import Slots
from recbole_imn.model.calibration.moves import coordinates
from recbole_imn.model.calibration.ranking import ranks_of
from recbole_imn.model.calibration.rows import SearchedRows
from recbole_imn.model.calibration.search import is_better, search_proportions
from recbole_imn.rank_metrics import rank_metric
from tests.model.calibration.rankings import BY_RECENCY, Rows

NDCG = rank_metric("NDCG@5")
NEUTRAL = Proportions.neutral(2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_found_is_not_worse_than_nothing_and_is_found_again(seed):
    rows = Rows(seed)
    given_rows, slots = rows.collected(5), rows.calibration.slots
    found = search_proportions(given_rows, slots, BY_RECENCY, NDCG)
    assert found == search_proportions(given_rows, slots, BY_RECENCY, NDCG)
    assert found.score >= found.neutral_score
    assert found.score == NDCG(ranks_of(given_rows, slots, found.proportions, 5)).mean()
    assert found.neutral_score == NDCG(ranks_of(given_rows, slots, NEUTRAL, 5)).mean()
    assert min(found.proportions.scale) > 0
    assert found.proportions.recency >= 0


def repeats(n_rows=60, n_own=4, favour=3.0):
    """Rows of 20 users who take their newest item again, which the catalogue hides."""
    rng = np.random.default_rng(0)
    items = np.tile(np.arange(1, n_own + 1), n_rows)
    slots = np.tile(np.arange(n_own), n_rows)
    weights = rng.normal(0, 4, n_rows * n_own)
    starts = np.arange(n_rows + 1) * n_own
    return SearchedRows(
        np.arange(n_rows) % 20, np.full(n_rows, 0.0), np.full((n_rows, 10), favour), starts,
        starts[:-1] + 1, items, slots, weights, np.zeros(len(items)),
    )  # fmt: skip


def test_users_who_only_repeat_get_their_newest_item_first():
    rows, slots = repeats(), Slots.of([4], [True])
    found = search_proportions(rows, slots, [True], NDCG)
    assert found.neutral_score < 0.5
    assert found.score > 0.99


def test_the_order_of_recent_history_is_always_tried():
    rows, slots = repeats(favour=500.0), Slots.of([4, 3], [True, False])
    *_, last = coordinates(rows, slots, [True, False])
    (found,) = last(Proportions((0.5, 1.0), (2.0, 3.0), 1.0))
    assert (found.scale, found.offset[1]) == ((0.5, 1.0), 3.0)
    assert ranks_of(rows, slots, found, 5).tolist() == [1.0] * len(rows)
    single, added = (part.astype(np.float32) for part in slots.line(found))
    weights = rows.weights.astype(np.float32) * single[rows.slots] + added[rows.slots]
    by_row = weights.reshape(-1, 4)
    assert (np.diff(by_row, axis=1) < -1).all()
    assert by_row.min() > 500 + 1


def test_sources_in_no_order_have_no_slope():
    rows, slots = repeats(), Slots.of([4], [False])
    assert slots.age.tolist() == [0.0] * 4
    found = search_proportions(rows, slots, [False], NDCG)
    assert found.proportions.recency == 0.0


def test_nothing_is_changed_where_nothing_is_surely_better():
    rows = repeats(favour=-50.0)
    flat = SearchedRows(**{**vars(rows), "own_stops": rows.starts[1:], "items": rows.items * 0 + 1})
    found = search_proportions(flat, Slots.of([4], [True]), [True], NDCG)
    assert found.proportions == Proportions.neutral(1)
    assert found.score == found.neutral_score == 1.0


def test_smaller_changes_come_first():
    rows, slots = repeats(), Slots.of([4], [True])
    lifts, of_source, scales, slopes, *_ = coordinates(rows, slots, [True])
    now = Proportions((1.0,), (0.0,), 0.0)
    for options, size in (
        (lifts(now), lambda found: abs(found.offset[0])),
        (of_source(now), lambda found: abs(found.offset[0])),
        (scales(now), lambda found: abs(np.log(found.scale[0]))),
        (slopes(now), lambda found: found.recency),
    ):
        sizes = [size(found) for found in options]
        assert sizes == sorted(sizes) or np.allclose(sizes, sorted(sizes), atol=0.05)
        assert len(set(options)) == len(options)


@pytest.mark.parametrize(
    ("difference", "users", "better"),
    [
        ([0.1] * 10, range(10), True),
        ([0.0] * 10, range(10), False),
        ([-0.1] * 10, range(10), False),
        ([1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0], range(10), False),
        ([1.0, 1.0, 0, 0, 0, 0, 0, 0, 0, 0], range(10), False),
        ([1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0, 0], range(10), True),
        # The same rows, all of what is gained being one user's.
        ([1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, *range(1, 7)], False),
        ([0.1] * 10, [0] * 10, False),
    ],
)
def test_what_is_better_by_more_than_two_standard_errors(difference, users, better):
    assert is_better(np.array(difference), np.array(list(users))) == better
