"""What is held after purchases: the compiled loops against their formula."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.holdings import held, held_by_formula


def arguments(seed, n, length, n_cells, dtype=torch.float64):
    torch.manual_seed(seed)
    known = torch.arange(length) < torch.randint(0, length + 1, (n, 1))
    items = torch.where(known, torch.randint(1, 30, (n, length)), 0)
    cells = torch.rand(30, n_cells, dtype=dtype)
    ages = 5 * torch.rand(n, length, dtype=dtype)
    return cells, items, ages, torch.tensor(0.7, dtype=dtype, requires_grad=True)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(0, 20),
    length=st.sampled_from([1, 3, 10]),
    n_cells=st.sampled_from([0, 1, 5, 40]),
)
def test_equals_the_formula_with_its_gradient(seed, n, length, n_cells):
    values = arguments(seed, n, length, n_cells)
    by = torch.randn(n, n_cells, dtype=torch.float64)
    compiled, formula = held(*values), held_by_formula(*values)
    torch.testing.assert_close(compiled, formula, rtol=1e-10, atol=1e-10)
    ours, theirs = (torch.autograd.grad(found, values[3], by)[0] for found in (compiled, formula))
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_gradcheck():
    *given_values, rate = arguments(3, 5, 6, 4)
    assert torch.autograd.gradcheck(lambda rate: held(*given_values, rate), [rate])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_cells", [3, 37])
def test_rows_do_not_depend_on_each_other(dtype, n_cells):
    cells, items, ages, rate = arguments(1, 50, 10, n_cells, dtype)
    whole = held(cells, items, ages, rate)
    assert whole.dtype == dtype
    for rows in (torch.arange(1), torch.arange(7, 8), torch.randperm(50)[:13]):
        assert torch.equal(held(cells, items[rows], ages[rows], rate), whole[rows])


def test_who_purchased_nothing_holds_nothing():
    cells, items, ages, rate = arguments(2, 4, 3, 5)
    # What the others say does not matter there.
    nothing = held(cells, torch.zeros_like(items), torch.full_like(ages, torch.nan), rate)
    assert torch.equal(nothing, torch.zeros(4, 5, dtype=torch.float64))
