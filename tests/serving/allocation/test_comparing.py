"""What is lost, and how exposure is spread."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.serving.allocation import Exposure, allocate, exposure

ITEMS, SCORES = [[1, 2], [1, 2], [1, 3]], [[0.8, 0.1], [0.6, 0.3], [0.5, 0.4]]


def test_the_table_of_a_small_market():
    found = allocate(ITEMS, SCORES, capacity=1, k=1, n_items=4, method="exact")
    hits = found.loss["hits"]
    assert hits.to_dict() == pytest.approx(
        {
            "own lists": 1.9,
            "own lists, sold out struck": 0.8,
            "first come, first served": 0.8 + 0.3 + 0.4,
            "allocation": 0.8 + 0.3 + 0.4,
        }
    )
    assert found.loss["loss"]["allocation"] == pytest.approx(1 - 1.5 / 1.9)
    assert found.loss["entries"].tolist() == [3, 1, 3, 3]
    assert found.exposure["shown"].tolist() == [0.25, 0.25, 0.75, 0.75]
    assert found.exposure["most"].tolist() == [3, 1, 1, 1]
    assert found.exposure["gini"].tolist() == [0.75, 0.75, 0.25, 0.25]


def test_the_order_of_users_decides_only_without_an_allocation():
    found = allocate([[1, 2], [1, 2]], [[0.5, 0.4], [0.9, 0.0]], capacity=1, k=1)
    assert found.loss["hits"]["first come, first served"] == 0.5
    assert found.hits == pytest.approx(1.3)
    assert "method: exact; at most 0.00% below the best possible" in str(found)
    assert "allocation" in str(found)


def test_exposure_of_few_items():
    assert exposure(np.array([0, 0])) == Exposure(0.0, 0.0, 0)
    assert exposure(np.array([2, 2])) == Exposure(0.0, 1.0, 2)
    assert exposure(np.array([0, 4])) == Exposure(0.5, 0.5, 4)
    assert exposure(np.array([], np.int64)) == Exposure(0.0, 0.0, 0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any))
def test_the_gini_coefficient_is_half_the_mean_difference_over_the_mean(counts):
    counts = np.array(counts)
    differences = np.abs(counts[:, None] - counts[None, :]).mean()
    assert exposure(counts).gini == pytest.approx(differences / (2 * counts.mean()))
