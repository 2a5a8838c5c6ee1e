"""Levels of events, and the plan of a recursion."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.stream.levels import plan_levels


def test_plan_of_a_literal_recursion():
    # Events read (0, 2), (4, 3), (1, 3), (8, 7): the second waits for the first, and so on.
    plan = plan_levels(np.array([[0, 2], [4, 3], [1, 3], [8, 7]]), n_initial=4)
    assert plan.order.tolist() == [0, 2, 1, 3]
    assert plan.sizes == (2, 1, 1)
    assert (plan.n_events, plan.n_slots, plan.n_initial) == (4, 2, 4)
    assert plan.to(torch.device("cpu")).sources.tolist() == [[0, 2], [4, 3], [1, 3], [8, 7]]


def test_no_events_have_no_levels():
    plan = plan_levels(np.empty((0, 2), np.int64), n_initial=3)
    assert (plan.sizes, plan.n_events, plan.n_slots) == ((), 0, 2)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), n_slots=st.integers(1, 3))
def test_an_event_stands_one_level_above_what_it_reads(seed, n, n_slots):
    rng = np.random.default_rng(seed)
    rows = np.array([rng.integers(0, 5 + k * n_slots, n_slots) for k in range(n)])
    plan = plan_levels(rows, n_initial=5)
    levels = np.empty(n, np.int64)
    levels[plan.order.numpy()] = np.repeat(np.arange(len(plan.sizes)), plan.sizes)
    for k, read in enumerate(rows):
        writers = (read[read >= 5] - 5) // n_slots
        assert levels[k] == max((levels[writer] + 1 for writer in writers), default=0)
    assert plan.order.tolist() == np.argsort(levels, kind="stable").tolist()


@pytest.mark.parametrize("wrong", [[0, 6], [-1, 0], [7, 0], [0, 100]])
def test_rows_of_the_future_are_refused(wrong):
    message = rf"event 1 reads rows \[{wrong[0]}, {wrong[1]}\], not all of them written"
    with pytest.raises(ValueError, match=message):
        plan_levels(np.array([[0, 1], wrong, [0, 1]]), n_initial=4)


def test_rows_are_a_table():
    with pytest.raises(ValueError, match=r"are \[n, n_slots\], not \[3\]"):
        plan_levels(np.array([0, 1, 2]), n_initial=4)
