"""Lazy Adam against torch's own, over several steps."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels import lazy_adam
from recbole_imn.kernels.lazy_adam import LazyAdam


def sparse(rows, values, n):
    """Gradient that is not coalesced."""
    size = (n, *values.shape[1:])
    return torch.sparse_coo_tensor(rows.unsqueeze(0), values, size, check_invariants=True)


def steps(seed, n, width, dtype, n_steps=6, most=20):
    """Gradients of some steps, with repeated rows, each of two that were accumulated."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(n_steps):
        grad = None
        for _ in range(2):
            size = int(torch.randint(0, most, (1,), generator=generator))
            rows = torch.randint(0, n, (size,), generator=generator)
            values = torch.randn(size, width, generator=generator, dtype=torch.float64).to(dtype)
            more = sparse(rows, values, n)
            grad = more if grad is None else grad + more
        yield grad


def tables(*classes, n=10, width=7, dtype=torch.float64, **options):
    """Optimisers of equal weights."""
    start = torch.randn(n, width, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    for of in classes:
        weight = torch.nn.Parameter(start.to(dtype, copy=True))
        yield weight, of([weight], **options)


@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 30),
    width=st.integers(1, 70),
    maximize=st.booleans(),
)
def test_weights_equal_those_of_torch(dtype, close, seed, n, width, maximize):
    options = {"lr": 0.03, "betas": (0.8, 0.95), "maximize": maximize}
    (ours, first), (theirs, second) = tables(
        LazyAdam, torch.optim.SparseAdam, n=n, width=width, dtype=dtype, **options
    )
    for grad in steps(seed, n, width, dtype):
        ours.grad, theirs.grad = grad.clone(), grad.clone()
        first.step()
        second.step()
        # A mean near none is divided by a root near none: rounding weighs as much as a step.
        torch.testing.assert_close(ours, theirs, rtol=close, atol=20 * close)
    assert first.state[ours]["step"] == second.state[theirs]["step"]
    for name in ("exp_avg", "exp_avg_sq"):
        torch.testing.assert_close(
            first.state[ours][name], second.state[theirs][name], rtol=20 * close, atol=close
        )


def test_the_formula_for_other_devices_gives_the_same(monkeypatch):
    (ours, first), (theirs, second) = tables(LazyAdam, LazyAdam)
    for grad in steps(0, 10, 7, torch.float64):
        ours.grad, theirs.grad = grad, grad.clone()
        first.step()
        with monkeypatch.context() as patch:
            patch.setattr(lazy_adam, "is_compiled", lambda values: False)
            second.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 0)])
def test_states_of_one_optimiser_load_into_the_other(before, after):
    classes = (LazyAdam, torch.optim.SparseAdam)
    ((expected, whole),) = tables(classes[before])
    ((weight, saved),) = tables(classes[before])
    grads = list(steps(1, 10, 7, torch.float64))
    for grad in grads[:3]:
        weight.grad = grad
        saved.step()
    state = copy.deepcopy(saved.state_dict())
    loaded = classes[after]([weight])
    loaded.load_state_dict(state)
    for grad in grads[3:]:
        weight.grad = grad
        loaded.step()
    for grad in grads:
        expected.grad = grad
        whole.step()
    torch.testing.assert_close(weight, expected, rtol=1e-12, atol=1e-12)
    assert loaded.state_dict()["state"][0].keys() == whole.state_dict()["state"][0].keys()
    assert loaded.state_dict()["param_groups"][0].keys() == state["param_groups"][0].keys()


def test_rows_without_gradients_stay_and_do_not_matter():
    (weight, optimizer), (other, alone) = tables(LazyAdam, LazyAdam, dtype=torch.float32)
    before = weight.detach().clone()
    rows, values = torch.tensor([4, 2, 4]), torch.randn(3, 7)
    weight.grad, other.grad = sparse(rows, values, 10), sparse(rows[[0, 2]], values[[0, 2]], 10)
    optimizer.step()
    alone.step()
    untouched = [row for row in range(10) if row not in (2, 4)]
    assert torch.equal(weight[untouched], before[untouched])
    assert torch.equal(weight[4], other[4])
    assert not (weight[[2, 4]] == before[[2, 4]]).any()


def test_a_step_counts_as_a_change_in_place():
    ((weight, optimizer),) = tables(LazyAdam)
    weight.grad = sparse(torch.tensor([1]), torch.ones(1, 7, dtype=torch.float64), 10)
    product = (weight * weight).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.backward()


def test_an_empty_gradient_counts_as_a_step_only():
    ((weight, optimizer),) = tables(LazyAdam)
    before = weight.detach().clone()
    weight.grad = sparse(torch.zeros(0, dtype=torch.long), torch.zeros(0, 7).double(), 10)
    optimizer.step()
    assert torch.equal(weight, before)
    assert optimizer.state[weight]["step"] == 1


def test_dense_gradients_are_refused():
    ((weight, optimizer),) = tables(LazyAdam)
    weight.grad = torch.ones_like(weight)
    with pytest.raises(RuntimeError, match="does not support dense gradients"):
        optimizer.step()


def test_a_closure_is_called_and_embeddings_learn():
    table = torch.nn.Embedding(5, 3, sparse=True)
    optimizer = LazyAdam(table.parameters(), lr=torch.tensor(0.1))

    def closure():
        optimizer.zero_grad()
        loss = table(torch.tensor([1, 1, 3])).square().sum()
        loss.backward()
        return loss

    losses = [float(optimizer.step(closure).detach()) for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0]
