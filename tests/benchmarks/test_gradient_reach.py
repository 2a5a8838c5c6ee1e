"""The reach of gradients on a toy log: what is inside the window, and what the store keeps."""

import sys

import numpy as np
import torch

from benchmarks import gradient_reach
from benchmarks.prepared import prepare


def reach_of(toy, reach, model="IMNNet"):
    settings = {"train_batch_size": 32, "embedding_size": 8, "purchase_reach": reach}
    run = prepare("toy", toy, model, resource_branch="simplified", **settings)
    sample = gradient_reach.sample_of(run, rows=50)
    return sample, *gradient_reach.measure(run, sample)


def test_samples_are_events_with_as_many_purchases_before(toy):
    run = prepare("toy", toy, "IMNNet", embedding_size=8)
    sample = gradient_reach.sample_of(run, rows=10)
    log = run.dataset.log
    assert (np.diff(sample.events) > 0).all()
    assert sample.chosen.any(axis=1).all()
    for place, event in enumerate(sample.events):
        earlier = np.flatnonzero(log.user[:event] == log.user[event])
        bought = earlier[log.purchase[earlier]]
        assert sample.latest[place] == earlier[-1]
        assert (sample.purchases[place][: len(bought)] == bought[::-1][:8]).all()
        deep = np.array(gradient_reach.DEPTHS) <= len(bought)
        assert not (sample.chosen[place] & ~deep).any()
    assert (sample.chosen.sum(axis=0) <= 10).all()


def test_without_a_reach_only_the_window_is_reached(toy):
    sample, reached, of_latest = reach_of(toy, 0)
    start = sample.events // 32 * 32
    wanted = sample.purchases[:, np.array(gradient_reach.DEPTHS) - 1]
    np.testing.assert_array_equal(reached, wanted >= start[:, None])
    np.testing.assert_array_equal(of_latest, sample.latest >= start)


def test_with_a_reach_that_many_purchases_are_reached(toy):
    for model in gradient_reach.MODELS:
        sample, reached, _ = reach_of(toy, 4, model)
        wanted = sample.purchases[:, np.array(gradient_reach.DEPTHS) - 1]
        np.testing.assert_array_equal(reached[:, :3], wanted[:, :3] >= 0)


def test_a_quick_run_writes_both_tables(toy, monkeypatch):
    threads, out = torch.get_num_threads(), toy / "results" / "reach.md"
    options = ["--dataset=toy", f"--data_path={toy}", "--quick", "--validation", f"--out={out}"]
    monkeypatch.setattr(sys, "argv", ["reach", *options, "--reaches", "0", "4"])
    assert gradient_reach.main() == 0
    assert torch.get_num_threads() == threads
    text = out.read_text(encoding="utf-8")
    assert text.count("| IMNNet, reach ") == text.count("| IMNNetPlus, reach ") == 2
    assert text.count("| IMNNet | ") == text.count("| IMNNetPlus | ") == 2
    assert "95% at purchases 1 and 4: met." in text
    assert "commit " in text
