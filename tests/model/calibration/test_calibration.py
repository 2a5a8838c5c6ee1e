"""Proportions of a network: in scores, explanations and checkpoints, and not in the loss."""

import numpy as np
import pytest
import torch
from recbole.utils import get_trainer

from recbole_imn.checkpoints.loading import load_checkpoint, misfit, restore
from recbole_imn.errors import CheckpointError, SettingsError
from recbole_imn.model.calibration import Calibration, Proportions
from recbole_imn.model.recency import recent_first
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.session.parts import score_parts
from tests.session.streams import learn, session_on, with_other_future

OTHER = Proportions((0.5, 1.5), (3.0, -1.0), 0.75)
NEWEST_FIRST = Proportions((1.0, 1.0), (1000 * np.log(20) + 200, 0.0), 1000.0)


@pytest.fixture
def plus(prepare):
    _, dataset, _, model = prepare("IMNNetPlus")
    learn(model.session)
    return model, dataset.event_bounds


def calibration_of(model):
    return model.network.pointer.calibration


def test_what_changes_nothing_changes_no_bit():
    weights = torch.randn(50, 7)
    weights[3, 2] = -torch.inf
    assert torch.equal(Calibration((4, 3), (True, False))(weights), weights)


def test_log_weights_are_changed_slot_by_slot():
    calibration = Calibration((3, 2), (True, False))
    calibration.set(Proportions((2.0, 0.5), (1.0, -1.0), 4.0))
    assert calibration.proportions == Proportions((2.0, 0.5), (1.0, -1.0), 4.0)
    changed = calibration(torch.tensor([[1.0, 1.0, -torch.inf, 1.0, 3.0]]))
    expected = [3.0, 3.0 - 4 * np.log(2), -np.inf, -0.5, 0.5]
    np.testing.assert_allclose(changed[0].numpy(), expected, rtol=1e-6)


def test_all_ways_to_a_score_agree_to_the_bit_and_losses_stay(plus):
    model, bounds = plus
    session, rows = model.session, np.arange(bounds[1], bounds[1] + 9)
    before = session.scores_before(rows)
    twin = session_on(session.past.log, session)
    twin.network.pointer.calibration.set(OTHER)
    calibration_of(model).set(OTHER)
    # The window that is held was asked for before.
    scores = session.scores_before(rows)
    assert not torch.equal(scores, before)
    assert torch.equal(scores, twin.scores_before(rows))
    items = torch.arange(len(rows)) + 1
    one = session.score_before(rows, items)
    torch.testing.assert_close(one, scores[torch.arange(len(rows)), items])
    query = session.query([1, 2, 3], [1e9] * 3)
    everything = session.scores(query)
    some = np.array([2, 5, 11])
    assert torch.equal(session.scores_of(query, some), everything[:, some])
    n_items = session.past.log.n_items
    best = session.contenders(query, 3, np.arange(1, n_items), [np.zeros(0, np.int64)] * 3)
    for row, (found, values) in enumerate(best):
        assert torch.equal(values, everything[row, found])
        top = everything[row, 1:].topk(3).values
        assert set(top.tolist()) <= set(values.tolist())
    neutral = session_on(session.past.log, session)
    neutral.network.pointer.calibration.set(Proportions.neutral(2))
    assert torch.equal(neutral.train(0, 64), twin.train(0, 64))


def test_the_order_of_recent_history_is_within_reach(plus):
    model, bounds = plus
    session, rows = model.session, np.arange(bounds[1], bounds[3])
    rows = rows[session.past.chains.user[rows] >= 0]
    calibration_of(model).set(NEWEST_FIRST)
    scores = session.scores_before(rows)
    nothing = torch.full((session.past.log.n_items,), 0.0)
    expected = recent_first(session.past, rows, nothing, 200)
    for found, order in zip(scores[:, 1:], expected[:, 1:], strict=True):
        own = (order > 0).sum()
        assert torch.equal(
            found.argsort(descending=True)[:own], order.argsort(descending=True)[:own]
        )


@pytest.mark.parametrize("proportions", [OTHER, NEWEST_FIRST], ids=["other", "newest first"])
def test_parts_still_add_up(plus, proportions):
    model, _ = plus
    session = model.session
    calibration_of(model).set(proportions)
    query = session.query([1, 2, 3, 4], [1e9] * 4)
    scores = session.scores(query).double().numpy()
    items = np.tile(np.arange(session.past.log.n_items), (4, 1))
    parts = score_parts(session, query, items)
    np.testing.assert_allclose(parts.score[:, 1:], scores[:, 1:], rtol=1e-5, atol=1e-4)
    total = parts.density_share.copy()
    np.add.at(total, (parts.candidates.row, parts.candidates.column), parts.candidates.share)
    np.testing.assert_allclose(total, 1)


def test_scores_do_not_know_the_future(plus):
    model, bounds = plus
    session = model.session
    calibration_of(model).set(OTHER)
    k = bounds[2] + 3
    twin = session_on(with_other_future(session.past.log, k), session)
    events = np.arange(bounds[2], k + 1)
    assert torch.equal(twin.scores_before(events), session.scores_before(events))


def test_candidates_are_apart_for_a_while_only(plus):
    model, bounds = plus
    session, rows = model.session, np.arange(bounds[1], bounds[1] + 9)
    calibration_of(model).set(OTHER)
    heard, scores = [], session.scores_before(rows)
    with model.network.candidates_apart(lambda asked, facts: heard.append((asked, facts))):
        alone = session.scores_before(rows)
    asked = torch.cat([asked.weights for asked, _ in heard])
    items = torch.cat([asked.candidates for asked, _ in heard])
    assert np.array_equal(np.concatenate([facts.position for _, facts in heard]), rows)
    proposed = torch.zeros_like(alone, dtype=torch.bool)
    proposed.scatter_(1, items.masked_fill(asked == -torch.inf, 0), True)
    assert torch.equal(alone[~proposed], scores[~proposed])
    assert (alone[proposed] < scores[proposed])[1:].any()
    assert torch.equal(session.scores_before(rows), scores)


def test_a_checkpoint_carries_it_and_older_ones_are_neutral(prepare, tmp_path):
    config, _, (train, valid, test), model = prepare("IMNNetPlus")
    trainer = get_trainer(config["MODEL_TYPE"], "IMNNetPlus")(config, model)
    trainer.calibrates = False
    calibration_of(model).set(OTHER)
    trainer.fit(train, valid)
    result = trainer.evaluate(test)
    checkpoint = load_checkpoint(trainer.saved_model_file)
    fresh = prepare("IMNNetPlus")[-1]
    restore(fresh, checkpoint, "it")
    assert calibration_of(fresh).proportions == OTHER
    trainer.model = fresh
    assert trainer.evaluate(test, load_best_model=False) == result
    kept = checkpoint["state_dict"]
    older = {name: value for name, value in kept.items() if ".calibration." not in name}
    assert len(older) == len(kept) - 3
    restore(fresh, {**checkpoint, "state_dict": older}, "it")
    assert calibration_of(fresh).proportions == Proportions.neutral(2)
    half = {name: value for name, value in kept.items() if not name.endswith("calibration.scale")}
    assert misfit(fresh.state_dict(), half) == "it has no weight network.pointer.calibration.scale"
    with pytest.raises(CheckpointError, match="has no weight"):
        restore(fresh, {"state_dict": {k: v for k, v in kept.items() if "bias" not in k}}, "it")


def test_without_sources_there_is_nothing_to_calibrate(make_config):
    with pytest.raises(SettingsError, match="calibrate is True, but without sources") as error:
        NetworkSettings(calibrate=True)
    assert "\n" not in str(error.value)
    assert not NetworkSettings().calibrate
    assert make_config("IMNNetPlus")["calibrate"] is True
    assert make_config("IMNNet")["calibrate"] is False
