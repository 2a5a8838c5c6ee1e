"""Fused layers against their formulas, their gradients, and row by row."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from recbole_imn.kernels.conditioning import (
    condition,
    condition_formula,
    condition_rows,
    project,
    project_formula,
    unit,
    unit_formula,
)


def draw(seed, n=7, m=5, width=6, stored=9, dtype=torch.float64):
    """States with more columns than needed, rows with repeats, elapsed, drift, and centre."""
    generator = torch.Generator().manual_seed(seed)
    states, elapsed, drift, centre = (
        torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)
        for shape in [(m, stored), (n, 2), (width, 2), (width,)]
    )
    rows = torch.randint(0, m, (n,), generator=generator)
    for leaf in (states, drift, centre):
        leaf.requires_grad_()
    return states, rows, elapsed.float(), drift, centre


def ways(states, rows, elapsed, drift, centre):
    """Each function and its formula, with the leaves that they have gradients for."""
    width = len(centre)
    values = states[:, :width]
    return {
        "project": (
            lambda: project(states, rows, elapsed, drift),
            lambda: project_formula(states, rows, elapsed.to(states.dtype), drift),
            (states, drift),
        ),
        "condition": (
            lambda: condition(values, centre),
            lambda: condition_formula(values, centre),
            (states, centre),
        ),
        "condition_rows": (
            lambda: condition_rows(states, rows, centre),
            lambda: condition_formula(states[rows, :width], centre),
            (states, centre),
        ),
        "unit": (lambda: unit(values), lambda: unit_formula(values), (states,)),
    }


NAMES = ["project", "condition", "condition_rows", "unit"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(0, 9),
    m=st.integers(1, 9),
    width=st.integers(1, 40),
    more=st.integers(0, 2),
)
def test_results_and_gradients_equal_the_formula(name, seed, n, m, width, more):
    function, formula, leaves = ways(*draw(seed, n, m, width, width + more))[name]
    out, expected = function(), formula()
    torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)
    upstream = torch.randn(out.shape, dtype=out.dtype, generator=torch.Generator().manual_seed(1))
    ours = torch.autograd.grad(out, leaves, upstream)
    theirs = torch.autograd.grad(expected, leaves, upstream)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_equals_the_formula(name):
    function, formula, leaves = ways(*draw(3, 256, 300, 128, 130, torch.float32))[name]
    out, expected = function(), formula()
    torch.testing.assert_close(out, expected, rtol=1e-5, atol=1e-5)
    ours, theirs = (torch.autograd.grad(some.sum(), leaves) for some in (out, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_gradients_are_those_of_finite_differences():
    states, rows, elapsed, drift, centre = draw(0)
    assert gradcheck(lambda s, w: project(s, rows, elapsed, w), (states, drift))
    assert gradcheck(lambda s, c: condition_rows(s, rows, c), (states, centre))
    values = states[:, : len(centre)].detach().clone().requires_grad_()
    assert gradcheck(condition, (values, centre))
    assert gradcheck(unit, (values,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("width", [3, 16, 128, 131])
def test_a_row_does_not_depend_on_other_rows(dtype, width):
    torch.manual_seed(0)
    states, rows, elapsed, drift, centre = draw(5, 70, 40, width, width + 3, dtype)
    values = states.detach()[rows, :width]
    upstream = torch.randn(values.shape, dtype=dtype)
    functions = {
        "project": lambda k, leaf: project(leaf, torch.arange(len(k)), elapsed[k], drift),
        "condition": lambda k, leaf: condition(leaf, centre),
        "rows": lambda k, leaf: condition_rows(leaf, torch.arange(len(k)), centre),
        "unit": lambda k, leaf: unit(leaf),
    }
    for function in functions.values():
        whole = values.clone().requires_grad_()
        out = function(torch.arange(70), whole)
        out.backward(upstream)
        for k in (torch.tensor([0]), torch.tensor([69]), torch.arange(3, 36), torch.randperm(70)):
            leaf = values[k].clone().requires_grad_()
            part = function(k, leaf)
            part.backward(upstream[k])
            assert torch.equal(part, out[k])
            assert torch.equal(leaf.grad, whole.grad[k])


def test_rows_at_the_centre_and_without_length_are_finite():
    zeros = torch.zeros(2, 4, dtype=torch.float64, requires_grad=True)
    for function in (unit, lambda values: condition(values, torch.zeros(4, dtype=torch.float64))):
        out = function(zeros)
        assert torch.equal(out, torch.zeros_like(out))
        (grad,) = torch.autograd.grad(out.sum(), zeros)
        assert grad.isfinite().all()


def test_what_is_no_number_stays_none():
    broken = torch.full((1, 4), torch.nan)
    assert unit(broken).isnan().all()
    assert condition(broken, torch.zeros(4)).isnan().all()
    assert project(broken, torch.tensor([0]), torch.zeros(1, 2), torch.zeros(4, 2)).isnan().all()


@pytest.mark.parametrize("row", [-1, 5])
def test_rows_outside_the_states_are_refused(row):
    states, _, elapsed, drift, centre = draw(0)
    rows = torch.tensor([0, row])
    with pytest.raises(IndexError, match="not one of the states"):
        project(states, rows, elapsed[:2], drift)
    with pytest.raises(IndexError, match="not one of the states"):
        condition_rows(states, rows, centre)


def test_formulas_serve_other_kinds_of_numbers():
    states, rows, elapsed, drift, centre = (
        part.detach() if part.dtype == torch.int64 else part.detach().to(torch.bfloat16)
        for part in draw(0)
    )
    values = states[:, : len(centre)]
    assert project(states, rows, elapsed, drift).dtype == torch.bfloat16
    assert torch.equal(condition(values, centre), condition_formula(values, centre))
    assert torch.equal(condition_rows(states, rows, centre), condition(values[rows], centre))
    assert torch.equal(unit(values), unit_formula(values))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("width", [3, 128, 131])
def test_rows_of_states_get_the_bits_of_a_copy_of_them(dtype, width):
    states, rows, _, _, centre = draw(6, 70, 40, width, width + 3, dtype)
    copied = states.detach()[rows, :width]
    assert torch.equal(condition_rows(states, rows, centre), condition(copied, centre))


def test_shapes_that_do_not_agree_are_refused():
    states, rows, elapsed, drift, centre = draw(0)
    with pytest.raises(ValueError, match="do not agree"):
        project(states, rows, elapsed[1:], drift)
    with pytest.raises(ValueError, match="do not agree"):
        project(states[:, :3], rows, elapsed, drift)
    with pytest.raises(ValueError, match="fewer columns"):
        condition(states[:, :3], centre)
