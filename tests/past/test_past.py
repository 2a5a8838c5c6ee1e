"""What a past answers, against plain searches through the log."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.errors import LogError
from recbole_imn.log import EventLog
from recbole_imn.past import Past
from tests.past.logs import look_at_log, of_item, of_user, random_log

SEEDS = st.integers(0, 10_000)


def rows(log, seed, position, n=40):
    """Users and items, positions up to one, and times from then on."""
    rng = np.random.default_rng(seed)
    positions = rng.integers(0, position + 1, n)
    latest = np.concatenate([[0.0], log.time])[positions]
    at = latest + rng.integers(0, 50, n)
    return rng.integers(0, log.n_users, n), rng.integers(0, log.n_items, n), at, positions


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, users=st.integers(1, 6), items=st.integers(1, 9), where=st.integers(0, 80))
def test_facts_equal_a_plain_search(seed, users, items, where):
    log = random_log(seed, n_users=users, n_items=items)
    past = Past(log)
    past.move_to(where)
    user, _, at, positions = rows(log, seed, where)
    facts = past.look(user, at, positions)
    for row, position in enumerate(positions):
        own = of_user(log, user[row], position)
        bought = [k for k in own if log.purchase[k]]
        chosen = [log.item[k] for k in own]
        expected = {
            "user": user[row],
            "at": at[row],
            "position": position,
            "latest": own[-1] if own else -1,
            "purchase": bought[-1] if bought else -1,
            "item": chosen[-1] if own else 0,
            "count": len(own),
            "repeats": len(own) - len(set(chosen)),
            "elapsed": at[row] - log.time[own[-1]] if own else 0,
            "since_purchase": at[row] - log.time[bought[-1]] if bought else 0,
        }
        assert {name: values[row] for name, values in vars(facts).items()} == expected
        found = past.histories(facts.latest[[row]], 6)[0].tolist()
        assert found == [*own[::-1][:6], *[-1] * (6 - len(own))]
        found = past.purchases(facts.purchase[[row]], 3)[0].tolist()
        assert found == [*bought[::-1][:3], *[-1] * (3 - len(bought))]


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, where=st.integers(0, 80))
def test_facts_of_items_equal_a_plain_search(seed, where):
    log = random_log(seed)
    past = Past(log)
    past.move_to(where)
    _, item, at, positions = rows(log, seed, where)
    facts = past.look_at_items(item, at, positions)
    for row, position in enumerate(positions):
        events = of_item(log, item[row], position)
        assert facts.item[row] == item[row]
        assert facts.latest[row] == (events[-1] if events else -1)
        assert facts.count[row] == len(events)
        assert facts.elapsed[row] == (at[row] - log.time[events[-1]] if events else 0)


def test_without_positions_all_that_has_happened_is_past():
    log = random_log(1)
    past = Past(log)
    past.move_to(33)
    users = np.arange(log.n_users)
    at = np.full(len(users), log.time[33])
    found, expected = past.look(users, at), past.look(users, at, np.full(len(users), 33))
    for name, values in vars(found).items():
        np.testing.assert_array_equal(values, getattr(expected, name))


@given(seed=SEEDS, moves=st.lists(st.integers(0, 80), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_where_a_past_came_from_does_not_matter(seed, moves):
    log = random_log(seed)
    past, fresh = Past(log), Past(log)
    for position in moves:
        past.move_to(position)
        assert past.position == position
    fresh.move_to(moves[-1])
    for one, other in zip((*past.users, *past.items), (*fresh.users, *fresh.items), strict=True):
        np.testing.assert_array_equal(one, other)


def test_copies_move_by_themselves():
    past = Past(random_log(2))
    past.move_to(20)
    other, first = copy.deepcopy(past), past.beginning()
    other.move_to(70)
    assert (past.position, other.position, first.position) == (20, 70, 0)
    latest = [k for k in range(20) if past.log.user[k] == 1][-1]
    assert past.users.latest[1] == latest
    assert (first.users.latest == -1).all()
    assert other.log is past.log


def test_elapsed_times_of_a_literal_log():
    log = EventLog.from_columns(
        [1, 2, 1, 1, 2, 3], [1, 1, 2, 1, 3, 2], [0, 5, 5, 9.5, 20, 20], purchase=[0, 1, 1, 0, 0, 0]
    )
    past = Past(log)
    facts, of_items = look_at_log(past, 6)
    assert facts.elapsed.tolist() == [0, 0, 5, 4.5, 15, 0]
    assert of_items.elapsed.tolist() == [0, 5, 0, 4.5, 0, 15]
    assert facts.since_purchase.tolist() == [0, 0, 0, 4.5, 15, 0]
    assert (facts.latest < 0).tolist() == [True, True, False, False, False, True]
    assert facts.item.tolist() == [0, 0, 1, 2, 1, 0]
    assert facts.count.tolist() == [0, 0, 1, 2, 1, 0]
    assert facts.repeats.tolist() == [0, 0, 0, 0, 0, 0]
    assert past.position == 0
    assert past.chains.times.tolist() == [1, 1, 1, 2, 1, 1]


@pytest.mark.parametrize("stop", [0, 1, 79, 80])
def test_looking_at_a_log_equals_looking_at_each_event(stop):
    log = random_log(5)
    whole = Past(log)
    whole.move_to(80)
    if stop == 0:
        return
    facts, of_items = look_at_log(whole, stop)
    events = np.arange(stop)
    for name, values in vars(whole.look_at_events(events)).items():
        np.testing.assert_array_equal(getattr(facts, name), values)
    expected = whole.look_at_items(log.item[:stop], log.time[:stop], events)
    for name, values in vars(expected).items():
        np.testing.assert_array_equal(getattr(of_items, name), values)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (([6], [1.0]), r"user 6 is asked for, outside 0\.\.5"),
        (([-1], [1.0]), r"user -1 is asked for"),
        (([1, 1], [1.0, 1.0], [3, 21]), r"position 21 is asked for, but only 20 events"),
    ],
)
def test_what_is_not_there_is_refused(asked, message):
    past = Past(random_log(0))
    past.move_to(20)
    with pytest.raises(LogError, match=message):
        past.look(*asked)
    with pytest.raises(LogError, match=r"item 8 is asked for, outside 0\.\.7"):
        past.look_at_items([8], [1.0])
