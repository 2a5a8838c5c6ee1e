"""One number a row: loops against the formula, and both against the update written out."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels import row_wise
from recbole_imn.kernels.row_wise import RowWise
from tests.kernels.test_lazy_adam import sparse, steps, tables


@pytest.mark.parametrize("decay", [0.9, 0.999])
@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(1, 30), width=st.integers(1, 70))
def test_loops_give_what_the_formula_gives(decay, dtype, close, seed, n, width):
    options = {"lr": 0.03, "decay": decay, "n": n, "width": width, "dtype": dtype}
    (ours, first), (theirs, second) = tables(RowWise, RowWise, **options)
    for grad in steps(seed, n, width, dtype):
        ours.grad, theirs.grad = grad.clone(), grad.clone()
        first.step()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(row_wise, "is_compiled", lambda values: False)
            second.step()
        torch.testing.assert_close(ours, theirs, rtol=close, atol=close)
    assert torch.equal(first.state[ours]["count"], second.state[theirs]["count"])


@pytest.mark.parametrize("decay", [0.9, 0.5])
def test_a_row_steps_as_it_is_written(decay):
    ((weight, optimizer),) = tables(RowWise, n=3, width=2, lr=0.1, decay=decay)
    start, square = weight.detach().clone(), 0.0
    for count, grad in enumerate(([3.0, 1.0], [-2.0, 0.5]), 1):
        weight.grad = sparse(torch.tensor([1, 1]), torch.tensor([grad, [0.0, 1.0]]).double(), 3)
        optimizer.step()
        total = [grad[0], grad[1] + 1]
        mean = (total[0] ** 2 + total[1] ** 2) / 2
        square = decay * square + (1 - decay) * mean
        root = math.sqrt(square / (1 - decay**count))
        start[1] -= 0.1 * torch.tensor(total).double() / (root + 1e-8)
        torch.testing.assert_close(weight.detach(), start)


def test_what_is_saved_goes_on_to_the_same_bits():
    options = {"lr": 0.03, "n": 5, "width": 4, "dtype": torch.float32}
    (ours, first), (theirs, second) = tables(RowWise, RowWise, **options)
    for number, grad in enumerate(steps(1, 5, 4, torch.float32)):
        if number == 2:
            theirs.data.copy_(ours.data)
            second.load_state_dict(copy.deepcopy(first.state_dict()))
            assert second.state[theirs]["count"].dtype == torch.int32
        ours.grad, theirs.grad = grad.clone(), grad.clone()
        first.step()
        second.step()
    assert number > 3
    assert torch.equal(ours, theirs)


def test_dense_gradients_are_refused():
    ((weight, optimizer),) = tables(RowWise, lr=0.1)
    weight.grad = torch.ones_like(weight)
    with pytest.raises(RuntimeError, match="dense"):
        optimizer.step()
