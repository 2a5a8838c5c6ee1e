"""Versions of moving items against a plain search."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.log import EventLog
from recbole_imn.past import Past
from recbole_imn.stream.versions import item_versions, latest_at, versions_of_rows
from tests.past.logs import of_item, random_log


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 9999),
    bounds=st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 80)),
    n_rows=st.integers(0, 30),
)
def test_every_row_sees_the_newest_state_before_it(seed, bounds, n_rows):
    log, rng = random_log(seed, n_items=9), np.random.default_rng(seed)
    start, stop, where = sorted(bounds)
    past = Past(log)
    past.move_to(where)
    positions = np.sort(rng.integers(start, stop + 1, n_rows))
    items = rng.integers(0, log.n_items, 6)
    versions = item_versions(past, start, positions, items)
    columns = versions.columns
    if columns is None:
        assert len(versions.items) == len(items)
        columns = np.broadcast_to(np.arange(len(items)), (n_rows, len(items)))
    assert columns.shape == (n_rows, len(items))
    for row, position in enumerate(positions):
        for place, item in enumerate(items):
            version = columns[row, place]
            inside = [k for k in of_item(log, item, position) if k >= start]
            assert versions.items[version] == item
            assert versions.events[version] == (inside[-1] if inside else -1)
    check_latest(log, past, versions, start)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 9999),
    bounds=st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 80)),
    n_rows=st.integers(0, 30),
    n_items=st.integers(0, 6),
)
def test_rows_with_items_of_their_own_see_the_newest_states(seed, bounds, n_rows, n_items):
    log, rng = random_log(seed, n_items=9), np.random.default_rng(seed)
    start, stop, where = sorted(bounds)
    past = Past(log)
    past.move_to(where)
    positions = np.sort(rng.integers(start, stop + 1, n_rows))
    items = rng.integers(0, log.n_items, (n_rows, n_items))
    versions = versions_of_rows(past, start, positions, items)
    assert versions.columns.shape == items.shape
    pairs = list(zip(versions.items.tolist(), versions.events.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    for row, position in enumerate(positions):
        for place, item in enumerate(items[row]):
            inside = [k for k in of_item(log, item, position) if k >= start]
            newest = inside[-1] if inside else -1
            assert pairs[versions.columns[row, place]] == (item, newest)


def check_latest(log, past, versions, start):
    event, time, count = latest_at(versions, past, start)
    for row, (item, made) in enumerate(zip(versions.items, versions.events, strict=True)):
        before = of_item(log, item, made + 1 if made >= 0 else start)
        assert event[row] == (before[-1] if before else -1)
        assert time[row] == (log.time[before[-1]] if before else 0)
        assert count[row] == len(before)


def test_there_are_no_more_versions_than_rows_can_see():
    past = Past(random_log(0, 60, n_items=8))
    past.move_to(60)
    versions = item_versions(past, 0, np.arange(10, 20), np.arange(1, 9))
    assert len(versions.items) <= 8 + 9


def test_items_that_nobody_touches_have_one_version():
    past = Past(EventLog.from_columns([1, 1, 2], [1, 2, 1], [0.0, 1.0, 2.0], n_items=5))
    past.move_to(3)
    versions = item_versions(past, 0, np.arange(3), np.array([3, 4]))
    assert versions.columns is None
    assert (versions.items.tolist(), versions.events.tolist()) == ([3, 4], [-1, -1])
