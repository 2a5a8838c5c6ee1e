"""Losses of sampled items against their definitions."""

from math import exp, log

import pytest
import torch

from recbole_imn.baselines.sampled_losses import generalised_bce, sampled_softmax

TARGET = torch.tensor([0.3, -1.2], dtype=torch.float64)
OTHERS = torch.tensor([[0.1, 0.7, -0.2], [-0.4, 0.0, -torch.inf]], dtype=torch.float64)


def probability(score):
    return 1 / (1 + exp(-score))


def test_softmax_is_over_the_target_and_what_was_drawn():
    rows = zip(TARGET.tolist(), OTHERS.tolist(), strict=True)
    expected = [log(exp(own) + sum(map(exp, others))) - own for own, others in rows]
    found = float(sampled_softmax(TARGET, OTHERS))
    assert found == pytest.approx(sum(expected) / 2)


@pytest.mark.parametrize(("calibration", "power"), [(0.0, 1.0), (1.0, 0.3), (0.5, 0.65)])
def test_generalised_bce_raises_the_targets_probability_to_a_power(calibration, power):
    # Three of ten others are drawn.
    rows = zip(TARGET.tolist(), OTHERS.tolist(), strict=True)
    expected = [
        -power * log(probability(own)) - sum(log(1 - probability(other)) for other in others[:])
        for own, others in ((own, [o for o in others if o > -1e9]) for own, others in rows)
    ]
    found = float(generalised_bce(TARGET, OTHERS, 11, calibration))
    assert found == pytest.approx(sum(expected) / 2 / 4)
