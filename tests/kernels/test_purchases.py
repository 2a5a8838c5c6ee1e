"""What is kept of purchases: loops against formulas, gradients included."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.kernels import purchases
from recbole_imn.kernels.purchases import begin, begin_formula, claim, find, take_turns, write


def arguments(seed, n, n_earlier, width, n_entities=12, dtype=torch.float64):
    """States in memory, and earlier purchases of some of those that are read."""
    torch.manual_seed(seed)
    n_oldest = min(n, n_earlier)
    owners = torch.cat([torch.randperm(n)[:n_oldest], torch.arange(n, n + n_earlier - n_oldest)])
    return (
        torch.randn(n_entities, width, dtype=dtype),
        torch.rand(n_entities) < 0.5,
        torch.randperm(n_entities)[:n],
        torch.randn(width, dtype=dtype, requires_grad=True),
        torch.randn(n_earlier, width, dtype=dtype),
        owners[torch.randperm(n_earlier)],
        (torch.rand(n_earlier) < 0.5).numpy(),
    )


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(0, 12),
    n_earlier=st.integers(0, 20),
    width=st.sampled_from([1, 7, 32]),
)
def test_begin_equals_the_formula_with_gradients(seed, n, n_earlier, width):
    values = arguments(seed, n, n_earlier, width)
    by = torch.randn(n, width, dtype=torch.float64)
    compiled, formula = begin(*values), begin_formula(*values)
    assert torch.equal(compiled, formula)
    ours, theirs = (torch.autograd.grad(out, values[3], by)[0] for out in (compiled, formula))
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_gradcheck_of_begin():
    values = arguments(3, 6, 8, 4)
    assert torch.autograd.gradcheck(lambda none: begin(*values[:3], none, *values[4:]), values[3])


def test_begin_refuses_ids_beyond_the_table():
    values = list(arguments(0, 3, 2, 4))
    values[2] = torch.tensor([1, 12, 2])
    with pytest.raises(IndexError, match="not one of the entities"):
        begin(*values)


def test_slots_places_and_what_is_found():
    slots = np.full(6, -1, np.int32)
    users = np.array([4, 1, 4, 4])
    assert claim(slots, users, 0) == 2
    np.testing.assert_array_equal(slots, [-1, 1, -1, -1, 0, -1])
    assert claim(slots, np.array([1, 5]), 2) == 3
    counts, events = np.zeros(3, np.int64), np.full((3, 2), -1, np.int64)
    slot, place = take_turns(slots, counts, events, users, np.array([10, 11, 12, 13]))
    np.testing.assert_array_equal(slot, [0, 1, 0, 0])
    np.testing.assert_array_equal(place, [0, 0, 1, 0])
    np.testing.assert_array_equal(events, [[13, 12], [11, -1], [-1, -1]])
    np.testing.assert_array_equal(counts, [3, 1, 0])
    found = find(slots, events, np.array([4, 1]), np.array([12, 11]))
    np.testing.assert_array_equal(found, [[0, 1], [1, 0]])


@pytest.mark.parametrize(("user", "event"), [(0, 3), (2, 7)])
def test_a_purchase_that_is_not_kept_is_refused(user, event):
    slots, events = np.array([0, 1, -1], np.int32), np.array([[7, 8], [3, -1]])
    with pytest.raises(IndexError, match="is not kept"):
        find(slots, events, np.array([user]), np.array([event]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_several_rows_for_a_place_the_last_stays_by_either_way(monkeypatch, dtype):
    slot, place = np.array([0, 2, 0, 0]), np.array([1, 0, 0, 1])
    general, limited = torch.randn(4, 3, dtype=dtype), torch.randn(9, 5, dtype=dtype)
    sources = torch.tensor([8, 0, 3, 2])
    ways = []
    for compiles in (True, False):
        tables = torch.zeros(3, 2, 3, dtype=dtype), torch.zeros(3, 2, 5, dtype=dtype)
        with monkeypatch.context() as patch:
            patch.setattr(purchases, "is_compiled", lambda values, by=compiles: by)
            write(tables, slot, place, (general, limited), sources)
        ways.append(tables)
    assert all(torch.equal(*pair) for pair in zip(*ways, strict=True))
    assert torch.equal(ways[0][0][0, 1], general[3])
    assert torch.equal(ways[0][1][0, 1], limited[2])
    assert torch.equal(ways[0][1][2, 0], limited[0])
    assert (ways[0][0][1] == 0).all()
