"""Whatever the log: a file that repeats it goes on where it ends, and any change is noticed."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recbole_imn.errors import DataError
from recbole_imn.log import EventLog
from recbole_imn.serving.names import Names
from recbole_imn.serving.times import LogClock
from recbole_imn.serving.updating.continuing import first_new

KINDS = ["", "view", "buy"]
CLOCK = LogClock(0.0)
# User, item, seconds since the event before, kind of action.
EVENTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 1), st.integers(1, 2)),
    min_size=2,
    max_size=12,
)


def table(drawn):
    """Events as a file tells of them."""
    users, items, steps, kinds = zip(*drawn, strict=True)
    return pl.DataFrame(
        {
            "user": users,
            "item": items,
            "time": np.cumsum(steps).astype(np.float64),
            "behavior": [KINDS[kind] for kind in kinds],
            "purchase": [kind == 2 for kind in kinds],
            "file": ["new.csv"] * len(drawn),
            "line": range(2, len(drawn) + 2),
        }
    )


def market_of(events):
    """A market whose log has these events."""
    users, items = Names("abc"), Names("xyz")
    log = EventLog.from_columns(
        user=np.array([users.get(name) for name in events["user"]]),
        item=np.array([items.get(name) for name in events["item"]]),
        time=events["time"].to_numpy(),
        behaviour=np.array([KINDS.index(name) for name in events["behavior"]]),
        purchase=events["purchase"].to_numpy(),
        n_users=4,
        n_items=4,
        n_behaviours=3,
    )
    session = SimpleNamespace(past=SimpleNamespace(log=log))
    snapshot = SimpleNamespace(behaviours=KINDS, forgotten=0)
    usual = {"view": False, "buy": True}
    return SimpleNamespace(
        session=session, snapshot=snapshot, users=users, items=items, purchase_of=lambda: usual
    )


def is_repeated(events):
    return ~events.select(
        pl.struct("user", "item", "time", "behavior").is_first_distinct()
    ).to_series()


@given(EVENTS, st.data())
def test_a_file_goes_on_where_the_log_ends(drawn, data):
    events = table(drawn)
    n = data.draw(st.integers(1, len(drawn)))
    assert first_new(events, market_of(events[:n]), CLOCK) == n


@given(EVENTS, st.data())
def test_a_file_may_repeat_the_log_from_anywhere_in_it(drawn, data):
    events = table(drawn)
    n = data.draw(st.integers(1, len(drawn)))
    first = data.draw(st.integers(0, n - 1))
    # From the log's first moment on, it is the whole log.
    assume(first == 0 or events["time"][first] > events["time"][0])
    found = first_new(events[first:], market_of(events[:n]), CLOCK)
    # What has the time of the log's last event is left to the rule for duplicates.
    all_of_last = events["time"][first] == events["time"][n - 1] > events["time"][0]
    assert found == (0 if all_of_last else n - first)


@given(EVENTS, st.data())
def test_what_the_log_has_once_may_be_twice_in_the_file(drawn, data):
    events = table(drawn)
    n = data.draw(st.integers(1, len(drawn)))
    repeated = is_repeated(events)
    once = events[:n].filter(~repeated[:n])
    found = first_new(events, market_of(once), CLOCK)
    # What repeats the log's last events is left to the rule for duplicates.
    assert found <= n
    assert repeated[found:n].all()


@given(EVENTS, st.data())
def test_any_other_event_is_refused_with_its_line(drawn, data):
    events = table(drawn)
    place = data.draw(st.integers(0, len(drawn) - 1))
    column = data.draw(st.sampled_from(["user", "item", "purchase"]))
    market = market_of(events)
    cells = events[column].to_list()
    cells[place] = not cells[place] if column == "purchase" else "somebody else"
    changed = events.with_columns(pl.Series(column, cells))
    with pytest.raises(DataError, match=rf"^new\.csv, line {place + 2}: .* event {place + 1} of"):
        first_new(changed, market, CLOCK)


@given(EVENTS, EVENTS)
def test_later_events_are_all_new(drawn, more):
    events = table(drawn)
    later = table(more).with_columns(pl.col("time") + float(events["time"][-1]) + 1)
    assert first_new(later, market_of(events), CLOCK) == 0
