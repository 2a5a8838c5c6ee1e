"""Figures of a small log that can be counted by hand."""

import numpy as np
import pytest

from recbole_imn.data.describe import measures
from recbole_imn.data.describe.log import read_log
from recbole_imn.data.describe.published import rows
from tests.conftest import random_rows, write_log

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


@pytest.fixture
def log(tmp_path):
    write_log(tmp_path, "toy", ROWS)
    (tmp_path / "toy" / "toy.item").write_text(ITEMS)
    return read_log(tmp_path / "toy", "toy")


def test_size_is_a_row_of_table_2(log):
    size = measures.size(log)
    assert (size["users"], size["items"], size["actions"]) == (3, 4, 10)
    assert size["actions_per_user"] == pytest.approx(10 / 3)
    assert (size["days"], size["purchase_percent"], size["mean_price"]) == (6, 20, 150)
    table = {label: (ours, czb, tmall) for label, ours, czb, tmall in rows(size)}
    assert table["span"] == ("day 0 to day 5", "2019-05-01 to 2019-10-31", "-")
    assert table["actions per user"] == ("3.3", "378 printed, 60.4 computed", "38.4 computed")
    assert table["actions"][1:] == ("647,664", "44.5 million")


def test_order_counts_repeats_ties_and_first_events(log):
    order = measures.measure(log)["order"]
    assert order == {
        "repeat_percent": 10,  # a views x again
        "return_percent": 20,  # and once more after y
        "tied_percent": 60,
        "tied_same_user_percent": 10,
        "first_of_user_percent": 30,
        "first_of_item_percent": 40,
    }


def test_life_unseen_and_shelf(log):
    figures = measures.measure(log)
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


def test_test_events_are_known_from_training_or_only_from_validation(tmp_path):
    # Of 20 events, 18 and 19 are of test: x was seen in training, v in validation alone.
    items = [*"xyzxyzxyzxyzxyzx", "v", "v", "x", "v"]
    write_log(tmp_path, "toy", [("u", item, k, "view", 0) for k, item in enumerate(items)])
    figures = measures.unseen(read_log(tmp_path / "toy", "toy"))
    assert figures["known_event_percent"] == 50
    assert figures["unseen_event_percent"] == 50
    assert figures["known_later_event_percent"] == 100


def test_t_batches_are_those_of_the_engine(tmp_path):
    from recbole_imn.log import EventLog
    from recbole_imn.past import Past
    from recbole_imn.stream import plan_window

    rows = random_rows(n_events=600)
    write_log(tmp_path, "toy", rows)
    log = read_log(tmp_path / "toy", "toy")
    past = Past(EventLog.from_columns(log.user + 1, log.item + 1, log.time))
    past.move_to(512)
    none = past.look([], [])
    sizes = [plan_window(past, start, start + 256, none).levels.sizes for start in (0, 256)]
    figures, _, means = measures.batches(log, 256)
    assert figures["largest_level"] == max(map(max, sizes))
    assert means.tolist() == [256 / len(levels) for levels in sizes]


def test_a_histogram_loses_nobody():
    counts = np.random.default_rng(0).geometric(0.01, 5_000)
    assert measures.log_histogram(counts)[1].sum() == 5_000


def test_an_unsorted_file_is_read_in_order_of_time(tmp_path):
    write_log(tmp_path, "toy", [ROWS[place] for place in (9, 1, 0, 3, 2, 4, 5, 6, 7, 8)])
    log = read_log(tmp_path / "toy", "toy")
    assert log.time.tolist() == [row[2] for row in ROWS]
    # b came before a in the file, at the same time.
    assert log.user[0] == log.user[-1] != log.user[1]
