"""The mixture's probabilities against plain formulas, bit by bit where they are alike."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels.mixture import add_mixture, log_add_hits
from recbole_imn.kernels.mixture_ranking import add_mixture_formula, log_add_hits_formula


def catalogue(seed, n=6, n_items=12, n_slots=9, dtype=torch.float64):
    """Scores, candidates with repeats and empty slots, and weights."""
    rng = torch.Generator().manual_seed(seed)
    scores = torch.randn(n, n_items, generator=rng, dtype=dtype)
    items = torch.randint(0, n_items, (n, n_slots), generator=rng)
    weights = 5 * torch.randn(n, n_slots, generator=rng, dtype=dtype)
    return scores, items, weights.masked_fill(items == 0, -torch.inf)


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(0, 6),
    n_items=st.integers(1, 20),
    n_slots=st.integers(0, 12),
)
def test_ranking_equals_the_formula(seed, n, n_items, n_slots):
    scores, items, weights = catalogue(seed, n, n_items, n_slots)
    expected = scores.clone()
    if n_slots:
        add_mixture_formula(expected, items, weights)
    before = scores.clone()
    out = add_mixture(scores, items, weights)
    assert out is scores
    torch.testing.assert_close(scores, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(scores[:, 0], before[:, 0])
    own = torch.randint(0, n_items, (n,), generator=torch.Generator().manual_seed(seed))
    alone = log_add_hits(before[torch.arange(n), own], own, items, weights)
    formula = log_add_hits_formula(before[torch.arange(n), own], own, items, weights)
    torch.testing.assert_close(alone, formula, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_item_gets_the_bits_it_gets_in_the_catalogue(dtype):
    scores, items, weights = catalogue(1, 50, 15, 40, dtype)
    whole = add_mixture(scores.clone(), items, weights)
    for item in range(15):
        own = torch.full((50,), item)
        alone = log_add_hits(scores[:, item], own, items, weights)
        assert torch.equal(alone, whole[:, item])
    for rows in (torch.tensor([0]), torch.tensor([49]), torch.arange(7, 20), torch.randperm(50)):
        part = add_mixture(scores[rows], items[rows], weights[rows])
        assert torch.equal(part, whole[rows])
        own = rows % 15
        alone = log_add_hits(scores[rows, own], own, items[rows], weights[rows])
        assert torch.equal(alone, whole[rows, own])


def test_scores_that_lie_otherwise_are_changed_in_place():
    scores, items, weights = catalogue(2)
    wide = torch.zeros(6, 20, dtype=torch.float64)
    wide[:, 3:15] = scores
    add_mixture(wide[:, 3:15], items, weights)
    assert torch.equal(wide[:, 3:15], add_mixture(scores, items, weights))
    assert not wide[:, :3].any()
    assert not wide[:, 15:].any()


def test_scores_of_nothing_equal_scores_and_no_numbers():
    scores = torch.tensor([[0.0, -torch.inf, 1.5, torch.nan, 2.0]])
    items, weights = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[0.5, 1.5, 0.0, torch.nan]])
    add_mixture(scores, items, weights)
    assert scores[0, :3].tolist() == pytest.approx([0.0, 0.5, 1.5 + math.log(2)])
    assert scores[0, 3:].isnan().all()


def test_candidates_outside_the_catalogue_are_refused():
    scores, items, weights = catalogue(3)
    items[0, 0] = 12
    with pytest.raises(IndexError, match="none of the items"):
        add_mixture(scores, items, weights)


def test_slots_of_other_rows_are_refused():
    scores, items, weights = catalogue(3)
    with pytest.raises(ValueError, match="slots have items"):
        add_mixture(scores[1:], items, weights)
    with pytest.raises(ValueError, match="slots have items"):
        log_add_hits(scores[:, 0], items[:, 0], items, weights[:, 1:])
    with pytest.raises(ValueError, match="5 items for 6 scores"):
        log_add_hits(scores[:, 0], items[1:, 0], items, weights)
