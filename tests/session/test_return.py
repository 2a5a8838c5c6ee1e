"""Evaluations come back to the end of training without replaying what lies before it."""

import numpy as np
import torch

from tests.session.streams import learn


def test_training_is_replayed_once_for_all_evaluations(prepare):
    _, dataset, _, model = prepare("IMNNetPlus")
    session, bounds = model.session, dataset.event_bounds
    learn(session)
    replayed, look = [], session.look
    session.look = lambda start, stop, facts: replayed.append(start) or look(start, stop, facts)
    valid, test = np.arange(bounds[1] + 2, bounds[2]), np.arange(bounds[2], bounds[3])
    first = session.scores_before(test)
    assert min(replayed) == 0
    replayed.clear()
    session.scores_before(valid)
    assert torch.equal(session.scores_before(test), first)
    assert min(replayed) >= bounds[1]
