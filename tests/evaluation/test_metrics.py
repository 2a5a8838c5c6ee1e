"""Metrics from ranks."""

import numpy as np
import pytest

from recbole_imn.evaluation.metrics import difference_warning, metrics_of_ranks

RANKS = np.array([1.0, 2.5, 10.0, 10.5, np.inf])


def test_metrics_are_means_over_rows():
    metrics = metrics_of_ranks(RANKS)
    assert metrics["recall@10"] == pytest.approx(0.6)
    assert metrics["recall@20"] == pytest.approx(0.8)
    assert "fullmrr" not in metrics
    whole = metrics_of_ranks(RANKS, whole=True)
    assert whole.pop("fullmrr") == pytest.approx((1 + 1 / 2.5 + 1 / 10 + 1 / 10.5) / 5)
    assert whole == metrics
    assert metrics_of_ranks(np.empty(0)) == {}


def test_a_difference_to_recbole_is_told():
    own = {"recall@10": 0.5, "ndcg@10": 0.25}
    close = {"recall@10": 0.5, "ndcg@10": 0.25 + 1e-8}
    assert difference_warning(own, close, tied=3, missing=1) is None
    warning = difference_warning(own, {"recall@10": 0.75, "ndcg@10": 0.25}, tied=3, missing=1)
    assert "3 rows with ties and 1 rows" in warning
    assert warning.endswith("no candidate: recall@10 0.7500 there, 0.5000 here")
