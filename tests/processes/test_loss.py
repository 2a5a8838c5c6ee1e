"""A loss in parts, with the exchange between processes played by one of them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from recbole_imn.processes import loss as losses
from recbole_imn.processes.group import Group, _Run
from recbole_imn.processes.loss import loss_of_parts
from tests.processes.together import together


def rows_of(rank: int, size: int, n: int) -> slice:
    return slice(n * rank // size, n * (rank + 1) // size)


@given(st.integers(1, 4), st.integers(1, 9), st.integers(0, 3))
def test_parts_have_the_loss_and_gradients_of_the_whole(size: int, n: int, seed: int) -> None:
    torch.manual_seed(seed)
    weight, unused = (torch.randn(3, 2, requires_grad=True) for _ in range(2))
    before = torch.randn(n, 3, requires_grad=True)
    fixed = torch.randn(n, 2)

    def whole(states: Tensor, rows: slice) -> Tensor:
        return ((states @ weight)[rows] * fixed[rows]).tanh().sum()

    expected = whole(before * 2, slice(None)) / 7
    expected.backward()
    grads = before.grad, weight.grad
    before.grad = weight.grad = None

    def of_rank(rank: int) -> tuple:
        def part(inputs: list[Tensor]) -> Tensor:
            states, constant = inputs
            assert not constant.requires_grad
            return whole(states, rows_of(rank, size, n))

        loss = loss_of_parts(part, [before * 2, fixed], [weight, unused], [None, None]) / 7
        loss.backward()
        found = loss.detach(), before.grad, weight.grad
        assert unused.grad is None
        before.grad = weight.grad = None
        return found

    for found in together(of_rank, size):
        for value, right in zip(found, (expected.detach(), *grads), strict=True):
            torch.testing.assert_close(value, right)


def test_rows_that_nobody_wants_get_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "total", lambda packed, meanwhile: packed)
    values = torch.randn(4, 2, requires_grad=True)
    wanted = torch.tensor([3, 1])
    loss_of_parts(lambda given: given[0].square().sum(), [values], [], [wanted]).backward()
    expected = 2 * values.detach()
    expected[[0, 2]] = 0
    assert torch.equal(values.grad, expected)


def test_what_is_not_exchanged_must_not_be_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Run, "group", Group(0, 2))
    table, values = torch.ones(5, 2, requires_grad=True), torch.ones(3, 2, requires_grad=True)
    with pytest.raises(ValueError, match=r"shape \[5, 2\] .* 2 processes") as raised:
        loss_of_parts(lambda given: (given[0] + table[1]).sum(), [values], [], [None], [table])
    assert "\n" not in str(raised.value)
