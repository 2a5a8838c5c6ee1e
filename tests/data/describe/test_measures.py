"""Figures of a small log that can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.data.describe import bins, measures
from recbole_imn.data.describe.log import Log, read_log
from recbole_imn.data.describe.published import columns, rows
from recbole_imn.errors import DataError
from tests.conftest import write_log

DAY = 86_400
ROWS = [
    ("a", "x", 0, "view", 0),
    ("b", "x", 0, "view", 0),
    ("a", "x", DAY, "view", 0),
    ("a", "y", DAY, "buy", 1),
    ("b", "y", 2 * DAY, "view", 0),
    ("a", "x", 3 * DAY, "view", 0),
    ("c", "x", 3.5 * DAY, "view", 0),
    ("c", "z", 4 * DAY, "view", 0),
    ("b", "z", 4 * DAY, "view", 0),
    ("b", "w", 5 * DAY, "buy", 1),
]
ITEMS = (
    "item_id:token\tprice:float\tlisted_at:float_seq\tdelisted_at:float_seq\n"
    f"x\t100\t0 {3 * DAY}\t{2 * DAY} {6 * DAY}\n"
    f"y\t200\t{DAY}\t{3 * DAY}\n"
    "z\t\t\t\n"
)


def _log(events):
    user, item, time = (np.array(column) for column in zip(*sorted(events, key=_time), strict=True))
    # Ids without gaps, as they are read.
    user, item = (np.unique(ids, return_inverse=True)[1] for ids in (user, item))
    time = time * 20_000.0
    return Log(user, item, time, {}, None, None, None, None)


def _listed(log):
    return list(zip(log.stays.item, log.stays.start, log.stays.end, strict=True))


def _time(event):
    return event[2]


NUMBERS = st.integers(0, 5)
LOGS = st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 20)), min_size=1).map(_log)


@pytest.fixture
def log(tmp_path):
    write_log(tmp_path, "toy", ROWS)
    (tmp_path / "toy" / "toy.item").write_text(ITEMS)
    return read_log(tmp_path / "toy", "toy")


@pytest.mark.parametrize(
    ("stays", "message"),
    [("5\t4", "line 4: listed_at is '5' and delisted_at '4'; a stay must not end"),
     ("5 6\t7", "line 4: listed_at is '5 6' and delisted_at '7'; each stay needs both"),
     ("soon\t7", "line 4: listed_at is 'soon', not numbers")],
)  # fmt: skip
def test_stays_that_cannot_be_are_refused_with_their_line(tmp_path, stays, message):
    write_log(tmp_path, "toy", ROWS)
    file = tmp_path / "toy" / "toy.item"
    file.write_text(ITEMS.replace("z\t\t\t\n", f"z\t\t{stays}\n"))
    with pytest.raises(DataError, match=message):
        read_log(tmp_path / "toy", "toy")


def test_of_an_item_told_twice_the_first_row_counts(tmp_path, log):
    (tmp_path / "toy" / "toy.item").write_text(f"{ITEMS}x\t900\t0\t{DAY}\n")
    twice = read_log(tmp_path / "toy", "toy")
    assert "1 rows of toy.item repeat an earlier item_id" in twice.notes[0]
    assert twice.price.tolist() == log.price.tolist()
    assert _listed(twice) == _listed(log)


def test_size_is_a_row_of_table_2(log):
    size = measures.size(log)
    assert (size["users"], size["items"], size["actions"]) == (3, 4, 10)
    assert size["actions_per_user"] == pytest.approx(10 / 3)
    assert (size["days"], size["purchase_percent"], size["mean_price"]) == (6, 20, 150)
    table = {label: figures for label, *figures in rows(size, columns("czb", False))}
    assert table["span"] == ["day 0 to day 5", "2019-05-01 to 2019-10-31"]
    assert table["actions per user"] == ["3.3", "378 printed, 60.4 computed"]
    assert table["actions"][1:] == ["647,664"]
    table = {label: figures for label, *figures in rows(size, columns("tmall", False))}
    assert table["actions per user"] == ["3.3", "38.4 computed"]
    assert table["span"] == ["day 0 to day 5", "-"]
    assert columns("jodie_wikipedia", False) == {}
    assert list(columns("market7", True)) == ["CheZhiBao 2019, published"]


def test_days_of_a_log_without_a_record_are_dates_where_its_times_read_as_such(tmp_path):
    begin = 881_250_949  # ml-100k is of 1997
    write_log(tmp_path, "toy", [("u", "x", begin, "view", 0), ("u", "y", begin + DAY, "view", 0)])
    size = measures.size(read_log(tmp_path / "toy", "toy"))
    assert (size["first_day"], size["last_day"]) == ("1997-12-04", "1997-12-05")
    (tmp_path / "toy" / "toy.source.json").write_text('{"origin": "an unknown moment"}')
    size = measures.size(read_log(tmp_path / "toy", "toy"))
    assert (size["first_day"], size["last_day"]) == ("day 10199", "day 10200")


def test_order_counts_repeats_ties_and_first_events(log):
    order = measures.profile(log).figures["order"]
    assert order == {
        "repeat_percent": 10,  # a views x again
        "return_percent": 20,  # and once more after y
        "tied_percent": 60,
        "tied_same_user_percent": 10,
        "first_of_user_percent": 30,
        "first_of_item_percent": 40,
    }


def test_life_unseen_and_shelf(log):
    figures = measures.profile(log).figures
    assert figures["life"]["one_event_percent"] == 25
    assert figures["life"]["mean_days"] == pytest.approx((3.5 + 1 + 0 + 0) / 4)
    assert figures["unseen"] == {
        "test_items": 1, "unseen_items": 1,
        "unseen_item_percent": 100, "unseen_event_percent": 100,
        "known_event_percent": 0, "known_later_event_percent": 0,
    }  # fmt: skip
    _, days, there = measures.shelf(log)
    assert (days / DAY).tolist() == [0, 1, 2, 3, 4, 5]
    assert there.tolist() == [1, 2, 1, 1, 1, 1]
    assert figures["shelf"]["listings"] == 3


def test_what_has_not_left_is_on_the_shelf_of_a_last_day_that_ends_before_noon(tmp_path):
    times = (0, DAY, 2 * DAY + 9 * 3600)
    write_log(tmp_path, "toy", [("u", "x", time, "view", 0) for time in times])
    listed = "item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq\nx\t0\tinf\ny\t0\tinf\n"
    (tmp_path / "toy" / "toy.item").write_text(listed)
    _, _, there = measures.shelf(read_log(tmp_path / "toy", "toy"))
    assert there.tolist() == [2, 2, 2]


def test_test_events_are_known_from_training_or_only_from_validation(tmp_path):
    # Of 20 events, 18 and 19 are of test: x was seen in training, v in validation alone.
    items = [*"xyzxyzxyzxyzxyzx", "v", "v", "x", "v"]
    write_log(tmp_path, "toy", [("u", item, k, "view", 0) for k, item in enumerate(items)])
    is_new, figures = measures.unseen(read_log(tmp_path / "toy", "toy"))
    assert is_new.tolist() == [False, True]
    assert figures["known_event_percent"] == 50
    assert figures["unseen_event_percent"] == 50
    assert figures["known_later_event_percent"] == 100


# The first example compiles the loop.
@settings(deadline=None)
@given(LOGS)
def test_one_pass_counts_what_a_search_for_each_event_finds(log):
    order = measures.profile(log).figures["order"]
    events = list(zip(log.user, log.item, log.time, strict=True))
    before = [[one for one in events[:k] if one[0] == events[k][0]] for k in range(len(events))]
    found = {
        "repeat_percent": [b and b[-1][1] == e[1] for b, e in zip(before, events, strict=True)],
        "return_percent": [e[1] in {o[1] for o in b} for b, e in zip(before, events, strict=True)],
        "tied_percent": [sum(e[2] == o[2] for o in events) > 1 for e in events],
        "tied_same_user_percent": [
            b and b[-1][2] == e[2] for b, e in zip(before, events, strict=True)
        ],
        "first_of_user_percent": [not b for b in before],
        "first_of_item_percent": [e[1] not in log.item[:k] for k, e in enumerate(events)],
    }
    assert order == {
        name: pytest.approx(100 * sum(map(bool, flags)) / len(events))
        for name, flags in found.items()
    }


@settings(deadline=None)
@given(LOGS)
def test_curves_and_bins_lose_nobody(log):
    found = measures.profile(log)
    users, items = len(set(log.user)), len(set(log.item))
    assert sum(count for _, count in found.user_activity) == users
    assert sum(count for _, count in found.item_activity) == items
    assert sum(count for _, count in found.lives) == items
    assert found.actions.values.sum() == len(log.time)


def test_a_user_of_many_events_stands_in_the_bin_of_his_number():
    found = bins.by_number(np.array([1, 2, 3, 4, 7, 8, 1_000_000]))
    assert found[:4] == [("1", 1), ("2 to 3", 2), ("4 to 7", 2), ("8 to 15", 1)]
    assert found[-1] == ("524,288 to 1,048,575", 1)


def test_lives_of_items_end_where_the_next_bin_begins():
    seconds = np.array([0.0, 3_599, 3_600, DAY, 400 * DAY, 50.0])
    found = dict(bins.by_life(seconds, np.array([2, 2, 2, 2, 2, 1])))
    assert found["a single event"] == 1
    assert (found["under an hour"], found["1 to 6 hours"], found["1 to 3 days"]) == (2, 1, 1)
    assert found["longer"] == 1


def test_many_days_are_few_points_with_the_same_mean():
    times = np.sort(np.random.default_rng(0).uniform(0, 10_000 * DAY, 5_000))
    curve = bins.per_day(times, np.array([0, 9_999 * DAY]))
    assert len(curve.values) <= bins.MOST_POINTS
    assert curve.days == 28
    numbers = np.full(len(curve.values), 28)
    numbers[-1] = 10_000 - 28 * (len(numbers) - 1)
    assert (curve.values * numbers).sum() == pytest.approx(5_000)


def test_shares_are_of_equally_many_events():
    flags = np.arange(100) >= 50
    curve = bins.shares(flags, np.arange(100.0))
    assert len(curve.values) == bins.SHARES
    assert set(curve.values) <= {0, 50, 100}
    assert curve.times == (0, 50, 99)
    assert bins.shares(flags[:3], np.arange(3.0)).values.tolist() == [0, 0, 0]


def test_an_unsorted_file_is_read_in_order_of_time(tmp_path):
    write_log(tmp_path, "toy", [ROWS[place] for place in (9, 1, 0, 3, 2, 4, 5, 6, 7, 8)])
    log = read_log(tmp_path / "toy", "toy")
    assert log.time.tolist() == [row[2] for row in ROWS]
    # b came before a in the file, at the same time.
    assert log.user[0] == log.user[-1] != log.user[1]
