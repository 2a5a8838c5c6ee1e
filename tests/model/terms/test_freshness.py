"""Freshness of items: the catalogue, single items, and what it begins with."""

import numpy as np
import torch

from recbole_imn.log import EventLog
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.terms import CellTerm, Freshness
from recbole_imn.model.terms.freshness import COUNT_LIMITS
from recbole_imn.past import Past
from tests.stream.naive import random_stream_columns


def make(log, n_training):
    past = Past(log)
    past.move_to(len(log))
    return Freshness(Making(NetworkSettings(), past, n_training)), past


def long_log():
    rng = np.random.default_rng(0)
    columns = random_stream_columns(rng, 400, 9, 30)
    # From simultaneous events to years.
    columns["time"] = np.cumsum(rng.choice([0, 0.5, 1, 1, 50, 1e4, 1e7], 400))
    return EventLog.from_columns(**columns)


def test_freshness_of_the_catalogue_is_that_of_single_items():
    freshness, past = make(long_log(), 300)
    torch.nn.init.normal_(freshness.table)
    rng = np.random.default_rng(1)
    facts = past.look_at_events(np.sort(rng.permutation(400)[:150]))
    n_items = past.log.n_items
    with torch.no_grad():
        for start in (0, int(facts.position[0])):
            scores, plain = torch.zeros(2, 150, n_items)
            freshness.add_to(scores, past, start, facts)
            CellTerm.add_to(freshness, plain, past, start, facts)
            assert torch.equal(scores[:, 1:], plain[:, 1:])
        for item in range(1, n_items):
            expected = freshness.of_items(past, facts, torch.full((150,), item))
            assert torch.equal(scores[:, item], expected)


def test_kinds_tell_how_often_and_what_was_done_last():
    log = long_log()
    freshness, past = make(log, 300)
    events = np.arange(400)
    counts = np.array([int((log.item[: k + 1] == log.item[k]).sum()) for k in events])
    kinds, meaning = freshness.kinds(past, events, counts), {}
    for event, kind in enumerate(kinds.tolist()):
        step = sum(limit < counts[event] for limit in COUNT_LIMITS)
        told = (step, log.behaviour[event], log.purchase[event])
        assert meaning.setdefault(kind, told) == told
    assert len(set(meaning.values())) == len(meaning)
    assert (kinds.min(), kinds.max()) >= (0, 0)
    assert kinds.max() < freshness.never
    assert freshness.kinds(past, np.array([-1]), np.array([0])).tolist() == [freshness.never]


def test_freshness_begins_with_what_training_events_tell():
    # Item 1 is touched every second, the other nine once at the start.
    item = np.array([*range(2, 11), *[1] * 991])
    freshness, past = make(EventLog.from_columns(np.ones(1000), item, np.arange(1000.0)), 900)
    facts = past.look_at_events(np.array([899, 899]))
    with torch.no_grad():
        chances = freshness.of_items(past, facts, torch.tensor([1, 5])).exp().tolist()
    assert chances[0] > 0.5
    assert chances[1] < 0.01


def test_the_beginning_does_not_know_what_comes_after_training():
    log = long_log()
    changed = {
        name: getattr(log, name).copy() for name in ("user", "item", "behaviour", "purchase")
    }
    rng = np.random.default_rng(3)
    changed["item"][300:] = rng.integers(1, log.n_items, 100)
    changed["purchase"][300:] ^= True
    other = EventLog.from_columns(
        **changed, time=log.time, n_items=log.n_items, n_behaviours=log.n_behaviours
    )
    assert torch.equal(make(log, 300)[0].table, make(other, 300)[0].table)
