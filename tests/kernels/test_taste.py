import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.taste import profile, profile_by_formula

SPEED = 20.0


def arguments(seed, n, length, n_columns, n_behaviours=3, n_items=40, dtype=torch.float64):
    torch.manual_seed(seed)
    lengths = torch.randint(0, length + 1, (n, 1))
    columns = torch.arange(length)
    known = columns < lengths
    parameters = [
        (torch.randn(shape, dtype=dtype) / 20).requires_grad_()
        for shape in ((length,), (n_behaviours,), (2,), ())
    ]
    return (
        torch.randn(n_items, n_columns, dtype=dtype),
        torch.where(known, torch.randint(1, n_items, (n, length)), torch.randint(-1, 1, (n, 1))),
        torch.randint(0, n_behaviours, (n, length)),
        torch.randn(n, length, dtype=dtype),
        (lengths - 1 - columns).clamp(min=0),
        *parameters,
        SPEED,
    )


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(0, 20),
    length=st.sampled_from([1, 7, 50]),
    n_columns=st.sampled_from([0, 1, 5, 40]),
)
def test_equals_the_formula_with_gradients(seed, n, length, n_columns):
    values = arguments(seed, n, length, n_columns)
    by = torch.randn(n, n_columns, dtype=torch.float64)
    compiled, formula = profile(*values), profile_by_formula(*values)
    torch.testing.assert_close(compiled, formula, rtol=1e-10, atol=1e-10)
    pairs = zip(
        torch.autograd.grad(compiled, values[5:9], by),
        torch.autograd.grad(formula, values[5:9], by),
        strict=True,
    )
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_gradcheck():
    values = arguments(3, 5, 6, 4)
    assert torch.autograd.gradcheck(
        lambda *parameters: profile(*values[:5], *parameters, SPEED), values[5:9]
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_columns", [3, 37])
def test_rows_do_not_depend_on_each_other(dtype, n_columns):
    values = arguments(1, 50, 20, n_columns, dtype=dtype)
    whole = profile(*values)
    assert whole.dtype == dtype
    for rows in (torch.arange(1), torch.arange(7, 8), torch.randperm(50)[:13]):
        some = profile(values[0], *(value[rows] for value in values[1:5]), *values[5:])
        assert torch.equal(some, whole[rows])


def test_a_row_without_items_has_no_profile():
    values = list(arguments(2, 4, 3, 5))
    values[1] = torch.zeros_like(values[1])
    # What the others say does not matter there.
    values[2] = torch.full_like(values[2], -9)
    values[3] = torch.full_like(values[3], torch.nan)
    assert torch.equal(profile(*values), torch.zeros(4, 5, dtype=torch.float64))
