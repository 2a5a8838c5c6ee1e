"""The compiled recursion against one event at a time, and against products of levels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.stream.cells import CELLS
from recbole_imn.stream.level_products import recur_by_levels
from recbole_imn.stream.levels import plan_levels
from recbole_imn.stream.recurrence import recur
from tests.kernels.recurrence_cases import naive_recurrence, random_numbers, random_plan, replay

NAMES = sorted(CELLS)


def with_gradients(function, numbers, grad):
    numbers = [values.clone().requires_grad_() for values in numbers]
    buffer = function(*numbers)
    return [buffer.detach(), *torch.autograd.grad(buffer, numbers, grad)]


@pytest.mark.parametrize("way", [recur, recur_by_levels])
@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    n_slots=st.integers(1, 3),
    n_events=st.integers(1, 30),
    n_initial=st.integers(1, 12),
    width=st.sampled_from([1, 3, 8, 16, 33]),
    seed=st.integers(0, 10_000),
)
def test_states_and_gradients_equal_the_naive_loop(
    way, name, n_slots, n_events, n_initial, width, seed
):
    rng = np.random.default_rng(seed)
    plan = random_plan(rng, n_events, n_slots, n_initial)
    numbers = random_numbers(rng, plan, CELLS[name], width)
    grad = torch.tensor(rng.normal(size=(n_initial + n_events * n_slots, numbers[0].shape[1])))
    found = with_gradients(lambda *n: way(*n, plan, CELLS[name]), numbers, grad)
    expected = with_gradients(lambda *n: naive_recurrence(*n, plan, name), numbers, grad)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_is_near_double(name):
    rng = np.random.default_rng(0)
    plan = random_plan(rng, 100, 2, 20)
    numbers = random_numbers(rng, plan, CELLS[name], 64)
    grad = torch.tensor(rng.normal(size=(220, numbers[0].shape[1])))
    exact = with_gradients(lambda *n: recur(*n, plan, CELLS[name]), numbers, grad)
    single = [values.float() for values in numbers]
    found = with_gradients(lambda *n: recur(*n, plan, CELLS[name]), single, grad.float())
    for one, other in zip(found, exact, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one.double(), other, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("width", [8, 10, 16, 33, 128])
@pytest.mark.parametrize("name", NAMES)
def test_bits_do_not_depend_on_the_window(name, width):
    rng = np.random.default_rng(width)
    cell, n_events = CELLS[name], 400
    users = np.minimum(rng.geometric(0.1, n_events), 30)
    items = 31 + np.minimum(rng.geometric(0.02, n_events), 80)
    numbers = random_numbers(
        rng, random_plan(rng, n_events, 2, 112), cell, width, dtype=torch.float32
    )
    whole = replay(users, items, n_events, *numbers, cell)
    for size in (1, 2, 3, 7, 256):
        assert torch.equal(replay(users, items, size, *numbers, cell), whole), size


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    width=st.sampled_from([5, 8, 32, 40]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 10_000),
)
def test_bits_of_an_event_do_not_depend_on_others(name, width, dtype, seed):
    """Of independent events any number, in any order, give the same rows."""
    rng = np.random.default_rng(seed)
    cell, n = CELLS[name], 40
    rows = rng.integers(0, 30, (n, 2))
    plan = plan_levels(rows, 30)
    initial, inputs, weight = random_numbers(rng, plan, cell, width, dtype=dtype)
    whole = recur(initial, inputs, weight, plan, cell)[30:].view(n, 2, -1)
    some = rng.permutation(n)[: rng.integers(1, n + 1)]
    part = recur(initial, inputs[some], weight, plan_levels(rows[some], 30), cell)
    assert torch.equal(part[30:].view(len(some), 2, -1), whole[some])


@pytest.mark.parametrize("name", NAMES)
def test_backward_is_deterministic(name):
    rng = np.random.default_rng(1)
    plan = random_plan(rng, 80, 2, 9)
    numbers = random_numbers(rng, plan, CELLS[name], 10, dtype=torch.float32)
    grad = torch.ones(9 + 160, numbers[0].shape[1])
    first, second = (
        with_gradients(lambda *n: recur(*n, plan, CELLS[name]), numbers, grad) for _ in range(2)
    )
    assert all(map(torch.equal, first, second))


@pytest.mark.parametrize("name", NAMES)
def test_strides_of_arguments_make_no_difference(name):
    rng = np.random.default_rng(2)
    plan = random_plan(rng, 20, 2, 5)
    numbers = random_numbers(rng, plan, CELLS[name], 16)
    grad = torch.tensor(rng.normal(size=(45, numbers[0].shape[1])))
    turned = [values.t().contiguous().t() for values in (*numbers, grad)]
    straight = with_gradients(lambda *n: recur(*n, plan, CELLS[name]), numbers, grad)
    found = with_gradients(lambda *n: recur(*n, plan, CELLS[name]), turned[:3], turned[3])
    assert all(map(torch.equal, straight, found))


@pytest.mark.parametrize("way", [recur, recur_by_levels])
@pytest.mark.parametrize("name", NAMES)
def test_no_events_leave_the_initial_rows(name, way):
    rng = np.random.default_rng(3)
    plan = random_plan(rng, 0, 2, 5)
    initial, inputs, weight = random_numbers(rng, plan, CELLS[name], 4)
    initial.requires_grad_()
    buffer = way(initial, inputs, weight.requires_grad_(), plan, CELLS[name])
    buffer.sum().backward()
    assert torch.equal(buffer, initial)
    assert torch.equal(initial.grad, torch.ones_like(initial))


@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_are_none_are_passed_on(name):
    plan = plan_levels(np.array([[0, 1], [2, 1], [0, 1]]), 2)
    initial, inputs, weight = random_numbers(
        np.random.default_rng(4), plan, CELLS[name], 16, dtype=torch.float32
    )
    inputs[0] = torch.nan
    buffer = recur(initial, inputs, weight, plan, CELLS[name])
    # Attention keeps older inputs beside what it makes of all.
    assert buffer[2:6, :16].isnan().all()
    assert buffer[6:].isfinite().all()


@pytest.mark.parametrize("wrong", ["initial", "inputs", "weight"])
@pytest.mark.parametrize("name", NAMES)
def test_shapes_that_do_not_fit_are_refused(name, wrong):
    rng = np.random.default_rng(5)
    plan = random_plan(rng, 6, 2, 5)
    numbers = dict(
        zip(
            ["initial", "inputs", "weight"],
            random_numbers(rng, plan, CELLS[name], 4),
            strict=True,
        )
    )
    numbers[wrong] = numbers[wrong][:-1]
    with pytest.raises(ValueError, match=rf"{wrong} has the shape \["):
        recur(**numbers, plan=plan, cell=CELLS[name])
