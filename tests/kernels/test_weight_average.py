"""Means of rows brought up to date: compiled as by its formula, and whoever comes along."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.weight_average import catch_up, catch_up_formula


def case(seed, dtype, step):
    generator = torch.Generator().manual_seed(seed)
    mean, table = torch.randn(2, 12, 5, generator=generator, dtype=torch.float64).to(dtype)
    known = torch.randint(0, step + 1, (12,), generator=generator)
    rows = torch.randint(0, 12, (9,), generator=generator)
    return mean, table, known, rows


@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), step=st.integers(0, 40), horizon=st.integers(2, 30))
def test_loops_give_what_the_formula_gives(dtype, close, seed, step, horizon):
    (mean, table, known, rows), (other, _, other_known, _) = (
        case(seed, dtype, step) for _ in range(2)
    )
    before = mean.clone()
    catch_up(mean, table, known, rows, step, horizon)
    catch_up_formula(other, table, other_known, rows, step, horizon)
    torch.testing.assert_close(mean, other, rtol=close, atol=close)
    assert torch.equal(known, other_known)
    assert (known[rows] == step).all()
    left = torch.ones(12, dtype=torch.bool)
    left[rows] = False
    assert torch.equal(mean[left], before[left])


def test_a_row_is_the_same_whoever_comes_along():
    mean, table, known, rows = case(3, torch.float32, 20)
    alone = mean.clone(), known.clone()
    catch_up(mean, table, known, rows, 20, 7)
    for row in rows.unique():
        catch_up(alone[0], table, alone[1], row.reshape(1), 20, 7)
    assert torch.equal(mean, alone[0])
    assert torch.equal(known, alone[1])
