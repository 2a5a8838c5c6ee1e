"""Representations: a formula, its gradients, and places that do not exist."""

import pytest
import torch

from recbole_imn.kernels.representation import join_with_latest, join_with_latest_formula


def given(dtype=torch.double):
    torch.manual_seed(0)
    states, centre = torch.randn(6, 5, dtype=dtype), torch.randn(4, dtype=dtype)
    embedded = torch.randn(3, 4, dtype=dtype)
    rows, places = torch.tensor([1, 1, 4, 5, 0]), torch.tensor([2, 0, 2, 1, 1])
    latest_rows, latest = torch.tensor([3, 1, 1]), torch.tensor([0, 2])
    weights = [values.requires_grad_() for values in (states, centre, embedded)]
    return weights, (rows, places, latest_rows, latest)


def joined(function, weights, indices):
    states, centre, embedded = weights
    rows, places, latest_rows, latest = indices
    return function(states, rows, centre, embedded, places, latest_rows, latest)


def test_values_and_gradients_are_those_of_the_formula():
    weights, indices = given()
    for one, other in zip(
        joined(join_with_latest, weights, indices),
        joined(join_with_latest_formula, weights, indices),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-14, rtol=1e-14)
    assert torch.autograd.gradcheck(
        lambda *values: joined(join_with_latest, values, indices), weights
    )


@pytest.mark.parametrize(("number", "wrong"), [(0, 6), (1, 3), (2, -1), (3, 3)])
def test_places_are_looked_at(number, wrong):
    weights, indices = given()
    indices[number][1] = wrong
    with pytest.raises(IndexError):
        joined(join_with_latest, weights, indices)
