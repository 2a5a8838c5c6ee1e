"""Elapsed times as inputs."""

import numpy as np
import pytest
import torch

from recbole_imn.model.layers import ElapsedTime


def inputs(seconds, scale, origin, asked):
    first = np.zeros(len(seconds), np.bool_)
    elapsed = ElapsedTime(np.array(seconds, np.float64), first, scale, origin)
    asked = np.array(asked, np.float64)
    return elapsed(asked, np.zeros(len(asked), np.bool_))[:, 0]


def test_times_are_standardised_by_training():
    found = inputs([0.0, 9.0, 99.0], "log", "mean", [0.0, 9.0, 99.0])
    assert torch.allclose(found, torch.tensor([-1.0, 0.0, 1.0]), atol=1e-6)
    assert torch.equal(inputs([4.0, 6.0], "linear", "zero", [0.0]), torch.zeros(1))


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("origin", ["mean", "zero"])
@pytest.mark.parametrize("gap", [0.0, 1.0, 86400.0])
def test_gaps_that_are_all_alike_do_not_blow_up_others(scale, origin, gap):
    found = inputs([gap, gap, gap], scale, origin, [0.0, gap, 2 * gap])
    assert (found.abs() <= 2).all()
    nearly = inputs([gap, gap, gap + 1e-6 * gap], scale, origin, [0.0, gap, 2 * gap])
    assert torch.allclose(nearly, found, atol=1e-4)
