"""Events observed one by one are scored as an evaluation scores them, bit for bit."""

import numpy as np
import pytest
import torch

from recbole_imn.log import EventLog
from tests.session.streams import (
    FULL_BRANCH,
    SETTINGS,
    columns,
    learn,
    log_until,
    ranks,
    session_on,
)


@pytest.fixture(params=SETTINGS, ids=lambda case: "-".join([case[0], *map(str, case[1])]))
def trained(request, prepare):
    """A trained model of each kind, and the positions of its test part."""
    name, options = request.param
    _, dataset, _, model = prepare(name, **options)
    learn(model.session)
    return model, np.arange(*dataset.event_bounds[2:])


def test_observing_event_by_event_gives_the_scores_of_the_evaluation(trained):
    model, events = trained
    session, log = model.session, model.session.past.log
    offline = session.scores_before(events)
    assert torch.isfinite(offline[:, 1:]).all()
    assert torch.equal(session.scores_before(events, 7), offline)
    online = session_on(log_until(log, events[0]), session)
    found = []
    for event in events:
        query = online.query([log.user[event]], [log.time[event]])
        found.append(online.scores(query)[0])
        online.observe(columns(log, event, event + 1))
    scores = torch.stack(found)
    assert torch.equal(scores, offline)
    assert ranks(scores, log.item[events]) == ranks(offline, log.item[events])
    assert torch.equal(online.scores_before(events, 5), offline)


def test_events_observed_by_the_handful_move_states_alike(trained):
    model, events = trained
    session, log = model.session, model.session.past.log
    rng = np.random.default_rng(0)
    start, stop = int(events[0]), int(events[-1]) + 1
    online = session_on(log_until(log, start), session)
    while start < stop:
        end = min(stop, start + int(rng.integers(1, 9)))
        online.observe(columns(log, start, end))
        start = end
    session.seek(stop)
    for one, other in zip(online.network.memories(), session.network.memories(), strict=True):
        for name, value in one.state().items():
            assert torch.equal(value, other.state()[name]), name
    with torch.no_grad():
        assert torch.equal(online.catalogue(), session.catalogue())


def test_many_users_at_once_are_scored_as_each_alone(trained):
    model, _ = trained
    session, log = model.session, model.session.past.log
    rng = np.random.default_rng(1)
    users = rng.integers(0, log.n_users, 20)
    at = log.time[-1] + rng.integers(0, 5000, 20)
    together = session.scores(session.query(users, at))
    for row in range(20):
        alone = session.scores(session.query(users[[row]], at[[row]]))
        assert torch.equal(alone[0], together[row])


def test_nobody_may_be_asked_for(trained):
    session, n_items = trained[0].session, trained[0].session.past.log.n_items
    assert session.scores(session.query([], [])).shape == (0, n_items)
    none = np.empty(0, np.int64)
    assert session.scores_before(none).shape == (0, n_items)
    assert session.score_before(none, torch.empty(0, dtype=torch.int64)).shape == (0,)


@pytest.mark.parametrize("options", [{}, FULL_BRANCH])
def test_an_empty_log_is_a_beginning(prepare, options):
    like = prepare("IMNNet", **options)[-1].session
    known = like.past.log
    widths = known.features.shape[1], known.inventory.shape[1]
    log = EventLog(known.n_users, known.n_items, known.n_behaviours, *widths)
    session = session_on(log, like)
    assert session.scores(session.query([1], [5.0])).shape == (1, known.n_items)
    session.observe(columns(known, 0, 3))
    session.observe(columns(known, 3, 40))
    expected = like.scores_before(np.arange(40))
    assert torch.equal(session.scores_before(np.arange(40)), expected)
