import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.attention import attend, attend_by_formula

GAIN, SPEED = 2.0, 20.0
LEARNED = (0, 1, 5, 6, 7)


def arguments(seed, n, length, width, n_heads=2, n_distinct=9, dtype=torch.float64):
    torch.manual_seed(seed)
    there = torch.arange(length) < torch.randint(0, length + 1, (n, 1))
    found = torch.randint(0, max(n_distinct, 1), (n, length))
    shapes = (n, n_heads, width), (n_distinct, width)
    vectors = [torch.randn(shape, dtype=dtype).requires_grad_() for shape in shapes]
    shapes = (n_heads, length), (n_heads, 3), (n_heads, 2)
    biases = [(torch.randn(shape, dtype=dtype) / 20).requires_grad_() for shape in shapes]
    places = torch.where(there & (n_distinct > 0), found, -1)
    behaviours, ages = torch.randint(0, 3, (n, length)), torch.randn(n, length, dtype=dtype)
    return [*vectors, places, behaviours, ages, *biases, GAIN, SPEED]


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(0, 20),
    length=st.sampled_from([1, 7, 20]),
    width=st.sampled_from([1, 5, 40]),
    n_heads=st.integers(1, 3),
    n_distinct=st.sampled_from([0, 1, 30]),
)
def test_equals_the_formula_with_gradients(seed, n, length, width, n_heads, n_distinct):
    values = arguments(seed, n, length, width, n_heads, n_distinct)
    by = torch.randn(n, n_heads, width, dtype=torch.float64)
    compiled, formula = attend(*values), attend_by_formula(*values)
    torch.testing.assert_close(compiled, formula, rtol=1e-9, atol=1e-9)
    if n_distinct == 0:
        return
    learned = [values[place] for place in LEARNED]
    pairs = zip(
        torch.autograd.grad(compiled, learned, by),
        torch.autograd.grad(formula, learned, by),
        strict=True,
    )
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_gradcheck():
    values = arguments(3, 5, 6, 4)

    def of_learned(*learned):
        given_ = list(values)
        for place, value in zip(LEARNED, learned, strict=True):
            given_[place] = value
        return attend(*given_)

    assert torch.autograd.gradcheck(of_learned, [values[place] for place in LEARNED])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("width", [3, 37])
def test_rows_do_not_depend_on_each_other(dtype, width):
    values = arguments(1, 130, 20, width, dtype=dtype)
    whole = attend(*values)
    assert whole.dtype == dtype
    for rows in (torch.arange(1), torch.arange(7, 8), torch.randperm(130)[:90]):
        own = [values[place][rows] for place in (2, 3, 4)]
        some = attend(values[0][rows], values[1], *own, *values[5:])
        assert torch.equal(some, whole[rows])


def test_single_precision_is_as_exact_as_it_can_be():
    values = arguments(5, 40, 20, 16, dtype=torch.float32)
    double = [
        value.double() if torch.is_tensor(value) and value.is_floating_point() else value
        for value in values
    ]
    torch.testing.assert_close(attend(*values).double(), attend(*double), rtol=1e-4, atol=1e-5)


def test_a_row_without_items_attends_to_nothing():
    values = arguments(2, 4, 3, 5)
    values[2] = torch.full_like(values[2], -1)
    # What the others say does not matter there.
    values[3] = torch.full_like(values[3], -9)
    values[4] = torch.full_like(values[4], torch.nan)
    assert torch.equal(attend(*values), torch.zeros(4, 2, 5, dtype=torch.float64))


def test_shares_add_up_to_one():
    values = arguments(4, 30, 6, 5)
    values[1] = torch.ones_like(values[1])
    known = (values[2] >= 0).any(dim=1)
    assert known.any()
    torch.testing.assert_close(attend(*values)[known], torch.ones(int(known.sum()), 2, 5).double())
