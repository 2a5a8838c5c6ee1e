"""Rows of events against RecBole's interaction of the same fields."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.data.interaction import Interaction

from recbole_imn.data.event_rows import EventRows, integers, numbers, stored

N = 12


def both(rows=None, seed=0):
    """Rows of events, and an interaction that holds what is in them."""
    rng = np.random.default_rng(seed)
    users, times = rng.integers(0, 4, N).astype(np.int32), rng.random(N)
    vectors = torch.from_numpy(rng.random((N, 3)).astype(np.float32))
    events = np.arange(N, dtype=np.int32) if rows is None else np.array(rows, np.int32)
    sources = {"user": integers(users), "time": numbers(times), "vector": stored(vectors)}
    at = torch.from_numpy(events.astype(np.int64))
    plain = {
        "user": torch.from_numpy(users).long()[at],
        "time": torch.from_numpy(times).float()[at],
        "vector": vectors[at],
    }
    return EventRows(sources, events), Interaction(plain)


def assert_same(ours, theirs):
    assert ours.columns == theirs.columns
    assert len(ours) == len(theirs)
    for name in theirs.columns:
        assert ours[name].dtype == theirs[name].dtype
        assert torch.equal(ours[name], theirs[name])


@given(st.lists(st.integers(0, N - 1), min_size=1, max_size=20), st.data())
def test_rows_by_place_are_those_of_the_interaction(rows, data):
    ours, theirs = both(rows)
    places = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=9))
    for index in (places, np.array(places), torch.tensor(places), slice(1, None, 2), places[0]):
        found = ours[index]
        assert type(found) is Interaction
        assert_same(found, theirs[index])
    assert_same(ours.part(slice(0, 2))[slice(None)], theirs[slice(0, 2)])


@pytest.mark.parametrize("by", [["user", "time"], "time"])
def test_sorting_and_shuffling_move_rows_alike(by):
    ours, theirs = both([5, 3, 3, 11, 0, 7])
    extra = Interaction({"length": torch.arange(6)})
    for rows in (ours, theirs):
        rows.update(extra)
        rows.sort(by=by)
    assert_same(ours, theirs)
    for rows in (ours, theirs):
        torch.manual_seed(3)
        rows.shuffle()
    assert_same(ours, theirs)


def test_fields_have_a_prefix():
    ours, theirs = both([5, 3, 3, 11])
    for rows in (ours, theirs):
        rows["label"] = torch.arange(4.0)
        rows.add_prefix("x_")
    assert_same(ours, theirs)
    assert_same(ours[0:2], theirs[0:2])
    for rows in (ours, theirs):
        rows.sort("x_user")
        rows.add_prefix("y_")
    assert_same(ours, theirs)


def test_fields_are_added_replaced_and_dropped():
    ours, theirs = both()
    for rows in (ours, theirs):
        rows["time"] = torch.zeros(N)
        rows["label"] = torch.ones(N)
        rows.drop("user")
        rows.drop("label")
    assert set(ours.columns) == set(theirs.columns) == {"time", "vector"}
    assert torch.equal(ours["time"], torch.zeros(N))
    assert torch.equal(ours[[2, 3]]["time"], torch.zeros(2))
    with pytest.raises(ValueError, match="nothing"):
        ours.drop("nothing")
    assert_same(ours.to("cpu"), Interaction({name: ours[name] for name in ours.columns}))
