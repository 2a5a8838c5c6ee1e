"""Lists keep to the stock, and are worth what was promised."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.errors import ServingError
from recbole_imn.serving.allocation import allocate
from tests.serving.allocation.problems import best_sum, check_lists, no_list_can_grow, tables

METHODS = ["exact", "auction", "greedy", "auto"]
# Two users who both like item 1 best; the second has less to lose by giving way.
ITEMS = [[1, 2], [1, 2]]
SCORES = [[0.9, 0.1], [0.8, 0.2]]


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None)
@given(table=tables())
def test_lists_keep_to_the_stock_and_are_as_good_as_promised(method, table):
    items, scores, capacity, slots = table
    found = allocate(items, scores, capacity, slots, method=method, tolerance=0.02)
    check_lists(found, items, scores, capacity, slots)
    assert no_list_can_grow(found, items, scores, capacity, slots)
    best = best_sum(items, scores, capacity, slots)
    assert found.hits <= best + 1e-9 <= found.bound + 2e-9
    promised = {"greedy": 0.5, "auction": 0.98}.get(found.method, 1.0)
    assert found.hits >= promised * best - 1e-9
    assert found.gap <= 1 - promised + 1e-9


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.01, 0.0001]))
def test_an_auction_of_many_is_within_its_tolerance(seed, tolerance):
    items, scores, capacity, slots = _market(seed)
    exact = allocate(items, scores, capacity, slots, method="exact")
    assert exact.gap < 1e-6
    found = allocate(items, scores, capacity, slots, method="auction", tolerance=tolerance)
    check_lists(found, items, scores, capacity, slots)
    assert (1 - tolerance) * exact.hits - 1e-9 <= found.hits <= exact.hits * (1 + 1e-6)
    assert exact.hits <= found.bound * (1 + 1e-6)
    assert found.gap <= tolerance + 1e-9


def _market(seed, n_users=40, n_items=30):
    rng = np.random.default_rng(seed)
    items = np.array([1 + rng.permutation(n_items)[:12] for _ in range(n_users)])
    scores = rng.dirichlet(np.ones(12), n_users) * rng.uniform(0.1, 1, (n_users, 1))
    return items, scores, rng.integers(0, 12, n_items + 1), rng.integers(0, 8, n_users)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None)
@given(table=tables())
def test_with_enough_of_everything_everybody_has_their_own_list(method, table):
    items, scores, _, slots = table
    found = allocate(items, scores, 1_000_000, slots, method=method)
    expected = [
        (user, rank, item, score)
        for user in range(len(items))
        for rank, (score, item) in enumerate(
            sorted(
                ((score, item) for item, score in zip(items[user], scores[user], strict=True)
                 if item and score > -np.inf),
                key=lambda pair: (-pair[0], pair[1]),
            )[: slots[user]],
            1,
        )
    ]  # fmt: skip
    assert list(found.to_frame().itertuples(index=False, name=None)) == expected
    assert found.method == "own lists"
    assert found.gap == 0


@pytest.mark.parametrize("method", METHODS)
def test_the_same_again(method):
    items, scores, capacity, slots = _market(7)
    first, second = (
        allocate(items, scores, capacity, slots, method=method).to_frame() for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)


@pytest.mark.parametrize("method", METHODS)
@given(table=tables())
@settings(deadline=None)
def test_the_order_of_a_users_candidates_means_nothing(method, table):
    items, scores, capacity, slots = table
    one = allocate(items, scores, capacity, slots, method=method)
    other = allocate(items[:, ::-1], scores[:, ::-1], capacity, slots, method=method)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame(), check_exact=True)


@pytest.mark.parametrize("method", ["exact", "auction"])
def test_whoever_loses_least_gives_way(method):
    found = allocate(ITEMS, SCORES, capacity=1, k=1, method=method, users=["ann", "bob"])
    rows = list(found.to_frame().itertuples(index=False, name=None))
    assert rows == [("ann", 1, 1, 0.9), ("bob", 1, 2, 0.2)]
    assert found.bound == pytest.approx(1.1, rel=0.01)


def test_an_item_with_two_copies_is_not_twice_on_a_list():
    found = allocate([[1, 2]], [[0.9, 0.1]], capacity=2, k=2, method="exact")
    assert found.to_frame()["item"].tolist() == [1, 2]
    items, scores = [[1, 2], [1, 0], [1, 0]], [[0.9, 0.1], [0.5, 0], [0.4, 0]]
    contested = allocate(items, scores, capacity={1: 2, 2: 2}, k=2, method="exact")
    assert contested.to_frame()["user"].tolist() == [0, 0, 1]
    assert contested.to_frame()["item"].tolist() == [1, 2, 1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("capacity", "k"), [(0, 2), (1, 0), (0, 0)])
def test_nothing_to_give_or_nobody_to_take_it(method, capacity, k):
    found = allocate(ITEMS, SCORES, capacity, k, method=method)
    assert found.to_frame().empty
    assert list(found.to_frame()) == ["user", "rank", "item", "score"]
    assert found.hits == found.bound == found.gap == 0


@pytest.mark.parametrize("method", METHODS)
def test_nobody_and_users_without_candidates(method):
    assert allocate(np.zeros((0, 3), int), np.zeros((0, 3)), method=method).to_frame().empty
    assert allocate(np.zeros((3, 0), int), np.zeros((3, 0)), method=method).to_frame().empty
    found = allocate([[0, 0], [1, 2]], [[0, 0], [0.5, 0.5]], k=1, method=method)
    assert found.to_frame()[["user", "item"]].to_numpy().tolist() == [[1, 1]]


def test_a_budget_bars_what_costs_more():
    price = np.array([0, 100, 50])
    found = allocate(ITEMS, SCORES, capacity=5, k=2, budget=[60, 100], price=price)
    assert found.to_frame()[["user", "item"]].to_numpy().tolist() == [[0, 2], [1, 1], [1, 2]]
    with pytest.raises(ServingError, match="a price but no budget"):
        allocate(ITEMS, SCORES, price=price)


@settings(deadline=None)
@given(table=tables(most_users=3, most_items=5), width=st.integers(0, 3))
def test_the_bound_holds_for_candidates_that_were_left_out(table, width):
    items, scores, capacity, slots = table
    best = best_sum(items, scores, capacity, slots)
    order = np.argsort(-np.where(items > 0, scores, -np.inf), axis=1, kind="stable")
    items, scores = np.take_along_axis(items, order, 1), np.take_along_axis(scores, order, 1)
    left_out = np.where(items > 0, scores, 0)[:, width:].max(axis=1, initial=0)
    for method in METHODS:
        found = allocate(
            items[:, :width], scores[:, :width], capacity, slots, method=method, outside=left_out
        )
        assert best <= found.bound + 1e-9
