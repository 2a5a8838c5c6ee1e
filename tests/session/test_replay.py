"""Going back and forth, keeping states, looking ahead: the same figures, bit for bit."""

import copy

import numpy as np
import pytest
import torch
from recbole.utils import get_trainer

from recbole_imn.stream.plan import windows
from tests.conftest import PRICED
from tests.session.streams import FULL_BRANCH, columns, learn, log_until, session_on, step

KINDS = [("IMNNet", {}), ("IMNNetPlus", {**PRICED, **FULL_BRANCH}), ("JODIE", {})]


@pytest.fixture(params=KINDS, ids=[name for name, _ in KINDS])
def kind(request, prepare):
    name, options = request.param
    config, dataset, loaders, model = prepare(name, **options)
    return config, dataset, loaders, model


@pytest.fixture
def trained(kind):
    _, dataset, _, model = kind
    learn(model.session)
    return model.session, dataset.event_bounds


def test_rows_may_come_in_any_order_and_repeatedly(trained):
    session, bounds = trained
    events = np.arange(*bounds[2:])
    expected = session.scores_before(events)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(events), 50)
    for chunk in (256, 4):
        assert torch.equal(session.scores_before(events[rows], chunk), expected[rows])
    for part in np.array_split(rng.permutation(len(events)), 5):
        assert torch.equal(session.scores_before(events[part]), expected[part])
        session.scores_before(np.array([bounds[1] + 2]))
    session.seek(5)
    session.seek(bounds[3])
    assert torch.equal(session.scores_before(events, 11), expected)


def test_every_part_of_the_log_is_scored_from_what_lies_before(trained):
    session, bounds = trained
    events = np.arange(bounds[3])
    whole = session.scores_before(events)
    for event in (bounds[3] - 1, 0, 40, bounds[1], 3):
        alone = session_on(log_until(session.past.log, event + 1), session)
        assert torch.equal(alone.scores_before(np.array([event]))[0], whole[event])


def test_one_item_scores_as_in_the_catalogue(trained):
    session, bounds = trained
    rng = np.random.default_rng(1)
    events = rng.integers(bounds[1], bounds[3], 60)
    items = torch.from_numpy(rng.integers(1, session.past.log.n_items, 60))
    full = session.scores_before(events)
    for chunk in (256, 5):
        single = session.score_before(events, items, chunk)
        torch.testing.assert_close(single, full.gather(1, items[:, None])[:, 0])


def test_asking_between_windows_of_training_changes_nothing(kind):
    model = kind[-1]
    twin = copy.deepcopy(model.session)
    expected = learn(twin, epochs=2)
    session, weights, found = model.session, list(model.session.network.parameters()), []
    for _ in range(2):
        for start, stop in windows(0, session.n_training, 32):
            kept = session.state()
            session.scores_before(np.arange(40, 50))
            session.load_state(kept)
            found.append(step(session, weights, start, stop, 0.02))
    assert found == expected


@pytest.mark.parametrize("stop", [0, 3, 5])
def test_training_goes_on_inside_an_epoch(kind, stop):
    session = kind[-1].session
    learn(session)
    parts = list(windows(0, session.n_training, 32))
    weights = list(session.network.parameters())
    for part in parts[:stop]:
        step(session, weights, *part, 0.02)
    other = copy.deepcopy(session)
    other.network.reset()
    other.load_state(copy.deepcopy(session.state()))
    others = list(other.network.parameters())
    for part in parts[stop:]:
        expected = step(session, weights, *part, 0.02)
        assert step(other, others, *part, 0.02) == expected
    for one, two in zip(weights, others, strict=True):
        assert torch.equal(one, two)


def test_a_window_elsewhere_is_reached_by_a_replay(kind):
    session = kind[-1].session
    weights = list(session.network.parameters())
    with torch.no_grad():
        parts = [float(session.train(start, start + 20)) for start in (0, 20, 40)]
        session.rewind()
        session.passes -= 0
        assert float(session.train(40, 60)) == pytest.approx(parts[2], rel=1e-5)
    assert all(weight.grad is None for weight in weights)


def test_scores_are_those_of_the_weights_after_a_fused_step(kind):
    config, dataset, (train, *_), model = kind
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    events = np.arange(*dataset.event_bounds[2:])
    before = model.session.scores_before(events)
    assert any(group.get("fused") for group in trainer.optimizer.param_groups)
    loss = model.calculate_loss(next(iter(train)))
    trainer.optimizer.zero_grad()
    loss.backward()
    trainer.optimizer.step()
    after = model.session.scores_before(events)
    assert not torch.equal(after, before)
    fresh = session_on(
        log_until(model.session.past.log, len(model.session.past.log)), model.session
    )
    assert torch.equal(fresh.scores_before(events), after)


def test_a_fused_step_between_two_questions_is_noticed(kind):
    config, dataset, (train, *_), model = kind
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    session, events = model.session, np.arange(*dataset.event_bounds[2:])
    model.calculate_loss(next(iter(train))).backward()
    session.scores_before(events)
    trainer.optimizer.step()
    found = session.scores_before(events)
    fresh = session_on(log_until(session.past.log, len(session.past.log)), session)
    assert torch.equal(fresh.scores_before(events), found)


def test_scores_follow_a_weight_that_is_changed_in_place(trained):
    session, bounds = trained
    log, events = session.past.log, np.arange(*bounds[2:])
    users, at = log.user[events], np.full(len(events), log.time[-1])
    for weight in (session.network.states.transition, session.network.statics.item.table.weight):
        before = session.scores(session.query(users, at))
        with torch.no_grad():
            weight.mul_(1.5)
        fresh = session_on(log_until(log, len(log)), session)
        expected = fresh.scores(fresh.query(users, at))
        assert not torch.equal(expected, before)
        assert torch.equal(session.scores(session.query(users, at)), expected)
        assert torch.equal(session.scores_before(events), fresh.scores_before(events))


def test_a_query_made_by_old_weights_is_scored_by_the_present_ones(trained):
    session, _ = trained
    log = session.past.log
    asked = np.arange(1, 6), np.full(5, log.time[-1])
    query = session.query(*asked)
    with torch.no_grad():
        session.network.states.transition.mul_(1.5)
    found = session.scores(query)
    assert torch.equal(found, session.scores(session.query(*asked)))


def test_events_that_do_not_fit_change_nothing(trained):
    session, bounds = trained
    log = session.past.log
    online = session_on(log_until(log, bounds[2]), session)
    asked = np.arange(1, 6), np.full(5, log.time[-1])
    expected = online.scores(online.query(*asked))
    wrong = columns(log, bounds[2], bounds[2] + 3)
    for name, values in (("time", [0.0, 1.0, 2.0]), ("item", [1, log.n_items, 2])):
        with pytest.raises(ValueError, match="of event"):
            online.observe({**wrong, name: np.array(values)})
        assert len(online.past.log) == bounds[2]
        assert torch.equal(online.scores(online.query(*asked)), expected)
