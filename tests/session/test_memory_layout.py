"""Bits depend on no row beside another, and not on where arrays happen to lie in memory."""

import random

import numpy as np
import pytest
import torch

from tests.session.streams import SETTINGS, learn


@pytest.mark.parametrize("case", SETTINGS[:6], ids=lambda case: case[0])
def test_scores_are_the_same_in_any_batches_and_any_memory(prepare, case):
    _, dataset, _, model = prepare(case[0], **case[1])
    session, bounds = model.session, dataset.event_bounds
    learn(session)
    events = np.arange(bounds[1], bounds[3])
    expected = session.scores_before(events, 256)
    draw, held = random.Random(1), []
    for _ in range(25):
        held.append(torch.randn(draw.randrange(1, 4000)))
        if len(held) > 10:
            held.pop(draw.randrange(10))
        session.weights_changed()
        assert torch.equal(session.scores_before(events, draw.choice([256, 20, 7, 3, 1])), expected)
