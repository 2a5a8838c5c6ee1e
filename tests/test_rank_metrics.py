"""Metrics as functions of a rank."""

import numpy as np
import pytest

from recbole_imn.errors import SettingsError
from recbole_imn.rank_metrics import rank_metric, searched_metric

RANKS = np.array([1.0, 2.5, 10.0, 10.5, np.inf])


def test_values_of_a_small_table():
    assert rank_metric("recall@10")(RANKS).tolist() == [1, 1, 1, 0, 0]
    assert rank_metric("mrr@10")(RANKS) == pytest.approx([1, 0.4, 0.1, 0, 0])
    ndcg = [1, 1 / np.log2(3.5), 1 / np.log2(11), 0, 0]
    assert rank_metric("ndcg@10")(RANKS) == pytest.approx(ndcg)
    assert rank_metric("fullmrr")(RANKS) == pytest.approx([1, 1 / 2.5, 1 / 10, 1 / 10.5, 0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NDCG@2", [1.0, 1 / np.log2(2.5), 1 / np.log2(3), 0.0]),
        ("MRR@2", [1.0, 1 / 1.5, 0.5, 0.0]),
        ("Recall@2", [1.0, 1.0, 1.0, 0.0]),
        ("Precision@2", [0.5, 0.5, 0.5, 0.0]),
    ],
)
def test_metrics_of_ranks(name, expected):
    assert rank_metric(name)(np.array([1.0, 1.5, 2.0, 2.5])) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["ItemCoverage@10", "NDCG", "NDCG@ten"])
def test_metrics_that_are_none_of_ranks_are_refused(name):
    with pytest.raises(SettingsError, match=f"^'{name}' is no metric of a row's rank; .*NDCG@10"):
        rank_metric(name)
    with pytest.raises(SettingsError, match=rf"^valid_metric is '{name}'.* \(any cut\)$"):
        searched_metric(name)
    with pytest.raises(SettingsError, match=f"^valid_metric is '{name}'.*or set calibrate: False"):
        searched_metric(name, "calibrate")
