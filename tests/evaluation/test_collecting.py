"""What is collected of a batch, against RecBole's own collector."""

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recbole.evaluator.collector import Collector
from recbole.evaluator.metrics import GAUC

from recbole_imn.errors import DivergenceError

METRICS = ["Recall", "NDCG", "ItemCoverage", "GAUC"]
RECBOLES = inspect.unwrap(Collector.eval_batch_collect)


def collector():
    return Collector(
        {
            "metrics": METRICS, "topk": [1, 4], "device": "cpu", "metric_decimal_place": 12,
            "eval_args": {"mode": {"valid": "full", "test": "full"}}, "model": "M",
        }
    )  # fmt: skip


@st.composite
def batches(draw):
    """Scores without ties, that of the padding minus infinity, and true items of each row."""
    n_rows, n_items = draw(st.integers(1, 4)), draw(st.integers(5, 12))
    order = [draw(st.permutations(range(n_items))) for _ in range(n_rows)]
    scores = torch.tensor(order, dtype=torch.float32)
    scores[:, 0] = -torch.inf
    true = [
        (row, item)
        for row in range(n_rows)
        for item in draw(st.sets(st.integers(1, n_items - 1), min_size=1, max_size=3))
    ]
    rows, items = torch.tensor(true).unbind(1)
    return scores, rows, items


@settings(deadline=None)
@given(st.lists(batches(), min_size=1, max_size=3))
def test_what_is_collected_is_what_recbole_collects(given_batches):
    ours, theirs = collector(), collector()
    for scores, rows, items in given_batches:
        ours.eval_batch_collect(scores, None, rows, items)
        RECBOLES(theirs, scores, None, rows, items)
    found, expected = ours.data_struct._data_dict, theirs.data_struct._data_dict
    assert found.keys() == expected.keys() == {"rec.items", "rec.topk", "rec.meanrank"}
    for key, values in expected.items():
        assert found[key].dtype == values.dtype, key
        assert found[key].tolist() == values.tolist(), key


def test_what_is_shown_for_want_of_candidates_is_neither_shown_nor_found():
    ours = collector()
    scores = torch.full((1, 9), -torch.inf)
    scores[0, 3] = 1.0
    rows, items = torch.zeros(8, dtype=torch.long), torch.arange(1, 9)
    ours.eval_batch_collect(scores, None, rows, items)
    assert ours.data_struct["rec.items"].tolist() == [[3, 0, 0, 0]]
    assert ours.data_struct["rec.topk"].tolist() == [[1, 0, 0, 0, 8]]


def gauc(*batches):
    ours = collector()
    for scores, rows, items in batches:
        ours.eval_batch_collect(torch.tensor(scores), None, torch.tensor(rows), torch.tensor(items))
    with np.errstate(invalid="ignore"):
        return GAUC(ours.config).calculate_metric(ours.get_data_struct())["gauc"]


def test_a_true_item_that_is_no_candidate_has_an_area_of_0():
    none = -np.inf
    found = [none, 1.0, 2.0, none, 3.0]
    nothing = [none] * 5
    assert gauc(([found], [0], [2])) == 0.5
    assert gauc(([found], [0], [3])) == 0.0
    assert gauc(([nothing], [0], [3])) == 0.0
    assert gauc(([found, nothing, found], [0, 1, 2], [4, 1, 3])) == pytest.approx(1 / 3)
    # Batches with and without such rows stand beside one another.
    assert gauc(([found], [0], [3]), ([found], [0], [4])) == 0.5
    # Of two true items one is found first of all, and one not at all.
    assert gauc(([found], [0, 0], [4, 3])) == 0.5


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scores_that_cannot_be_ranked_are_refused(bad, dtype):
    scores = torch.zeros(2, 9, dtype=dtype)
    scores[1, 8] = bad
    with pytest.raises(DivergenceError, match="M cannot be ranked"):
        collector().eval_batch_collect(scores, None, torch.arange(2), torch.ones(2).long())
