"""Asking from several threads gives what one gives, while another observes as well."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.conftest import PRICED
from tests.session.streams import columns, learn, log_until, session_on

KINDS = [("IMNNet", {}), ("IMNNetPlus", PRICED)]


@pytest.fixture(params=KINDS, ids=[name for name, _ in KINDS])
def trained(request, prepare):
    name, options = request.param
    _, dataset, _, model = prepare(name, **options)
    learn(model.session)
    return model.session, dataset.event_bounds


def asked(log, seed, n=9):
    rng = np.random.default_rng(seed)
    return rng.integers(1, log.n_users, n), log.time[-1] + rng.integers(0, 9999, n)


def test_four_threads_give_what_one_gives(trained):
    session, _ = trained
    questions = [asked(session.past.log, seed) for seed in range(24)]
    expected = [session.scores(session.query(*question)) for question in questions]
    # All four find states of old weights at first.
    session.weights_changed()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda question: session.scores(session.query(*question)), questions))
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


def test_while_events_are_observed_every_answer_is_one_of_before_or_after(trained):
    session, bounds = trained
    log = session.past.log
    start, stop = bounds[2], bounds[3]
    # After the last event, so that the same may be asked at any moment.
    question = asked(log, 0)
    alone, shared = (session_on(log_until(log, start), session) for _ in range(2))
    expected = [alone.scores(alone.query(*question))]
    for event in range(start, stop):
        alone.observe(columns(log, event, event + 1))
        expected.append(alone.scores(alone.query(*question)))

    def ask(_):
        query = shared.query(*question)
        return shared.scores(query)

    with ThreadPoolExecutor(5) as pool:
        observing = pool.submit(
            lambda: [shared.observe(columns(log, k, k + 1)) for k in range(start, stop)]
        )
        found = list(pool.map(ask, range(60)))
        observing.result()
    for scores in found:
        assert any(torch.equal(scores, one) for one in expected)
    assert torch.equal(ask(0), expected[-1])


def test_a_query_made_before_an_event_is_scored_after_it(trained):
    session, bounds = trained
    log, start = session.past.log, bounds[2]
    online = session_on(log_until(log, start), session)
    question = asked(log, 3)
    early = online.query(*question)
    online.observe(columns(log, start, start + 5))
    assert torch.equal(online.scores(early), online.scores(online.query(*question)))


def test_users_are_asked_for_at_the_last_event_at_the_earliest(trained):
    session, _ = trained
    log = session.past.log
    users, _ = asked(log, 1)
    now = np.full(len(users), log.time[-1])
    expected = session.scores(session.query(users, now))
    assert torch.equal(session.scores(session.query(users, now - 5000)), expected)
