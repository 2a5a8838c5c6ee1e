"""Tastes by features of items."""

import numpy as np
import pytest
import torch

from recbole_imn.model.pointer import GAIN, SPEED
from recbole_imn.model.taste import LATEST, USER_GAIN, Taste, describe
from recbole_imn.stream import EventStream
from tests.stream.naive import random_stream_columns


def test_columns_have_one_size():
    rng = np.random.default_rng(0)
    rare, price = np.zeros(1001), rng.lognormal(10, 2, 1001)
    rare[1:6] = 14.0
    features = torch.from_numpy(np.stack([rare, price, np.ones(1001)], axis=1))
    described = describe(features, np.arange(1, 1001)).numpy()
    assert described.shape == (1001, 3)
    assert (described[0] == 0).all()
    assert np.ptp(described[1:, 0]) == pytest.approx(1)
    np.testing.assert_allclose(described[1:, 1:].std(axis=0), 1, rtol=0.01)
    np.testing.assert_allclose(described[1:].mean(axis=0), 0, atol=0.01)
    order = np.argsort(price[1:])
    assert (np.diff(described[1:, 1][order]) > 0).all()


def test_only_known_items_say_what_is_usual():
    features = torch.rand(30, 2)
    changed = features.clone()
    changed[20:] *= 5
    known = np.arange(1, 20)
    assert torch.equal(describe(features, known)[:20], describe(changed, known)[:20])


def test_the_profile_is_its_formula():
    rng = np.random.default_rng(1)
    stream = EventStream.from_columns(**random_stream_columns(rng, 400, 3, 30))
    taste = Taste(stream, torch.rand(stream.n_items, 4), 300).double()
    for weight in taste.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    events = np.array([0, 5, 150, 399])
    with torch.no_grad():
        found = taste(events)
        for row, event in enumerate(events):
            torch.testing.assert_close(found[row], naive(taste, stream, int(event)))


def naive(taste, stream, event):
    past = [k for k in range(event) if stream.user[k] == stream.user[event]][::-1][:LATEST]
    total, weights = torch.zeros(8, dtype=torch.double), torch.exp(SPEED * taste.prior)
    for later, k in enumerate(past):
        age = np.log1p(stream.time[event] - stream.time[k]) / 6 - 1
        logit = taste.place[later] + taste.behaviour[stream.behaviour[k]]
        logit = logit + taste.age[0] * age + taste.age[1] * age**2
        total += torch.exp(SPEED * logit) * taste.descriptions[stream.item[k]]
        weights = weights + torch.exp(SPEED * logit)
    own = taste.users.weight[stream.user[event]]
    return GAIN * taste.everybody + USER_GAIN * own + GAIN * taste.likeness * total / weights
