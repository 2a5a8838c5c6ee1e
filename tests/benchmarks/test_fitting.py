"""The benchmark of over-fitting: what it averages, and that to look disturbs nothing."""

import argparse

import numpy as np
import pytest
import torch

from benchmarks import fitting
from benchmarks.prepared import prepare

SMALL = "embedding_size=8,train_batch_size=32,average_share=0"


def options(**changes):
    return argparse.Namespace(**{"model": "IMNNetPlus", "epochs": 2, "averages": "", **changes})


def test_an_average_is_the_mean_of_all_steps_and_later_of_its_horizon():
    values = [3.0, 5.0, 10.0, 2.0]
    average, weight = fitting.Average(3.0), torch.zeros(2, dtype=torch.float64)
    for value in values:
        average.add([weight.fill_(value)])
    expected = np.mean(values[:3]) + (values[3] - np.mean(values[:3])) / 3
    torch.testing.assert_close(average.weights[0], torch.full_like(weight, expected))


def test_other_weights_are_there_for_a_while(toy):
    run = prepare("toy", toy, "IMNNetPlus", embedding_size=8)
    before = [weight.detach().clone() for weight in run.network.parameters()]
    with fitting.in_place(run, [weight + 1 for weight in before]):
        for weight, old in zip(run.network.parameters(), before, strict=True):
            assert torch.equal(weight, old + 1)
    assert all(map(torch.equal, run.network.parameters(), before))


def test_curves_are_those_of_training_whatever_is_averaged(toy):
    plain = fitting.train(options(), "toy", str(toy), SMALL, 1)
    # A horizon of one step is the step itself.
    averaged = fitting.train(options(averages="0,5"), "toy", str(toy), SMALL, 1)
    assert list(averaged) == ["kept", "mean of 0", "mean of 5"]
    assert plain["kept"] == averaged["kept"] == averaged["mean of 0"]
    assert averaged["mean of 5"] != averaged["kept"]
    rows = list(fitting.table_rows(SMALL, 1, plain))
    assert [row.count("|") for row in rows] == [7, 7]


def test_a_variant_changes_settings_of_the_data_set():
    czb = fitting.settings_of("czb005", "id_dropout=0.3,pointer_neighbours=5")
    assert czb["id_dropout"] == pytest.approx(0.3)
    assert czb["pointer_neighbours"] == 5
    assert "brand" in czb["item_features"]
    assert fitting.settings_of("toy", "") == {}
