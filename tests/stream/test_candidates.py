"""Candidates and clocks against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.stream import EventStream
from recbole_imn.stream.candidates import CandidateIndex, SlotLayout, repeat_rates
from recbole_imn.stream.clock import COUNT_LIMITS, ItemClock, item_classes
from tests.stream.naive import random_stream_columns

LAYOUT = SlotLayout(own=4, anchors=2, neighbours=3, horizon=12)


def make_stream(seed, n_events=60, n_users=5, n_items=7):
    rng = np.random.default_rng(seed)
    return EventStream.from_columns(**random_stream_columns(rng, n_events, n_users, n_items))


def plain_own(stream, event, layout):
    """Newest event of each of the user's latest distinct items."""
    past = [k for k in range(event) if stream.user[k] == stream.user[event]]
    newest = {}
    for k in past[::-1][: layout.horizon]:
        newest.setdefault(stream.item[k], k)
    return list(newest.values())[: layout.own]


def plain_neighbours(stream, event, anchor, keys, layout):
    found = [k for k in range(event) if keys[k] == stream.item[anchor]]
    return found[::-1][: layout.neighbours], len(found)


def padded(values, size):
    return [*values, *[-1] * (size - len(values))]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), users=st.integers(1, 6), items=st.integers(1, 9))
def test_candidates_equal_a_plain_loop(seed, users, items):
    stream = make_stream(seed, 50, users, items)
    events = np.arange(50)
    found = CandidateIndex(stream, LAYOUT).candidates(events)
    for event in events:
        own = plain_own(stream, event, LAYOUT)
        after, before = [], []
        for anchor in own[: LAYOUT.anchors]:
            successors, _ = plain_neighbours(stream, event, anchor, stream.previous_item, LAYOUT)
            after += padded(successors, LAYOUT.neighbours)
            visits, _ = plain_neighbours(stream, event, anchor, stream.item, LAYOUT)
            visits = [k if stream.previous_item[k] else -1 for k in visits]
            before += padded(visits, LAYOUT.neighbours)
        _, beside, _ = LAYOUT.sizes
        expected = padded(own, LAYOUT.own) + padded(after, beside) + padded(before, beside)
        assert found.sources[event].tolist() == expected
        split = LAYOUT.own + beside
        for slot, source in enumerate(expected):
            column = stream.item if slot < split else stream.previous_item
            assert found.items[event, slot] == (column[source] if source >= 0 else 0)
            if source >= 0:
                assert source < event
                assert found.elapsed[event, slot] == stream.time[event] - stream.time[source]


def test_numbers_of_candidates_equal_a_plain_loop():
    stream = make_stream(3)
    events = np.array([10, 30, 59])
    found = CandidateIndex(stream, LAYOUT).candidates(events)
    for row, event in enumerate(events):
        for slot, anchor in enumerate(plain_own(stream, event, LAYOUT)):
            item = stream.item[anchor]
            mine = [k for k in range(event) if stream.user[k] == stream.user[event]]
            assert found.times[row, slot] == sum(stream.item[k] == item for k in mine)
            assert found.crowd[row, slot] == len(mine)
            latest = max(k for k in range(event) if stream.item[k] == item)
            assert found.item_elapsed[row, slot] == stream.time[event] - stream.time[latest]
            assert found.item_purchased[row, slot] == stream.purchase[latest]
            if slot < LAYOUT.anchors:
                first = LAYOUT.own + slot * LAYOUT.neighbours
                _, count = plain_neighbours(stream, event, anchor, stream.previous_item, LAYOUT)
                assert found.crowd[row, first] == count
                elapsed = stream.time[event] - stream.time[anchor]
                assert found.anchor_elapsed[row, first] == elapsed


def test_without_neighbours_only_own_items_are_left():
    layout = SlotLayout(own=4, anchors=2, neighbours=0)
    found = CandidateIndex(make_stream(1), layout).candidates(np.arange(60))
    assert found.items.shape == found.gap.shape == (60, 4)
    assert not found.gap.any()


def test_repeat_rates_equal_a_plain_loop():
    stream = make_stream(2)
    rates = repeat_rates(stream)
    for event in range(len(stream)):
        mine = [stream.item[k] for k in range(event) if stream.user[k] == stream.user[event]]
        repeats = len(mine) - len(set(mine))
        assert rates[event] == pytest.approx((repeats + 1) / (len(mine) + 2))


def test_the_clock_knows_the_latest_event_of_every_item():
    stream = make_stream(4)
    clock = ItemClock(stream)
    for position in (0, 5, 40, 20, 60):
        latest = clock.latest(position)
        for item in range(stream.n_items):
            events = np.flatnonzero(stream.item[:position] == item)
            assert latest[item] == (events[-1] if len(events) else -1)


def test_classes_tell_how_often_and_what_was_done_last():
    stream = make_stream(5)
    classes, n_classes = item_classes(stream)
    meaning = {}
    for event in range(len(stream)):
        seen = int((stream.item[: event + 1] == stream.item[event]).sum())
        step = sum(limit < seen for limit in COUNT_LIMITS)
        told = (step, stream.behaviour[event], stream.purchase[event])
        assert meaning.setdefault(classes[event], told) == told
    assert len(set(meaning.values())) == len(meaning)
    assert classes.min() >= 0
    assert classes.max() < n_classes
