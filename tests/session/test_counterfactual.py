"""Scores without purchases are those of a log in which they are absent, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_imn.errors import CounterfactualError
from recbole_imn.log.completing import complete_columns
from recbole_imn.session.counterfactual import (
    keep_anchor,
    last_purchases,
    log_without,
    with_all_events,
    without_events,
    without_purchases,
)
from tests.session.streams import SETTINGS, columns, learn, log_of, log_until, session_on


@pytest.fixture(params=SETTINGS, ids=lambda case: "-".join([case[0], *map(str, case[1])]))
def session(request, prepare):
    name, options = request.param
    model = prepare(name, **options)[-1]
    learn(model.session)
    return model.session


def absent(log, events):
    """The log without some events, by a plain search."""
    kept = [k for k in range(len(log)) if k not in set(events)]
    found = columns(log, 0, len(log))
    return log_of({name: values[kept] for name, values in found.items()}, log)


def purchases(log, user):
    return [k for k in range(len(log)) if log.user[k] == user and log.purchase[k]]


def memories(session):
    return [memory.state() for memory in session.network.memories()]


def same(first, second):
    for one, other in zip(first, second, strict=True):
        for name, value in one.items():
            assert torch.equal(value, other[name]), name


@pytest.mark.parametrize("n", [1, 3])
def test_the_bits_are_those_of_a_log_that_lacks_the_purchases(session, n):
    log, user = session.past.log, 3
    at = log.time[-1] + 60.0
    session.query([user], [at])
    expected_events = purchases(log, user)[-n:]
    found = without_purchases(session, user, n, at)
    assert found.events.tolist() == expected_events
    assert found.replayed == len(log) - n
    real = session_on(absent(log, expected_events), session)
    expected = real.scores(real.query([user], [at]))[0]
    assert torch.isfinite(found.scores[1:]).all()
    assert torch.equal(found.scores, expected)
    assert not torch.equal(found.scores, session.scores(session.query([user], [at]))[0])


def test_it_does_not_matter_where_the_replay_begins(session):
    log, user = session.past.log, 3
    events = purchases(log, user)[-2:]
    expected = without_purchases(session, user, 2).scores
    anchors = []
    for position in (events[0] + 1, 7, events[0], len(log), events[0] - 4):
        session.seek(position)
        anchors.append(keep_anchor(session))
        found = without_purchases(session, user, 2, anchors=anchors)
        assert torch.equal(found.scores, expected)
        before = [anchor.position for anchor in anchors if anchor.position <= events[0]]
        assert found.replayed == len(log) - 2 - max(before, default=0)


def test_the_session_and_its_anchors_stay_as_they_are(plus):
    log, users = plus.past.log, np.arange(12)
    query = plus.query(users, np.full(12, log.time[-1]))
    scores, states, position = plus.scores(query), memories(plus), plus.past.position
    anchor = keep_anchor(plus)
    plus.seek(200)
    early = keep_anchor(plus)
    kept = [{name: value.clone() for name, value in part.items()} for part in early.memories]
    for user in (1, 3, 5):
        without_purchases(plus, user, anchors=[anchor, early])
    same(early.memories, kept)
    assert torch.equal(plus.scores(query), scores)
    same(memories(plus), states)
    assert plus.past.position == position
    assert len(log) == 300


def test_a_fork_shares_weights_and_nothing_that_moves(plus):
    plus.query([1], [0.0])
    fork = without_events(plus, np.array([250, 260]))
    shared = {id(weight) for weight in plus.network.parameters()}
    assert {id(weight) for weight in fork.network.parameters()} == shared
    ours = {t.data_ptr() for m in plus.network.memories() for t in m.buffers() if t.numel()}
    assert not ours & {t.data_ptr() for m in fork.network.memories() for t in m.buffers()}
    assert fork.past.log is not plus.past.log


def test_anchors_hold_while_events_users_and_items_come(plus):
    log = plus.past.log
    online = session_on(log_until(log, 200), plus)
    online.query([1], [0.0])
    anchor = keep_anchor(online)
    online.observe(columns(log, 200, 300))
    online.grow(log.n_users + 2, log.n_items + 3)
    users, items = [log.n_users + 1, 3], [log.n_items + 2, log.n_items - 2]
    new = complete_columns(users, items, log.time[-1] + np.array([1.0, 2.0]), [1, 1], [True, True])
    online.observe(new)
    found = without_purchases(online, 3, anchors=[anchor])
    assert found.replayed == 101
    assert found.events.tolist() == [301]
    assert torch.equal(found.scores, without_purchases(online, 3).scores)
    assert len(found.scores) == log.n_items + 3


def test_anchors_of_other_weights_are_of_no_use(plus):
    plus.query([1], [0.0])
    anchor = keep_anchor(plus)
    plus.seek(50)
    early = keep_anchor(plus)
    with torch.no_grad():
        plus.network.projection.drift += 0.1
    with pytest.raises(CounterfactualError, match="has no states of its present weights"):
        keep_anchor(plus)
    found = without_purchases(plus, 3, anchors=[anchor, early])
    assert found.replayed == 299
    real = session_on(absent(plus.past.log, found.events), plus)
    assert torch.equal(found.scores, real.scores(real.query([3], [plus.past.log.time[-1]]))[0])


def test_what_is_compared_knows_items_by_the_same_features(plus):
    users, at = [3], [plus.past.log.time[-1] + 5.0]
    before = plus.scores(plus.query(users, at))
    anchor, nothing = keep_anchor(plus), np.empty(0, np.int64)
    fork = without_events(plus, nothing)
    assert with_all_events(plus, fork) is plus
    assert torch.equal(fork.scores(fork.query(users, at)), before)
    plus.grow(item_features=plus.network.states.item_features.clone())
    assert with_all_events(plus, without_events(plus, nothing)) is plus
    plus.grow(item_features=plus.network.states.item_features + 1)
    for anchors in ([], [anchor]):
        fork = without_events(plus, nothing, anchors)
        whole = with_all_events(plus, fork, anchors)
        scores = fork.scores(fork.query(users, at))
        assert torch.equal(whole.scores(whole.query(users, at)), scores)
    # From the beginning, by features of now; the session's states were made by those of then.
    real = session_on(plus.past.log, plus)
    assert with_all_events(real, fork) is real
    plus.load_state(plus.state())
    plus.same_weights()
    assert with_all_events(plus, without_events(plus, nothing)) is not plus


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 999))
def test_any_events_can_be_taken_away_from_anywhere(plus, seed):
    rng = np.random.default_rng(seed)
    log = plus.past.log
    events = rng.choice(np.arange(100, len(log)), int(rng.integers(1, 20)))
    plus.seek(int(rng.integers(0, len(log) + 1)))
    fork = without_events(plus, events, [keep_anchor(plus)])
    real = session_on(absent(log, events.tolist()), plus)
    users, at = np.arange(1, log.n_users), np.full(log.n_users - 1, log.time[-1] + 5)
    assert torch.equal(fork.scores(fork.query(users, at)), real.scores(real.query(users, at)))
    same(memories(fork), memories(real))


def test_an_earlier_time_counts_as_that_of_the_last_event(plus):
    last = plus.past.log.time[-1]
    for at in (None, 0.0):
        found = without_purchases(plus, 3, at=at)
        assert torch.equal(found.scores, without_purchases(plus, 3, at=last).scores)


def test_what_cannot_be_answered_is_refused_in_one_line(plus):
    log = plus.past.log
    n, first = len(purchases(log, 3)), purchases(log, 3)[-1]
    with pytest.raises(CounterfactualError, match=f"has {n} purchases in the log, so {n + 1} can"):
        without_purchases(plus, 3, n + 1)
    with pytest.raises(CounterfactualError, match="user 0 has 0 purchases"):
        without_purchases(plus, 0)
    with pytest.raises(CounterfactualError, match="0 purchases are to be taken away"):
        without_purchases(plus, 3, 0)
    refused = f"299 events would be replayed to take away event {first}, from position 0, more"
    with pytest.raises(CounterfactualError, match=refused) as error:
        without_purchases(plus, 3, most_events=298)
    assert "\n" not in str(error.value)
    plus.seek(first)
    anchor = keep_anchor(plus)
    few = len(log) - 1 - first
    assert without_purchases(plus, 3, anchors=[anchor], most_events=few).replayed == few
    with pytest.raises(CounterfactualError, match="nothing would be left of the log"):
        log_without(log, np.arange(len(log)))


def test_last_purchases_do_not_depend_on_where_the_past_is(plus):
    expected = purchases(plus.past.log, 3)[-2:]
    for position in (0, 150, 300):
        plus.past.move_to(position)
        assert last_purchases(plus, 3, 2).tolist() == expected
        assert plus.past.position == position
