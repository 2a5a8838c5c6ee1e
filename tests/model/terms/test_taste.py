"""Tastes by features of items."""

import numpy as np
import pytest
import torch

from recbole_imn.log import EventLog
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources.pointer import GAIN, SPEED
from recbole_imn.model.terms.base import Rows
from recbole_imn.model.terms.taste import LATEST, USER_GAIN, Taste, describe
from recbole_imn.model.window import RowColumns
from recbole_imn.past import Past
from tests.stream.naive import random_stream_columns


def test_columns_have_one_size():
    rng = np.random.default_rng(0)
    rare, price = np.zeros(1001), rng.lognormal(10, 2, 1001)
    rare[1:6] = 14.0
    features = torch.from_numpy(np.stack([rare, price, np.ones(1001)], axis=1))
    described = describe(features, features[1:].sort(dim=0).values).numpy()
    assert described.shape == (1001, 3)
    assert (described[0] == 0).all()
    assert np.ptp(described[1:, 0]) == pytest.approx(1)
    np.testing.assert_allclose(described[1:, 1:].std(axis=0), 1, rtol=0.01)
    np.testing.assert_allclose(described[1:].mean(axis=0), 0, atol=0.01)
    order = np.argsort(price[1:])
    assert (np.diff(described[1:, 1][order]) > 0).all()


def make_taste(n_training=300, features=None):
    rng = np.random.default_rng(1)
    log = EventLog.from_columns(**random_stream_columns(rng, 400, 3, 30))
    past = Past(log)
    past.move_to(400)
    features = torch.rand(log.n_items, 4) if features is None else features
    return Taste(Making(NetworkSettings(), past, n_training, features)), past


def test_only_items_of_training_say_what_is_usual():
    features = torch.rand(31, 2)
    taste, past = make_taste(12, features)
    trained = np.unique(past.log.item[:12]).astype(np.int64)
    others = np.setdiff1d(np.arange(31), trained)
    changed = features.clone()
    changed[others] *= 5
    other, _ = make_taste(12, changed)
    assert torch.equal(taste.descriptions[trained], other.descriptions[trained])
    assert torch.equal(taste.reference, other.reference)


def test_items_that_come_are_described_like_those_that_were_there():
    features = torch.rand(36, 4)
    taste, past = make_taste(300, features[:31])
    known = taste.descriptions.clone()
    taste.grow(past.log.n_users, 33, features[:33])
    taste.grow(past.log.n_users, 36, features)
    assert torch.equal(taste.descriptions[:31], known)
    assert torch.equal(taste.descriptions, describe(features, taste.reference))


def test_items_are_described_by_the_reference_that_was_loaded():
    features = torch.rand(31, 4)
    taste, _ = make_taste(300, features)
    other, _ = make_taste(300, features * 2)
    other.load_state_dict(taste.state_dict())
    assert torch.equal(other.descriptions, describe(features * 2, taste.reference))


def test_the_profile_is_its_formula():
    taste, past = make_taste()
    for weight in taste.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    events = np.array([0, 5, 150, 399])
    facts = past.look_at_events(events)
    looked, none = taste.look(past, facts), torch.zeros(4, 2)
    users = torch.from_numpy(facts.user)
    rows = Rows(RowColumns(users, torch.from_numpy(facts.item), none, none, {}), none, none)
    with torch.no_grad():
        found = taste.queries(rows, looked)
        for row, event in enumerate(events):
            expected = naive(taste, past.log, int(event)).float()
            torch.testing.assert_close(found[row], expected, rtol=1e-4, atol=1e-5)


def naive(taste, log, event):
    past = [k for k in range(event) if log.user[k] == log.user[event]][::-1][:LATEST]
    total, weights = torch.zeros(8, dtype=torch.double), torch.exp(SPEED * taste.prior)
    for later, k in enumerate(past):
        age = np.log1p(log.time[event] - log.time[k]) / 6 - 1
        logit = taste.place[later] + taste.behaviour[log.behaviour[k]]
        logit = logit + taste.age[0] * age + taste.age[1] * age**2
        total += torch.exp(SPEED * logit) * taste.descriptions[log.item[k]]
        weights = weights + torch.exp(SPEED * logit)
    own = taste.users.weight[log.user[event]]
    return GAIN * taste.everybody + USER_GAIN * own + GAIN * taste.likeness * total / weights
