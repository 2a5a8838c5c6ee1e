"""Slices of a literal stream."""

import numpy as np
import pytest
import torch

from recbole_imn.evaluation.slices import described_items, metrics_by_slice, slice_labels
from recbole_imn.log import EventLog
from recbole_imn.past import Past

DAY = 86_400.0
LOG = EventLog.from_columns(
    user=[1, 1, 2, 1, 1, 2],
    item=[1, 2, 1, 1, 1, 3],
    time=[0.0, 0.5 * DAY, DAY, 2 * DAY, 9 * DAY, 20 * DAY],
    purchase=[False, True, False, False, False, False],
)
EVENTS = np.array([1, 3, 4, 5])


def all_of(log):
    """The past of a log, all of which has happened."""
    past = Past(log)
    past.move_to(len(log))
    return past


def test_labels_of_every_row():
    labels = slice_labels(all_of(LOG), EVENTS, n_training=3)
    assert labels["item asked for"].tolist() == [
        "a new item",
        "an own earlier item",
        "the user's last item",
        "a new item",
    ]
    assert labels["item new to the user"].tolist() == [
        "its first event",
        "the user's own",
        "the user's own",
        "its first event",
    ]
    assert labels["item in training"].tolist() == ["seen", "seen", "seen", "never"]
    assert labels["user"].tolist() == ["cold (under 5 events)"] * 4
    assert labels["user's last purchase"].tolist() == [
        "none",
        "1 to 7 days",
        "over 7 days",
        "none",
    ]
    assert labels["item's first event"].tolist() == [
        "this one",
        "1 to 7 days",
        "over 7 days",
        "this one",
    ]


def test_purchases_and_the_week_after_them():
    events = np.arange(6)
    labels = slice_labels(all_of(LOG), events, n_training=3)
    bought = ["no purchase", "a purchase"]
    assert labels["row's own event"].tolist() == [bought[int(event == 1)] for event in events]
    # User 1 buys at half a day; events 3 and 4 come 1.5 and 8.5 days later.
    assert labels["week after the user's purchase"].tolist() == [
        *["not in it"] * 3,
        "in it",
        *["not in it"] * 2,
    ]
    (entry,) = [
        entry
        for entry in metrics_by_slice(labels, np.array([9.0, 2.0, 9.0, 9.0, 9.0, 9.0]))
        if (entry["grouping"], entry["slice"]) == ("row's own event", "a purchase")
    ]
    assert (entry["rows"], entry["mrr@10"]) == (1, 0.5)


def test_the_week_is_that_of_the_ages_of_purchases():
    n_events = 30
    log = EventLog.from_columns(
        user=[1] * n_events,
        item=[1] * n_events,
        time=np.linspace(0, 14 * DAY, n_events),
        purchase=[True] + [False] * (n_events - 1),
    )
    labels = slice_labels(all_of(log), np.arange(n_events), n_training=10)
    young = labels["user's last purchase"].isin(["under 1 day", "1 to 7 days"])
    assert young.sum() == 14
    assert ((labels["week after the user's purchase"] == "in it") == young).all()


def test_a_log_without_purchases_has_no_slice_of_them():
    log = EventLog.from_columns(user=[1, 1], item=[1, 2], time=[0.0, DAY])
    labels = slice_labels(all_of(log), np.array([1]), n_training=1)
    assert "item asked for" in labels
    assert not {"row's own event", "week after the user's purchase"} & set(labels)


def test_borders_of_users_and_days():
    n_events = 60
    log = EventLog.from_columns(
        user=[1] * n_events,
        item=[1] * n_events,
        time=np.linspace(0, 7 * DAY, n_events),
        purchase=[True] + [False] * (n_events - 1),
    )
    labels = slice_labels(all_of(log), np.array([4, 5, 49, 50, 59]), n_training=10)
    assert labels["user"].str.split().str[0].tolist() == ["cold", "warm", "warm", "heavy", "heavy"]
    # Exactly seven days are not over seven days.
    assert labels["user's last purchase"].iloc[-1] == "1 to 7 days"


def test_a_users_first_event_is_a_slice_of_its_own():
    labels = slice_labels(all_of(LOG), np.array([0, 1, 2, 3]), n_training=3)
    assert labels["user"].str.split().str[0].tolist() == ["new", "cold", "new", "cold"]
    assert labels["item new to the user"].tolist() == [
        "its first event",
        "its first event",
        "seen before with others",
        "the user's own",
    ]
    # Without such rows, the slice is not told.
    told = [entry["slice"] for entry in metrics_by_slice(labels.iloc[[1, 3]], np.ones(2))]
    assert "new (no history)" not in told


def test_items_known_by_their_features_alone_are_counted_apart():
    features = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 2.0]])
    described = described_items(features)
    assert described.tolist() == [False, True, False, True]
    labels = slice_labels(all_of(LOG), np.array([0, 1, 2, 3, 5]), 3, described)
    assert labels["item new to the user"].tolist() == [
        "its first event, known by features",
        "its first event, no features",
        "seen before with others",
        "the user's own",
        "its first event, known by features",
    ]


@pytest.mark.parametrize("features", [torch.zeros(4, 0), torch.zeros(4, 2)])
def test_a_log_without_features_has_no_slice_of_them(features):
    described = described_items(features)
    assert described is None
    labels = slice_labels(all_of(LOG), EVENTS, 3, described)
    assert "its first event" in labels["item new to the user"].cat.categories


def test_every_grouping_covers_all_rows():
    rank = np.array([1.0, 20.0, 2.0, np.inf])
    table = metrics_by_slice(slice_labels(all_of(LOG), EVENTS, 3), rank)
    rows = {}
    for entry in table:
        rows[entry["grouping"]] = rows.get(entry["grouping"], 0) + entry["rows"]
    assert set(rows.values()) == {4}
    last = next(entry for entry in table if entry["slice"] == "the user's last item")
    assert (last["rows"], last["mrr@10"]) == (1, 0.5)
