"""Distances and log density ratios: a formula and its gradients."""

import pytest
import torch

from recbole_imn.kernels.comparison import compare, compare_formula

CHUNKS = [(0, 4, 3), (4, 7, 5)]


def inputs(columns, dtype=torch.double):
    torch.manual_seed(0)
    width, n_maps = 6, 1 + (0 <= columns[0] != columns[1] >= 0)
    mapped = torch.randn(7, n_maps * width, dtype=dtype, requires_grad=True)
    represented = torch.randn(7 + 3 + 5, width, dtype=dtype, requires_grad=True)
    temperature = torch.tensor(-0.7, dtype=dtype, requires_grad=True)
    return mapped, represented, temperature


@pytest.mark.parametrize("columns", [(0, 6), (0, 0), (-1, 0), (0, -1)])
def test_values_and_gradients_are_those_of_the_formula(columns):
    given, same = inputs(columns), inputs(columns)
    found, expected = compare(*given, columns, CHUNKS), compare_formula(*same, columns, CHUNKS)
    losses = []
    for squares, scores, products in (found, expected):
        torch.manual_seed(1)
        loss = 0.3 * squares + (torch.randn(7, dtype=torch.double) * scores).sum()
        for values in products:
            loss = loss + (torch.randn(values.shape, dtype=torch.double) * values).sum()
        losses.append(loss)
        loss.backward()
    torch.testing.assert_close(found[0], expected[0], atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(losses[0], losses[1], atol=1e-12, rtol=1e-12)
    assert [values.shape for values in found[2]] == [(4, 3), (3, 5)]
    for one, other in zip(given, same, strict=True):
        grad = torch.zeros_like(one) if other.grad is None else other.grad
        torch.testing.assert_close(one.grad, grad, atol=1e-12, rtol=1e-12)


def test_targets_of_predictions_get_no_gradient():
    mapped, represented, temperature = inputs((0, 0))
    compare(mapped, represented, temperature, (0, 0), CHUNKS)[0].backward()
    assert not represented.grad.any()
    assert mapped.grad.any()
