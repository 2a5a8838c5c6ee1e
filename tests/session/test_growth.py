"""Ids that come later change no other score, and are asked for and observed like others."""

import numpy as np
import pytest
import torch

from recbole_imn.log.completing import complete_columns
from tests.session.streams import SETTINGS, columns, learn, log_until, session_on


@pytest.fixture(params=SETTINGS, ids=lambda case: "-".join([case[0], *map(str, case[1])]))
def trained(request, prepare):
    name, options = request.param
    _, dataset, _, model = prepare(name, **options)
    learn(model.session)
    return model.session, dataset.event_bounds


def grown_features(session, n_items):
    known = session.network.states.item_features
    added = torch.randn(n_items - len(known), known.shape[1], generator=torch.manual_seed(3))
    return torch.cat([known, added])


def question(log):
    rng = np.random.default_rng(2)
    return rng.integers(1, log.n_users, 15), log.time[-1] + rng.integers(0, 5000, 15)


@pytest.mark.parametrize("through", ["past", "session"])
def test_scores_of_others_stay(trained, through):
    session, bounds = trained
    log = session.past.log
    n_users, n_items = log.n_users, log.n_items
    events, asked = np.arange(bounds[1], bounds[3]), question(log)
    expected, now = session.scores_before(events), session.scores(session.query(*asked))
    if through == "past":
        session.past.grow(n_users + 3, n_items + 4)
        session.grow()
    else:
        session.grow(n_users + 3, n_items + 4, grown_features(session, n_items + 4))
    assert (log.n_users, log.n_items) == (n_users + 3, n_items + 4)
    assert torch.equal(session.scores(session.query(*asked))[:, :n_items], now)
    for chunk in (256, 7):
        assert torch.equal(session.scores_before(events, chunk)[:, :n_items], expected)
    assert torch.equal(session.scores_before(events[::-1])[:, :n_items], expected.flip(0))


def test_it_does_not_matter_when_room_is_made(trained):
    session, bounds = trained
    log, start = session.past.log, bounds[2]
    features = grown_features(session, log.n_items + 4)
    n_users, n_items = log.n_users + 3, log.n_items + 4
    found = []
    for moment in (start, start + 3, bounds[3]):
        online = session_on(log_until(log, start), session)
        online.observe(columns(log, start, moment))
        online.grow(n_users - 1, n_items - 2, features[: n_items - 2])
        online.grow(n_users, n_items, features)
        online.observe(columns(log, moment, bounds[3]))
        new = complete_columns(
            [n_users - 1, 1, n_users - 1],
            [n_items - 1, n_items - 1, n_items - 2],
            log.time[-1] + np.array([0.0, 5.0, 5.0]),
            [1, 1, 2],
            [True, False, True],
            np.zeros((3, log.features.shape[1]), np.float32),
            np.zeros((3, log.inventory.shape[1]), np.float32),
        )
        online.observe(new)
        users = np.arange(n_users)
        scores = online.scores(online.query(users, np.full(n_users, log.time[-1] + 50)))
        assert scores.shape == (n_users, n_items)
        assert torch.isfinite(scores[:, 1:]).all()
        found.append((scores, online.scores_before(np.arange(start, bounds[3] + 3))))
    for scores, before in found[1:]:
        assert torch.equal(scores, found[0][0])
        assert torch.equal(before, found[0][1])
