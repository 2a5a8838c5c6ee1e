"""Ranks count ties half, and the metric of whole rankings is the mean of their reciprocals."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.utils import get_trainer

from recbole_imn.evaluation.full_ranking import ranks_of_scores
from recbole_imn.rank_metrics import rank_metric

NONE = -np.inf


def test_ranks_of_a_small_table():
    scores = torch.tensor(
        [
            [NONE, 3.0, 2.0, 1.0],  # first
            [NONE, 1.0, 2.0, 2.0],  # shares ranks 1 and 2
            [NONE, 0.0, 0.0, 0.0],  # shares ranks 1 to 3
            [NONE, NONE, 1.0, NONE],  # no candidate itself
        ]
    )
    rank, ties = ranks_of_scores(scores, torch.tensor([1, 2, 3, 1]))
    assert rank.tolist() == [1.0, 1.5, 2.0, np.inf]
    assert ties.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_scores_that_are_no_numbers_are_refused(dtype):
    with pytest.raises(ValueError, match="not numbers"):
        ranks_of_scores(torch.tensor([[0.0, np.nan]], dtype=dtype), torch.tensor([1]))


@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=5))
def test_other_devices_and_types_count_alike(table):
    scores = torch.tensor(table, dtype=torch.float32)
    scores[:, 0] = NONE
    items = torch.arange(len(table)) % 6
    for found, expected in zip(
        ranks_of_scores(scores.bfloat16(), items), ranks_of_scores(scores, items), strict=True
    ):
        assert found.tolist() == expected.tolist()


def mean_of_optimist_and_pessimist(scores, item):
    """The rank of the Temporal Graph Benchmark, written out."""
    others = [score for place, score in enumerate(scores) if place not in (0, item)]
    optimistic = sum(score > scores[item] for score in others)
    pessimistic = sum(score >= scores[item] for score in others)
    return 0.5 * (optimistic + pessimistic) + 1


@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=5))
def test_ranks_are_those_of_the_temporal_graph_benchmark(table):
    scores = torch.tensor(table, dtype=torch.float32)
    scores[:, 0] = NONE
    for item in range(1, 6):
        rank, _ = ranks_of_scores(scores, torch.full((len(table),), item))
        expected = [mean_of_optimist_and_pessimist(row.tolist(), item) for row in scores]
        assert rank.tolist() == expected


@pytest.mark.parametrize("model", ["LastItem", "SASRec"])
def test_the_metric_of_any_model_is_a_loop_over_its_rows(prepare, monkeypatch, model):
    options = {"metrics": ["FullMRR", "NDCG"], "valid_metric": "FullMRR", "hidden_size": 8}
    config, _, (_, _, test), network = prepare(
        model, inner_size=8, metric_decimal_place=12, **options
    )
    scored = network.full_sort_predict

    def rounded(rows):
        # So that many items tie.
        scores = scored(rows)
        return (scores.reshape(len(rows), -1) * 2).round()

    monkeypatch.setattr(network, "full_sort_predict", rounded)
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network.eval())
    found = trainer.evaluate(test, load_best_model=False)
    rows = test._dataset[np.arange(len(test._dataset))]
    with torch.no_grad():
        table = rounded(rows)
    expected = [
        1 / mean_of_optimist_and_pessimist(scores.tolist(), item)
        for scores, item in zip(table, rows["item_id"].tolist(), strict=True)
    ]
    assert any(place not in (1, 0.5, 1 / 3) for place in expected)
    assert found["fullmrr"] == pytest.approx(np.mean(expected), abs=1e-12)
    assert trainer.evaluate(test, load_best_model=False) == found


def test_early_stopping_and_the_search_for_weights_use_it(prepare):
    options = {"metrics": ["FullMRR"], "valid_metric": "FullMRR"}
    config, _, (train, valid, _), network = prepare("IMNNet", **options)
    trainer = get_trainer(config["MODEL_TYPE"], "IMNNet")(config, network)
    best, _ = trainer.fit(train, valid, saved=False)
    assert 0 < best < 1
    assert best == trainer.evaluate(valid, load_best_model=False)["fullmrr"]


def test_a_search_takes_it_without_a_cut():
    ranks = np.array([1.0, 1.5, 40.0, 10_000.0])
    assert rank_metric("FullMRR")(ranks).tolist() == (1 / ranks).tolist()
