"""Stays on the shelf: what overlaps counts once, and what comes after the log is not known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recbole_imn.data.describe import measures
from recbole_imn.data.describe.log import read_log
from recbole_imn.data.describe.report import facts
from recbole_imn.data.united_stays import missed, united
from tests.conftest import write_log

DAY = 86_400
HEADER = "item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq\n"


def _profile(folder, stays, rows=(("u", "x", 0, "view", 0), ("u", "x", 4 * DAY, "buy", 1))):
    write_log(folder, "toy", list(rows))
    (folder / "toy" / "toy.item").write_text(HEADER + stays)
    return measures.profile(read_log(folder / "toy", "toy")).figures


def test_an_item_with_overlapping_stays_is_one_item(tmp_path):
    figures = _profile(tmp_path, f"x\t0 0 {DAY}\t{4 * DAY} {DAY} {3 * DAY}\n")
    shelf = figures["shelf"]
    assert (shelf["smallest_items"], shelf["largest_items"], shelf["listings"]) == (1, 1, 1)
    assert shelf["mean_stay_days"] == 4


def test_an_end_far_away_is_that_of_the_log(tmp_path):
    shelf = _profile(tmp_path, f"x\t0\t251700000000\ny\t{5 * DAY}\t{9 * DAY}\n")["shelf"]
    assert shelf["mean_stay_days"] == 2
    assert shelf["listings"] == 2


def test_events_of_items_not_for_sale_then_are_told(tmp_path):
    rows = [("u", "x", day * DAY, "view", int(day == 2)) for day in range(4)]
    rows += [("u", "z", 3 * DAY, "view", 0)]
    figures = _profile(tmp_path, f"x\t0 {3 * DAY}\t{DAY} {3 * DAY}\ny\t0\tinf\n", rows)
    assert figures["shelf"]["events_off_shelf"] == 2
    told = dict(facts(figures))
    assert told["events on items not for sale then, and purchases among them"] == "2 (40.0%), 1"
    figures = _profile(tmp_path, "x\t0\tinf\nz\t0\tinf\n", rows)
    assert not any("not for sale" in label for label, _ in facts(figures))


TIMES = st.integers(0, 12)
STAYS = st.lists(st.tuples(st.integers(0, 3), TIMES, TIMES), max_size=12)


@given(STAYS, st.lists(st.tuples(st.integers(0, 3), TIMES), min_size=1, max_size=12))
def test_united_stays_hold_the_same_moments(stays, events):
    item, one, other = (np.array([stay[k] for stay in stays], np.float64) for k in range(3))
    start, end = np.minimum(one, other), np.maximum(one, other)
    found = united(item.astype(np.int64), start, end, 12.0)
    who, when = np.array(events).T
    plain = [
        not any(i == w and s <= t <= e for i, s, e in zip(item, start, end, strict=True))
        for w, t in events
    ]
    assert missed(found, who, when.astype(np.float64)).tolist() == plain
    same = found.item[1:] == found.item[:-1]
    assert (found.start[1:][same] > found.end[:-1][same]).all()
