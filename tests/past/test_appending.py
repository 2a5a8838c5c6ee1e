"""A past that grew event by event is the past of the same log made at once."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.log import EventLog
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources import SOURCES, Proposals
from recbole_imn.past import Past
from recbole_imn.past.index import Chains
from tests.past.logs import random_log
from tests.session.streams import columns


def appended(whole, sizes, folder=None, grows=False):
    """The past of a log made by appends of some sizes, one after the other."""
    start = sizes[0]
    spaces = {
        "n_users": None if grows else whole.n_users,
        "n_items": None if grows else whole.n_items,
        "n_behaviours": whole.n_behaviours,
    }
    log = EventLog.from_columns(**columns(whole, 0, start), **spaces, folder=folder)
    past = Past(log)
    past.move_to(start)
    for size in sizes[1:]:
        new = columns(whole, start, start + size)
        past.grow(int(new["user"].max(initial=0)) + 1, int(new["item"].max(initial=0)) + 1)
        past.observe(new)
        start += size
        assert past.position == start
    past.grow(whole.n_users, whole.n_items)
    return past


def assert_same(past, other):
    for name in ("user", "item", "time", "behaviour", "purchase", "features", "inventory"):
        np.testing.assert_array_equal(getattr(past.log, name), getattr(other.log, name))
    for name in Chains._fields:
        one, two = getattr(past.chains, name), getattr(other.chains, name)
        np.testing.assert_array_equal(one, two, err_msg=name)
    for one, two in ((past.users, other.users), (past.items, other.items)):
        for name in one._fields:
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    rng = np.random.default_rng(0)
    n, log = 200, other.log
    positions = rng.integers(0, len(log) + 1, n)
    at = np.full(n, log.time[-1] + 7)
    users, items = rng.integers(0, log.n_users, n), rng.integers(0, log.n_items, n)
    facts = [one.look(users, at, positions) for one in (past, other)]
    of_items = [one.look_at_items(items, at, positions) for one in (past, other)]
    proposals = [propose(past, facts[0]), propose(other, facts[1])]
    for one, two in (facts, of_items, *zip(*proposals, strict=True)):
        for name, values in vars(one).items():
            np.testing.assert_array_equal(values, getattr(two, name), err_msg=name)


def propose(past, facts):
    making = Making(NetworkSettings(pointer_neighbours=4), past, 10, torch.zeros(0, 0))
    found = []
    for source in (SOURCES[name](making) for name in sorted(SOURCES)):
        found.append(Proposals.empty(len(facts), source.n_slots))
        source.propose(past, facts, found[-1])
    return found


def whole_past(log):
    past = Past(log)
    past.move_to(len(log))
    return past


@pytest.mark.parametrize("grows", [False, True])
def test_a_thousand_appends_equal_a_log_made_at_once(grows):
    rng = np.random.default_rng(0)
    sizes = [5, *rng.integers(1, 6, 1000).tolist()]
    whole = random_log(3, sum(sizes), n_users=60, n_items=300)
    assert_same(appended(whole, sizes, grows=grows), whole_past(whole))


def test_hundreds_of_appends_to_a_folder_equal_it_too(tmp_path):
    rng = np.random.default_rng(1)
    sizes = [3, *rng.integers(1, 4, 300).tolist()]
    whole = random_log(4, sum(sizes), n_users=40, n_items=90)
    past = appended(whole, sizes, folder=tmp_path / "kept")
    expected = whole_past(whole)
    assert_same(past, expected)
    again = Past(EventLog.open(tmp_path / "kept"))
    again.move_to(len(whole))
    assert_same(again, expected)


@given(
    seed=st.integers(0, 1000),
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    users=st.integers(1, 6),
    items=st.integers(1, 9),
)
@settings(max_examples=25, deadline=None)
def test_appends_of_any_sizes_equal_a_log_made_at_once(seed, sizes, users, items):
    sizes = [sizes[0] + 1, *sizes[1:]]
    whole = random_log(seed, sum(sizes), n_users=users, n_items=items)
    assert_same(appended(whole, sizes, grows=True), whole_past(whole))


def test_an_opened_folder_goes_on_where_it_was(tmp_path):
    whole = random_log(8, 60)
    appended(whole, [20, 1, 1], folder=tmp_path / "kept")
    past = Past(EventLog.open(tmp_path / "kept"))
    past.move_to(22)
    past.grow(whole.n_users, whole.n_items)
    past.observe(columns(whole, 22, 60))
    assert_same(past, whole_past(whole))


def test_two_pasts_of_one_log_see_what_either_observes():
    whole = random_log(9, 60)
    past = appended(whole, [20])
    other = past.beginning()
    past.observe(columns(whole, 20, 60))
    other.move_to(60)
    assert_same(other, whole_past(whole))
