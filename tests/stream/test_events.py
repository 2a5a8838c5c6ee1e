"""Columns, elapsed times, splits and histories of a stream."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.stream import EventStream, StreamError

USER = [1, 2, 1, 1, 2, 3]
ITEM = [1, 1, 2, 1, 3, 2]
TIME = [0.0, 5.0, 5.0, 9.5, 20.0, 20.0]
PURCHASE = [0, 1, 1, 0, 0, 0]


def literal(**changes):
    columns = {"user": USER, "item": ITEM, "time": TIME, "purchase": PURCHASE, **changes}
    return EventStream.from_columns(**columns)


def test_elapsed_times_of_a_literal_stream():
    stream = literal()
    assert stream.delta_user.tolist() == [0, 0, 5, 4.5, 15, 0]
    assert stream.delta_item.tolist() == [0, 5, 0, 4.5, 0, 15]
    assert stream.delta_purchase.tolist() == [0, 0, 0, 4.5, 15, 0]
    assert stream.first_user.tolist() == [True, True, False, False, False, True]
    assert stream.first_item.tolist() == [True, False, True, False, True, False]
    assert stream.first_purchase.tolist() == [True, True, True, False, False, True]
    assert stream.previous_item.tolist() == [0, 0, 1, 2, 1, 0]
    assert stream.history_length.tolist() == [0, 0, 1, 2, 1, 0]


def test_times_keep_differences_that_float32_loses():
    stream = literal(time=[1.7e9, 1.7e9 + 1, 1.7e9 + 2, 1.7e9 + 3, 1.7e9 + 4, 1.7e9 + 5])
    assert stream.delta_user.tolist() == [0, 0, 2, 1, 3, 0]


def test_split_rounds_every_part_but_the_first_down():
    stream = EventStream.from_columns(np.ones(25), np.ones(25), np.arange(25))
    assert stream.split([0.8, 0.1, 0.1]) == (21, 23)
    assert stream.split([8, 1, 1]) == (21, 23)


def test_histories_are_oldest_first_and_left_aligned():
    indices, lengths = literal().histories(np.array([3, 4, 0]), width=3)
    assert indices.tolist() == [[0, 2, -1], [1, -1, -1], [-1, -1, -1]]
    assert lengths.tolist() == [2, 1, 0]
    assert literal().histories(np.array([3]), width=1)[0].tolist() == [[2]]


def test_a_copy_is_the_stream_itself():
    stream = literal()
    assert copy.deepcopy(stream) is stream


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": [0, 1, 2, 3, 5, 4]}, "time of event 5 is 4.0, earlier than 5.0 before it"),
        ({"time": [0, 1, 2, np.nan, 5, 6]}, "time of event 3 is nan"),
        ({"user": [1, 2, 0, 1, 2, 3]}, "user of event 2 is 0, outside 1..3"),
        ({"item": ITEM[:-1]}, "column item has 5 entries, time has 6"),
        ({"n_items": 3}, "item of event 4 is 3, outside 1..2"),
        ({"user": [], "item": [], "time": [], "purchase": []}, "the log has no events"),
    ],
)
def test_bad_columns_are_refused_in_one_line(changes, message):
    with pytest.raises(StreamError) as error:
        literal(**changes)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.booleans()), min_size=1))
def test_the_past_equals_a_plain_search(rows):
    user, item, purchase = (np.array(column) for column in zip(*rows, strict=True))
    stream = EventStream.from_columns(user, item, np.arange(len(rows)), purchase=purchase)
    for event in range(len(rows)):
        own = [k for k in range(event) if user[k] == user[event]]
        same_item = [k for k in range(event) if item[k] == item[event]]
        bought = [k for k in own if purchase[k]]
        assert stream.last_user_event[event] == (own[-1] if own else -1)
        assert stream.last_item_event[event] == (same_item[-1] if same_item else -1)
        assert stream.last_purchase[event] == (bought[-1] if bought else -1)
        assert stream.history_length[event] == len(own)
