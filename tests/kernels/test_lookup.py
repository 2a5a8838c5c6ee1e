"""Rows of a table and the row that some share: a formula, and its gradients."""

import pytest
import torch

from recbole_imn.kernels.lookup import look_up, look_up_formula


@pytest.mark.parametrize("salt", [None, 3, 2**20 + 7])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_values_and_gradients_are_those_of_the_formula(salt, share):
    torch.manual_seed(0)
    ids = torch.cat([torch.arange(60), torch.tensor([0, 5, 5, 40, 41, 10**6])])
    found = []
    for function in (look_up, look_up_formula):
        torch.manual_seed(1)
        weight = torch.randn(41, 4, dtype=torch.double, requires_grad=True)
        shared = torch.randn(4, dtype=torch.double, requires_grad=True)
        rows = function(weight, shared, ids, salt, share)
        (rows * torch.randn_like(rows)).sum().backward()
        assert weight.grad.is_sparse
        found.append((rows.detach(), weight.grad.to_dense(), shared.grad))
    assert torch.equal(found[0][0], found[1][0])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-13, rtol=1e-13)


def test_some_ids_are_left_out_and_nobody_never_is():
    weight, shared = torch.zeros(1000, 2), torch.ones(2)
    rows = look_up(weight, shared, torch.arange(1000), 5, 0.3)[:, 0]
    assert 200 < rows.sum() < 400
    assert rows[0] == 0
    assert not look_up(weight, shared, torch.arange(1000), None, 0.3).any()


def test_ids_are_looked_at():
    with pytest.raises(IndexError):
        look_up(torch.zeros(3, 2), torch.ones(2), torch.tensor([1, -1]), None, 0.0)
