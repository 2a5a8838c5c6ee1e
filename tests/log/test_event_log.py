"""Columns of a log: checked, appended to, kept in a folder, split."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.errors import LogError
from recbole_imn.log import EventLog, split_positions, time_positions
from recbole_imn.log.completing import complete_columns
from recbole_imn.log.grouping import place_within_group

USER = [1, 2, 1, 1, 2, 3]
ITEM = [1, 1, 2, 1, 3, 2]
TIME = [0.0, 5.0, 5.0, 9.5, 20.0, 20.0]
PURCHASE = [0, 1, 1, 0, 0, 0]


def literal(**changes):
    columns = {"user": USER, "item": ITEM, "time": TIME, "purchase": PURCHASE, **changes}
    return EventLog.from_columns(**columns)


def test_columns_have_the_types_that_they_say():
    log = literal(features=np.ones((6, 2)), behaviour=[1, 2, 1, 1, 1, 1])
    found = [getattr(log, name).dtype for name in ("user", "item", "time", "behaviour")]
    assert found == [np.int32, np.int32, np.float64, np.int16]
    assert (log.purchase.dtype, log.features.dtype) == (np.bool_, np.float32)
    assert (log.features.shape, log.inventory.shape) == ((6, 2), (6, 0))
    assert (log.n_users, log.n_items, log.n_behaviours, len(log)) == (4, 4, 3, 6)
    assert log.bytes_an_event() == 4 + 4 + 8 + 2 + 1


def test_times_keep_differences_that_float32_loses():
    log = literal(time=1.7e9 + np.arange(6))
    assert np.diff(log.time).tolist() == [1, 1, 1, 1, 1]


def test_a_split_rounds_every_part_but_the_first_down():
    log = EventLog.from_columns(np.ones(25), np.ones(25), np.arange(25))
    assert log.split([0.8, 0.1, 0.1]) == (21, 23)
    assert split_positions(25, [8, 1, 1]) == (21, 23)


def test_a_part_of_less_than_an_event_is_one_as_with_recbole():
    from recbole.data.dataset import Dataset

    for n in range(30):
        for ratios in ([0.8, 0.1, 0.1], [0.7, 0.15, 0.15], [0.5, 0.5]):
            expected = tuple(map(int, Dataset._calcu_split_ids(None, n, ratios)))
            assert split_positions(n, ratios) == expected, (n, ratios)


SHARES = st.sampled_from([(0.7, 0.15, 0.15), (0.8, 0.1, 0.1), (8, 1, 1), (1, 1, 1), (0.5, 0.5)])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40).map(sorted), SHARES)
def test_a_cut_between_times_is_that_of_quantiles(times, ratios):
    times = np.asarray(times, float)
    shares = np.asarray(ratios) / sum(ratios)
    # Two cuts as the Temporal Graph Benchmark writes them.
    expected = [1 - shares[-1]] if len(shares) == 2 else [1 - shares[1] - shares[2], 1 - shares[2]]
    ends = [int((times <= np.quantile(times, share)).sum()) for share in expected]
    cuts = time_positions(times, ratios)
    assert list(cuts) == ends
    log = EventLog.from_columns(np.ones(len(times)), np.ones(len(times)), times)
    assert log.split(ratios, between_times=True) == cuts
    for cut in cuts:
        assert cut == len(times) or times[cut - 1] < times[cut]


def test_a_cut_between_times_of_no_events():
    assert time_positions(np.empty(0), [0.8, 0.1, 0.1]) == (0, 0)


def test_a_copy_is_the_log_itself():
    log = literal()
    assert copy.deepcopy(log) is log


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": [0, 1, 2, 3, 5, 4]}, "time of event 5 is 4.0, earlier than 5.0 before it"),
        ({"time": [0, 1, 2, np.nan, 5, 6]}, "time of event 3 is nan"),
        ({"time": [0, 1, 2, 3, 4, np.inf]}, "time of event 5 is inf"),
        ({"user": [1, 2, 0, 1, 2, 3]}, "user of event 2 is 0, outside 1..3"),
        ({"item": ITEM[:-1]}, "column item has 5 entries, time has 6"),
        ({"n_items": 3}, "item of event 4 is 3, outside 1..2"),
        ({"user": [], "item": [], "time": [], "purchase": []}, "the log has no events"),
    ],
)
def test_bad_columns_are_refused_in_one_line(changes, message):
    with pytest.raises(LogError) as error:
        literal(**changes)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ((1, 1, 19.0), "time of event 6 is 19.0, earlier than 20.0 before it"),
        ((4, 1, 20.0), "user of event 6 is 4, outside 1..3"),
        ((1, 4, 20.0), "item of event 6 is 4, outside 1..3"),
        ((1, 1, 20.0, 1), "behaviour of event 6 is 1, outside 0..0"),
        ((1, 1, 20.0, 0, 0, [[1.0]]), "events have 1 features, the log has 0"),
    ],
)
def test_what_cannot_be_appended_changes_nothing(event, message):
    log = literal()
    with pytest.raises(LogError) as error:
        log.append(complete_columns(*event))
    assert message in str(error.value)
    assert (len(log), log.user.tolist(), log.time.tolist()) == (6, USER, TIME)
    log.grow(5, 6, 2)
    log.append(complete_columns([4], [5], [20.0], [1]))
    assert (log.user[-1], log.item[-1], log.behaviour[-1]) == (4, 5, 1)


def test_columns_given_out_earlier_keep_what_they_hold():
    log = literal()
    earlier = log.user
    for _ in range(3000):
        log.append(complete_columns(3, 3, 20.0))
    assert earlier.tolist() == USER
    assert len(log) == 3006


def test_a_folder_is_reopened_and_appended_to(tmp_path):
    log = literal(folder=tmp_path / "kept", features=np.arange(12.0).reshape(6, 2))
    log.grow(9)
    log.append(complete_columns(8, 1, 21.0, features=[[1.0, 2.0]]))
    again = EventLog.open(tmp_path / "kept")
    for name in ("user", "item", "time", "behaviour", "purchase", "features", "inventory"):
        np.testing.assert_array_equal(getattr(again, name), getattr(log, name))
    assert again.sizes == log.sizes
    again.append(complete_columns([1, 2], [3, 3], [22.0, 23.0], features=np.ones((2, 2))))
    assert len(EventLog.open(tmp_path / "kept")) == 9
    with pytest.raises(LogError, match=r"holds no event log: there is no log\.json"):
        EventLog.open(tmp_path)


def test_what_the_header_does_not_count_does_not_exist(tmp_path):
    log = literal(folder=tmp_path / "kept")
    header = (tmp_path / "kept" / "log.json").read_bytes()
    log.append(complete_columns([3, 3], [1, 1], [30.0, 31.0]))
    # As if the program had ended before it wrote the header.
    (tmp_path / "kept" / "log.json").write_bytes(header)
    again = EventLog.open(tmp_path / "kept")
    assert (len(again), again.user.tolist()) == (6, USER)
    again.append(complete_columns(2, 2, 25.0))
    assert (again.user[-1], again.time[-1], len(EventLog.open(tmp_path / "kept"))) == (2, 25.0, 7)


@given(st.lists(st.integers(0, 4), max_size=30))
def test_groups_equal_a_plain_search(keys):
    column = np.array(keys, np.int64)
    earlier = [[k for k in range(n) if keys[k] == keys[n]] for n in range(len(keys))]
    assert place_within_group(column).tolist() == [len(same) for same in earlier]
