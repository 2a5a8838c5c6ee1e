"""Proposals of sources against plain searches."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources import OwnItems, Predecessors, Proposals, Successors
from recbole_imn.model.sources.own_items import HORIZON
from recbole_imn.past import Past
from tests.past.logs import of_item, of_user, previous, random_log

NEIGHBOURS, ANCHORS = 3, 3


def log_time(seconds):
    return np.log1p(seconds) / 6 - 1


def crowd(number):
    return np.log(max(number, 1)) / 4


def proposed(kind, log, seed, where, n=25):
    """What a source proposes for some rows, the past beyond their positions."""
    past = Past(log)
    past.move_to(where)
    rng = np.random.default_rng(seed)
    positions = rng.integers(0, where + 1, n)
    at = log.time[np.minimum(positions, len(log) - 1)] + rng.integers(0, 50, n)
    facts = past.look(rng.integers(0, log.n_users, n), at, positions)
    making = Making(NetworkSettings(pointer_neighbours=NEIGHBOURS), past, 10, torch.zeros(0, 0))
    source = kind(making)
    out = Proposals.empty(n, source.n_slots)
    source.propose(past, facts, out)
    assert source.starting_bias().shape == (source.n_slots,)
    return facts, out


def own_events(log, user, position):
    """Newest event of each of the user's latest distinct items."""
    newest = {}
    for k in of_user(log, user, position)[::-1][:HORIZON]:
        newest.setdefault(log.item[k], k)
    return list(newest.values())[:20]


def empty():
    return 0, -1, np.zeros(8, np.float32)


def check(out, row, expected):
    """Compare a row's slots with (item, event, numbers)."""
    for slot, (item, event, numbers) in enumerate(expected):
        assert out.items[row, slot] == item
        assert out.events[row, slot] == event
        np.testing.assert_allclose(out.numbers[row, slot], numbers, rtol=1e-6, atol=1e-7)


def padded(found, size):
    return [*found, *[empty() for _ in range(size - len(found))]]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), items=st.integers(1, 30), where=st.integers(0, 80))
def test_own_items_equal_a_plain_search(seed, items, where):
    log = random_log(seed, n_users=3, n_items=items)
    facts, out = proposed(OwnItems, log, seed, where)
    for row, (user, now, position) in enumerate(
        zip(facts.user, facts.at, facts.position, strict=True)
    ):
        mine, expected = of_user(log, user, position), []
        for k in own_events(log, user, position):
            item, last = log.item[k], of_item(log, log.item[k], position)[-1]
            age, times = log_time(now - log.time[k]), sum(log.item[mine] == item)
            seen = log_time(now - log.time[last])
            numbers = [age, age**2, age, log_time(0), seen, crowd(len(mine)), np.log(times)]
            expected.append((item, k, [*numbers, log.purchase[last]]))
        check(out, row, padded(expected, 20))


@pytest.mark.parametrize("forward", [True, False])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), users=st.integers(1, 6), where=st.integers(0, 80))
def test_neighbours_equal_a_plain_search(forward, seed, users, where):
    log = random_log(seed, n_users=users, n_items=5)
    facts, out = proposed(Successors if forward else Predecessors, log, seed, where)
    came_from = [log.item[before] if (before := previous(log, k)) >= 0 else 0 for k in range(80)]
    for row, (user, now, position) in enumerate(
        zip(facts.user, facts.at, facts.position, strict=True)
    ):
        expected = []
        for own in own_events(log, user, position)[:ANCHORS]:
            keys = came_from if forward else log.item
            beside = [k for k in range(position) if keys[k] == log.item[own]]
            found = []
            for k in beside[::-1][:NEIGHBOURS]:
                before = previous(log, k)
                item = log.item[k] if forward else came_from[k]
                if item == 0:
                    found.append(empty())
                    continue
                last = of_item(log, item, position)[-1]
                age = log_time(now - log.time[k])
                numbers = [age, age**2, log_time(now - log.time[own])]
                numbers.append(log_time(log.time[k] - log.time[before]))
                numbers.append(log_time(now - log.time[last]))
                numbers += [crowd(len(beside)), 0.0, log.purchase[last]]
                found.append((item, k, numbers))
            expected += padded(found, NEIGHBOURS)
        check(out, row, padded(expected, ANCHORS * NEIGHBOURS))


def test_only_the_latest_events_are_looked_through():
    # Item 2 lies further back than the horizon.
    from recbole_imn.log import EventLog

    item = np.array([2, *[1] * HORIZON, 3])
    log = EventLog.from_columns(np.ones(len(item)), item, np.arange(len(item)))
    past = Past(log)
    past.move_to(len(log))
    source = OwnItems(Making(NetworkSettings(), past, 10, torch.zeros(0, 0)))
    out = Proposals.empty(1, source.n_slots)
    source.propose(past, past.look([1], [500.0]), out)
    assert out.items[0].tolist() == [3, 1, *[0] * 18]
