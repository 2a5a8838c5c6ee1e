import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.in_parallel import threads
from recbole_imn.kernels.pointer import weigh, weigh_by_formula

GAIN, SPEED = 5.0, 20.0


def arguments(seed, n, sizes, n_behaviours, n_numbers, width, full=0.5, dtype=torch.float64):
    torch.manual_seed(seed)
    n_kinds = len(sizes)

    def tensor(*shape):
        return torch.randn(shape, dtype=dtype).requires_grad_()

    return (
        torch.randn(n, sum(sizes), n_numbers, dtype=dtype),
        torch.randint(0, n_behaviours, (n, sum(sizes))),
        torch.rand(n, sum(sizes)) >= full,
        tensor(n, n_kinds),
        tensor(n, n_kinds, width),
        tensor(sum(sizes)),
        [tensor(size, width) for size in sizes],
        [tensor(n_behaviours, width) for _ in sizes],
        [tensor(width, n_numbers) for _ in sizes],
        [tensor(width) for _ in sizes],
        tensor(n_kinds, width),
        tuple(sizes),
        GAIN,
        SPEED,
    )


def parameters(values):
    _, _, _, gates, inner, bias, slots, tables, matrices, bases, weights, *_ = values
    return [gates, inner, bias, weights, *slots, *tables, *matrices, *bases]


def gradients(logits, values, by):
    kept = torch.where(values[2], 0, logits)
    return torch.autograd.grad((kept * by).sum(), parameters(values), materialize_grads=True)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(0, 40),
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    n_behaviours=st.integers(1, 3),
    widths=st.sampled_from([(1, 4), (3, 1), (8, 16), (5, 32)]),
    full=st.sampled_from([0.0, 0.25, 1.0]),
)
def test_equals_the_formula_with_gradients(seed, n, sizes, n_behaviours, widths, full):
    values = arguments(seed, n, sizes, n_behaviours, *widths, full)
    by = torch.randn(n, sum(sizes), dtype=torch.float64)
    compiled, formula = weigh(*values), weigh_by_formula(*values)
    torch.testing.assert_close(compiled, formula, rtol=1e-10, atol=1e-10)
    for ours, theirs in zip(
        gradients(compiled, values, by), gradients(formula, values, by), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_gradcheck():
    values = arguments(3, 5, (2, 3), 2, 3, 4)
    fixed, empty = values[:3], values[2]

    def of(gates, inner, bias, weights, *others):
        parts = [others[i : i + 2] for i in range(0, 8, 2)]
        logits = weigh(*fixed, gates, inner, bias, *parts, weights, *values[11:])
        return torch.where(empty, 0, logits)

    assert torch.autograd.gradcheck(of, parameters(values))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_do_not_depend_on_each_other(dtype):
    values = arguments(1, 50, (20, 30, 30), 3, 8, 16, dtype=dtype)
    whole = weigh(*values)
    assert whole.dtype == dtype
    for rows in (torch.arange(1), torch.arange(7, 8), torch.randperm(50)[:13]):
        some = weigh(*(value[rows] for value in values[:5]), *values[5:])
        assert torch.equal(some, whole[rows])


def test_what_empty_slots_have_is_not_looked_at():
    values = arguments(2, 20, (3, 2), 2, 8, 16, dtype=torch.float32)
    numbers, behaviours, empty = values[:3]
    spoilt = numbers.masked_fill(empty.unsqueeze(2), torch.nan)
    other = behaviours.masked_fill(empty, -7).int()
    logits, expected = weigh(spoilt, other, empty, *values[3:]), weigh(*values)
    assert torch.equal(logits, expected)
    assert torch.equal(torch.isneginf(logits), empty)
    by = torch.randn(20, 5)
    for ours, theirs in zip(
        gradients(logits, values, by), gradients(expected, values, by), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_float32_equals_the_formula():
    values = arguments(4, 100, (20, 30), 3, 8, 16, dtype=torch.float32)
    by = torch.randn(100, 50)
    compiled, formula = weigh(*values), weigh_by_formula(*values)
    torch.testing.assert_close(compiled, formula, rtol=1e-4, atol=1e-3)
    for ours, theirs in zip(
        gradients(compiled, values, by), gradients(formula, values, by), strict=True
    ):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_have_the_same_bits_on_several_threads(dtype):
    values = arguments(5, 100, (20, 30), 3, 8, 16, dtype=dtype)
    by = torch.randn(100, 50, dtype=dtype)
    found = []
    for number in (1, 2, 3):
        with threads(number):
            logits = weigh(*values)
            found.append([logits, *gradients(logits, values, by)])
    for others in found[1:]:
        assert all(torch.equal(*pair) for pair in zip(found[0], others, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_a_row_adds_has_a_gradient_that_does_not_depend_on_other_rows(dtype):
    values = arguments(6, 50, (20, 30), 3, 8, 16, dtype=dtype)
    by = torch.randn(50, 50, dtype=dtype)
    whole = gradients(weigh(*values), values, by)[:2]
    for rows in (torch.arange(7, 8), torch.randperm(50)[:13]):
        some = [value[rows] for value in values[:5]] + list(values[5:])
        alone = gradients(weigh(*some), some, by[rows])[:2]
        assert all(torch.equal(mine, of[rows]) for mine, of in zip(alone, whole, strict=True))


def test_more_hidden_values_than_the_loops_know_are_refused():
    with pytest.raises(ValueError, match="the pointer has 33 hidden values"):
        weigh(*arguments(0, 2, (1,), 1, 8, 33))
