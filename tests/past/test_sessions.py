"""Sessions of users against a plain loop."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_imn.log import EventLog
from recbole_imn.past import Past
from recbole_imn.past.sessions import SessionIndex
from tests.session.streams import columns, log_until

EVENTS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(0, 3)), min_size=1, max_size=60
)


def log_with(events):
    """A log of (user, item, seconds since the previous event)."""
    users, items, breaks = np.array(events).T
    return EventLog.from_columns(
        users, items, np.cumsum(breaks).astype(float), n_users=5, n_items=7
    )


def plain_sessions(log, longest_break):
    """The events of each session, in order of their first events."""
    found, open_session = [], {}
    for event, (user, time) in enumerate(zip(log.user.tolist(), log.time.tolist(), strict=True)):
        session = open_session.get(user)
        if session is None or time - log.time[session[-1]] > longest_break:
            session = open_session[user] = []
            found.append(session)
        session.append(event)
    return found


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(0, 6))
def test_sessions_equal_a_plain_loop(events, longest_break):
    log = log_with(events)
    index = SessionIndex(Past(log), longest_break)
    first, following = index.sessions
    for session in plain_sessions(log, longest_break):
        assert first[session].tolist() == [session[0]] * len(session)
        assert following[session].tolist() == [*session[1:], -1]


@settings(max_examples=30, deadline=None)
@given(EVENTS, st.data())
def test_a_log_that_grows_is_indexed_alike(events, data):
    log = log_with(events)
    start = data.draw(st.integers(1, len(log)))
    past = Past(log_until(log, start))
    index = SessionIndex(past, 4)
    for event in range(start, len(log)):
        past.observe(columns(log, event, event + 1))
        index.extend()
    whole = SessionIndex(Past(log), 4)
    assert len(index) == len(log)
    for one, other in zip(index.sessions, whole.sessions, strict=True):
        assert np.array_equal(one, other)
