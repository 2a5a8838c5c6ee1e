"""What events tell updates: a formula, and both sides as each alone."""

import pytest
import torch

from recbole_imn.kernels.event_input import event_input, event_input_formula, event_inputs


def given(dtype=torch.double):
    torch.manual_seed(0)
    shapes = ((5, 2), (5,), (3, 5))
    user, item = (
        tuple(torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes)
        for _ in range(2)
    )
    elapsed = torch.randn(7, 2), torch.randn(7, 2)
    return elapsed, torch.randint(0, 3, (7,)), (user, item)


def test_both_sides_are_each_alone_and_the_formula():
    elapsed, behaviour, (user, item) = given()
    both = event_inputs(elapsed, behaviour, user, item)
    for function in (event_input, event_input_formula):
        alone = [
            function(times.double(), behaviour, *side)
            for times, side in zip(elapsed, (user, item), strict=True)
        ]
        torch.testing.assert_close(both, torch.cat(alone, dim=1), atol=1e-14, rtol=1e-14)


def test_gradients():
    elapsed, behaviour, (user, item) = given()

    def inputs(*weights):
        return event_inputs(elapsed, behaviour, weights[:3], weights[3:])

    assert torch.autograd.gradcheck(inputs, (*user, *item))


@pytest.mark.parametrize("wrong", [-1, 3])
def test_behaviours_are_looked_at(wrong):
    elapsed, behaviour, sides = given()
    behaviour[2] = wrong
    with pytest.raises(IndexError):
        event_inputs(elapsed, behaviour, *sides)
