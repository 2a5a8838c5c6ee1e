"""A log is told by its contents, and what is published on it stands under one protocol."""

import pytest

from recbole_imn.evaluation.leaderboards import LEADERBOARDS, TGBL_WIKI, leaderboard_of, log_facts
from recbole_imn.evaluation.protocols import STANDARD, TGB
from recbole_imn.log import EventLog

LOG = EventLog.from_columns(
    user=[1, 2, 1, 1, 2, 1, 3, 3],
    item=[1, 1, 2, 2, 3, 3, 1, 2],
    time=[0, 0, 5, 5, 5, 9, 9, 9],
    n_users=9,
    n_items=8,
)
WIKIPEDIA = {"events": 157_474, "users": 8_227, "items": 1_000, "catalogue": 1_000}


def test_facts_of_a_literal_log():
    assert log_facts(LOG, (0, 2, 3, 8)) == {
        "events": 8,
        "users": 3,
        "items": 3,
        "catalogue": 7,
        "training": 2,
        "validation": 1,
        "test": 5,
        # The events 3, 4, 6 and 7; of the same user 3 and 7; event 3 is of the same item.
        "after_same_time": 4,
        "after_own_same_time": 2,
        "own_other_items": 2,
    }


def test_facts_of_a_log_without_ties():
    log = EventLog.from_columns(user=[1, 1, 1], item=[1, 2, 1], time=[0, 1, 2])
    facts = log_facts(log, (0, 1, 2, 3))
    assert [facts[name] for name in facts if name.startswith(("after", "own"))] == [0, 0, 0]


def test_the_log_is_recognised_by_its_size_alone():
    assert leaderboard_of(TGB, WIKIPEDIA) == TGBL_WIKI
    assert leaderboard_of(STANDARD, WIKIPEDIA) is None


@pytest.mark.parametrize("name", WIKIPEDIA)
def test_a_log_of_another_size_has_none(name):
    assert leaderboard_of(TGB, {**WIKIPEDIA, name: WIKIPEDIA[name] - 1}) is None


def test_published_figures_are_in_order_and_on_one_log_each():
    for board in LEADERBOARDS:
        figures = [float(test.split()[0]) for _, test, _ in board.rows]
        assert figures == sorted(figures, reverse=True)
        assert all(0 < figure < 1 for figure in figures)
        assert board.source.startswith("https://")
        assert all(remark.endswith(".") for remark in board.remarks)
