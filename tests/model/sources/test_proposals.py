"""Proposals of sources against plain searches."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources import (
    CoVisited,
    FirstChoices,
    OwnItems,
    Predecessors,
    Proposals,
    Successors,
)
from recbole_imn.model.sources.base import Source
from recbole_imn.model.sources.co_visits import ANCHORS as VISITED
from recbole_imn.model.sources.co_visits import REACH, VISITS
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
    return 0, -1, np.zeros(10, np.float32)


def busy(log, item, position, now):
    """How busy and how popular an item is before a position."""
    events = of_item(log, item, position)
    return [log_time(now - log.time[events[-6:][0]]), crowd(len(events))]


def check(out, row, expected):
    """Compare a row's slots with (item, event, numbers)."""
    for slot, (item, event, numbers) in enumerate(expected):
        assert out.items[row, slot] == item
        assert out.events[row, slot] == event
        np.testing.assert_allclose(out.numbers[row, slot], numbers, rtol=1e-6, atol=1e-7)


def padded(found, size):
    return [*found, *[empty() for _ in range(size - len(found))]]


def habits(log, mine, item):
    """How much of it the user had lately, and how often it came after his last item."""
    newest_first = [log.item[k] for k in mine[::-1]]
    often = sum(1 / (1 + step) for step, other in enumerate(newest_first) if other == item)
    moves = sum(
        1 / (1 + 0.1 * step)
        for step, other in enumerate(newest_first)
        if step > 0 and other == newest_first[0] and newest_first[step - 1] == item
    )
    return [np.log(often) / 2, np.log(0.1 + moves) / 2]


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
            numbers = [age, age**2, *habits(log, mine, item), seen, crowd(len(mine))]
            numbers += [np.log(times), log.purchase[last], *busy(log, item, position, now)]
            expected.append((item, k, numbers))
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
                numbers += busy(log, item, position, now)
                found.append((item, k, numbers))
            expected += padded(found, NEIGHBOURS)
        check(out, row, padded(expected, ANCHORS * NEIGHBOURS))


def neighbours_of(log, visit, position):
    """What lies beside a visit: event, distance, and whether it came after the visit."""
    of_same = of_user(log, log.user[visit], position)
    place = of_same.index(visit)
    for distance in range(1, REACH + 1):
        for other in (place - distance, place + distance):
            if 0 <= other < len(of_same) and log.item[of_same[other]] != log.item[visit]:
                yield of_same[other], distance, other > place


def count_beside(log, user, position):
    """Weight, weight after, anchors and latest event of each neighbour of the user's items."""
    counted = {}
    for rank, own in enumerate(own_events(log, user, position)[:VISITED], start=1):
        visits = of_item(log, log.item[own], position)[::-1][: 2 * (VISITS // rank)]
        others = [k for k in visits if log.user[k] != user][: VISITS // rank]
        for visit in others:
            for event, distance, after in neighbours_of(log, visit, position):
                about = counted.setdefault(log.item[event], [0.0, 0.0, [], -1])
                about[0] += 1 / (rank * distance)
                about[1] += after / (rank * distance)
                about[2].append(rank - 1)
                about[3] = max(about[3], event)
    mine = {log.item[k] for k in own_events(log, user, position)}
    return {item: about for item, about in counted.items() if item not in mine}


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 9999),
    users=st.integers(2, 8),
    items=st.integers(2, 60),
    where=st.integers(0, 80),
)
def test_co_visited_items_equal_a_plain_count(seed, users, items, where):
    log = random_log(seed, n_users=users, n_items=items)
    facts, out = proposed(CoVisited, log, seed, where)
    for row, (user, now, position) in enumerate(
        zip(facts.user, facts.at, facts.position, strict=True)
    ):
        counted = count_beside(log, user, position)
        total = sum(about[0] for about in counted.values())
        # Sums in another order may differ in their last bits, and ties with them.
        shown = [item for item in out.items[row].tolist() if item]
        weights = [counted[item][0] for item in shown]
        best = sorted((about[0] for about in counted.values()), reverse=True)
        np.testing.assert_allclose(weights, best[: CoVisited.n_slots], rtol=1e-9)
        assert len(set(shown)) == len(shown) == min(len(counted), CoVisited.n_slots)
        own, expected = own_events(log, user, position), []
        for item in shown:
            weight, after, anchors, link = counted[item]
            led, last = own[min(anchors)], of_item(log, item, position)[-1]
            activity, popular = busy(log, item, position, now)
            numbers = [np.log(weight) / 2, np.log(weight / total) / 2]
            numbers += [np.log(weight) / 2 - 2 * popular, after / weight]
            numbers.append(np.log(len(set(anchors))) + 0.3 * min(anchors))
            numbers += [log_time(now - log.time[k]) for k in (link, last, led)]
            expected.append((item, led, [*numbers, activity, popular]))
        check(out, row, padded(expected, CoVisited.n_slots))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 9999),
    users=st.sampled_from([6, 40, 300]),
    items=st.sampled_from([4, 40]),
    where=st.integers(1, 80),
)
def test_first_choices_equal_a_plain_count(seed, users, items, where):
    log = random_log(seed, n_users=users, n_items=items)
    facts, out = proposed(FirstChoices, log, seed, where)
    for row, position in enumerate(facts.position):
        counts, latest = {}, {}
        firsts = [k for k in range(position)[::-1] if previous(log, k) < 0]
        for ago, k in enumerate(firsts):
            item = int(log.item[k])
            latest.setdefault(item, k)
            counts[item] = counts.get(item, 0) + 1 / (1 + ago / 50)
        order = sorted(counts, key=lambda item: (-counts[item], -latest[item]))[:20]
        order = order if facts.count[row] == 0 else []
        assert out.items[row].tolist() == [*order, *[0] * (20 - len(order))]
        for slot, item in enumerate(order):
            assert out.events[row, slot] == latest[item]
            assert out.numbers[row, slot, 2] == pytest.approx(np.log(counts[item]) / 2, abs=1e-6)
            age = facts.at[row] - log.time[latest[item]]
            assert out.numbers[row, slot, 0] == pytest.approx(log_time(age), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 9999), where=st.integers(1, 79))
def test_what_comes_later_moves_no_bit_of_what_is_proposed(seed, where):
    log = random_log(seed, n_users=4, n_items=12)
    rng = np.random.default_rng(seed)
    other = random_log(seed, n_users=4, n_items=12)
    other.item[where:] = rng.integers(1, 12, 80 - where)
    other.user[where:] = rng.integers(1, 4, 80 - where)
    for kind in (OwnItems, CoVisited, FirstChoices, Successors, Predecessors):
        found = []
        for one in (log, other):
            past = Past(one)
            past.move_to(80)
            positions = np.arange(1, where + 1)
            facts = past.look(log.user[positions - 1], log.time[positions - 1] + 1, positions)
            source: Source = kind(Making(NetworkSettings(), past, 10, torch.zeros(0, 0)))
            found.append(Proposals.empty(where, source.n_slots))
            source.propose(past, facts, found[-1])
        for name, values in vars(found[0]).items():
            np.testing.assert_array_equal(values, getattr(found[1], name), err_msg=name)


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
