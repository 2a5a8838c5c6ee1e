"""A loop in ranges gives what it gives in one, whoever calls it."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.freshness import cells_of_columns
from recbole_imn.kernels.in_parallel import FEWEST_ROWS, in_parallel, threads, threads_for
from recbole_imn.kernels.lazy_adam import LazyAdam
from recbole_imn.kernels.memory import read, write
from recbole_imn.kernels.mixture import mixture_loss
from recbole_imn.kernels.pointer import weigh
from recbole_imn.kernels.representation import join
from tests.reliability.forks import forked, status_of

N, WIDTH = 3 * FEWEST_ROWS + 1, 12


@compiled
def _count(first, last, visits, sizes):
    for i in range(first, last):
        if visits[i] < 0:
            raise IndexError("not to be visited")
        visits[i] += 1
        sizes[i] = last - first


_count_all = in_parallel(_count)


@compiled
def count(threads, visits, sizes):
    _count_all(threads, len(visits), (visits, sizes))


@settings(deadline=None)  # the first call compiles
@given(st.integers(0, 40), st.integers(1, 5))
def test_each_element_is_done_once_in_ranges_about_equally_long(n, number):
    visits, sizes = np.zeros(n, np.int64), np.zeros(n, np.int64)
    count(number, visits, sizes)
    assert (visits == 1).all()
    n_ranges = min(n, number)
    assert set(sizes) <= {n // n_ranges, -(-n // n_ranges)} if n else not len(sizes)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("place", [0, 50, 99])
def test_what_a_range_raises_is_raised(number, place):
    visits = np.zeros(100, np.int64)
    visits[place] = -1
    with pytest.raises(IndexError, match="not to be visited"):
        count(number, visits, np.zeros_like(visits))


def test_several_threads_may_have_teams_at_the_same_time():
    def work(_):
        visits, sizes = np.zeros(1000, np.int64), np.zeros(1000, np.int64)
        for _ in range(20):
            count(2, visits, sizes)
        return visits

    with ThreadPoolExecutor(4) as pool:
        assert all((visits == 20).all() for visits in pool.map(work, range(16)))


def test_few_rows_and_other_threads_than_the_main_one_have_no_team():
    with threads(2):
        assert threads_for(FEWEST_ROWS - 1) == 1
        assert threads_for(FEWEST_ROWS) == 2
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(threads_for, 1000).result() == 1
    with threads(1):
        assert threads_for(1000) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_waits_for_no_team():
    def work():
        visits = np.zeros(1000, np.int64)
        count(threads_for(1000), visits, np.zeros_like(visits))
        os._exit(0 if (visits == 1).all() else 1)

    with threads(2):
        count(threads_for(1000), np.zeros(1000, np.int64), np.zeros(1000, np.int64))
        assert status_of(forked(work)) == 0


# -- loops of the package: the same bits with one thread and with several -------------------


def numbers(*shape, grad=True):
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))
    return values.requires_grad_(grad)


def below(stop, *shape):
    return torch.randint(0, stop, shape, generator=torch.Generator().manual_seed(stop))


def joined():
    inputs = [numbers(40, WIDTH + 3), numbers(WIDTH), numbers(30, 7)]
    states, centre, embedded = inputs
    return inputs, join(states, below(40, N), centre, embedded, below(30, N))


def mixed():
    n_negatives, n_versions, n_cells, n_slots = 25, 31, 9, 6
    inputs = [numbers(N), numbers(N, n_versions), numbers(N, n_slots), numbers(n_cells)]
    positive, products, weights, table = inputs
    columns, shares = below(n_versions, N, n_negatives).int(), numbers(n_negatives, grad=False)
    loss = mixture_loss(
        positive, products, columns, shares,
        below(50, N), below(50, n_negatives), weights, below(2, N, n_slots).bool(), table,
        below(n_cells, N, n_negatives).int(), below(n_cells, N).int(),
    )  # fmt: skip
    return inputs, loss


def weighed():
    sizes, n_numbers, n_behaviours, width = (4, 3), 8, 3, 9
    gates, inner = numbers(N, 2), numbers(N, 2, width)
    bias, weights = numbers(7), numbers(2, width)
    slots = [numbers(size, width) for size in sizes]
    tables = [numbers(n_behaviours, width) for _ in sizes]
    matrices, bases = [numbers(width, n_numbers) for _ in sizes], [numbers(width) for _ in sizes]
    columns = numbers(N, 7, n_numbers, grad=False), below(n_behaviours, N, 7)
    weights_of_slots = weigh(
        *columns, torch.zeros(N, 7, dtype=torch.bool), gates, inner, bias, slots, tables,
        matrices, bases, weights, sizes, 1.5, 2.0,
    )  # fmt: skip
    return [gates, inner, bias, weights, *slots, *tables, *matrices, *bases], weights_of_slots


def was_read():
    initial = numbers(WIDTH)
    known = below(2, 50).bool()
    return [initial], read(numbers(50, WIDTH, grad=False), known, below(50, N), initial)


@pytest.mark.parametrize("work", [joined, mixed, weighed, was_read])
def test_results_and_gradients_have_the_same_bits_with_any_number_of_threads(work):
    def done(number):
        with threads(number):
            inputs, result = work()
            weights = torch.linspace(-1, 1, result.numel()).reshape(result.shape)
            return [result, *torch.autograd.grad((result * weights).sum(), inputs)]

    expected = done(1)
    for number in (2, 3):
        for one, other in zip(expected, done(number), strict=True):
            assert torch.equal(one, other)


def test_lazy_adam_has_the_same_bits_with_any_number_of_threads():
    def stepped(number):
        table = torch.nn.Parameter(numbers(90, WIDTH, grad=False))
        optimizer = LazyAdam([table], lr=0.1)
        with threads(number):
            for step in range(3):
                rows = below(90 - step, 1, N)
                values = numbers(N, WIDTH, grad=False)
                table.grad = torch.sparse_coo_tensor(
                    rows, values, table.shape, check_invariants=True
                )
                optimizer.step()
        return table.detach()

    assert torch.equal(stepped(1), stepped(2))
    assert torch.equal(stepped(1), stepped(3))


@pytest.mark.parametrize("n_rows", [1, N])
def test_cells_are_the_same_with_any_number_of_threads(n_rows):
    rng = np.random.default_rng(n_rows)
    kinds = rng.integers(0, 4, 60).astype(np.int32)
    columns = rng.integers(0, 60, (n_rows, 20)).astype(np.int32)
    at = np.sort(rng.uniform(0, 1e6, N))
    arguments = kinds, rng.random(60) < 0.7, rng.uniform(0, 1e6, 60), columns, at
    with threads(1):
        expected = cells_of_columns(*arguments)
    with threads(3):
        np.testing.assert_array_equal(cells_of_columns(*arguments), expected)


def test_what_is_written_is_the_same_with_any_number_of_threads():
    ids, rows = torch.randperm(2 * N)[:N], below(N, N)
    tables = []
    for number in (1, 2):
        states, known = torch.zeros(2 * N, WIDTH), torch.zeros(2 * N, dtype=torch.bool)
        with threads(number):
            write(states, known, ids, numbers(N, WIDTH, grad=False), rows, 9)
        tables.append((states, known))
    assert all(map(torch.equal, *tables))
