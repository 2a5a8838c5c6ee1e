import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.freshness import (
    N_AGES,
    STAYS,
    add_freshness,
    cell,
    cells_of,
)


def cells_by_numpy(kinds, elapsed):
    return kinds * N_AGES + np.minimum(np.frexp(np.square(1 + elapsed))[1], N_AGES - 1)


class Catalogue:
    """Events of items between rows, as arguments of `add_freshness` and as a naive loop."""

    def __init__(self, seed, n, n_items, n_kinds=5, span=1e5, most=4, dtype=torch.float64):
        self.rng = rng = np.random.default_rng(seed)
        self.never, self.n_items = n_kinds - 1, n_items
        table = torch.from_numpy(rng.normal(size=n_kinds * N_AGES)).to(dtype)
        # Whole seconds, so that many times are equal.
        self.at = np.sort(rng.integers(0, span, n)).astype(float)
        self.kinds = rng.integers(0, n_kinds, n_items).astype(np.int32)
        self.times = -np.floor(10 ** rng.uniform(0, 9, n_items))
        self.times[self.kinds == self.never] = np.nan
        counts = rng.integers(0, most, n)
        self.start = np.concatenate([[0], np.cumsum(counts)])
        self.moved = rng.integers(0, n_items, counts.sum())
        self.moved_kinds = rng.integers(0, self.never, counts.sum()).astype(np.int32)
        latest = np.repeat(self.at, counts)
        earliest = np.repeat(np.concatenate([[0], self.at[:-1]])[:n], counts)
        self.moved_times = np.floor(earliest + rng.random(counts.sum()) * (latest - earliest))
        self.table = table

    def arguments(self):
        moves = self.moved, self.moved_kinds, self.moved_times, self.start
        return self.table, self.kinds, self.times, *moves, self.at

    def naive(self, row):
        kinds, times = self.kinds.copy(), self.times.copy()
        for move in range(self.start[row + 1]):
            kinds[self.moved[move]] = self.moved_kinds[move]
            times[self.moved[move]] = self.moved_times[move]
        elapsed = np.where(kinds == self.never, 0, self.at[row] - times)
        return self.table[cells_by_numpy(kinds, elapsed)]


@settings(deadline=None)
@given(
    elapsed=st.one_of(st.integers(0, 2**40), st.floats(0, 1e12)),
    kind=st.integers(0, 100),
)
def test_a_cell_is_what_numpy_says(elapsed, kind):
    assert cell(kind, float(elapsed)) == cells_by_numpy(kind, float(elapsed))


def test_cells_at_their_edges():
    edges = np.sqrt(2.0 ** np.arange(0, 64)) - 1
    elapsed = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, np.inf)])
    kinds = np.arange(len(elapsed)) % 7
    shape = (3, -1)
    cells = cells_of(kinds.reshape(shape), elapsed.reshape(shape))
    assert np.array_equal(cells, cells_by_numpy(kinds, elapsed).reshape(shape))


def test_an_item_stays_in_its_cell_up_to_the_last_bit():
    ages = np.arange(1, N_AGES - 1)
    assert np.array_equal(cells_by_numpy(0, STAYS[1:-1]), ages + 1)
    assert np.array_equal(cells_by_numpy(0, np.nextafter(STAYS[1:-1], 0)), ages)


@settings(deadline=None, max_examples=100)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(0, 30),
    n_items=st.integers(1, 40),
    span=st.sampled_from([1, 30, 1e5, 1e9]),
    most=st.sampled_from([1, 4, 20]),
)
def test_equals_a_naive_loop_bit_for_bit(seed, n, n_items, span, most):
    catalogue = Catalogue(seed, n, n_items, span=span, most=most)
    before = torch.from_numpy(catalogue.rng.normal(size=(n, n_items)))
    scores = before.clone()
    kept = [np.copy(value) for value in catalogue.arguments()[1:]]
    add_freshness(scores, *catalogue.arguments())
    for row in range(n):
        assert torch.equal(scores[row], before[row] + catalogue.naive(row))
    for left, value in zip(kept, catalogue.arguments()[1:], strict=True):
        assert np.array_equal(left, value, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_do_not_depend_on_each_other(dtype):
    catalogue = Catalogue(1, 40, 60, dtype=dtype)
    scores = torch.zeros(40, 60, dtype=dtype)
    add_freshness(scores, *catalogue.arguments())
    rows = np.array([3, 4, 17, 39])
    some = torch.zeros(4, 60, dtype=dtype)
    moves = catalogue.moved, catalogue.moved_kinds, catalogue.moved_times
    start = np.concatenate([[0], catalogue.start[rows + 1]])
    add_freshness(
        some, catalogue.table, catalogue.kinds, catalogue.times, *moves, start, catalogue.at[rows]
    )
    assert torch.equal(some, scores[torch.from_numpy(rows)])


def test_rows_out_of_order_are_refused():
    catalogue = Catalogue(1, 3, 4)
    catalogue.at = catalogue.at[::-1]
    with pytest.raises(ValueError, match="order of time"):
        add_freshness(torch.zeros(3, 4), *catalogue.arguments())
