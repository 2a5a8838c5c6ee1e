"""The benchmark of speed on a toy log: everything is measured, and nothing is left out."""

import sys

import pytest
import torch

from benchmarks import stream, timing, work
from benchmarks.prepared import prepare


def test_figures_are_medians_and_ratios_are_of_neighbours():
    assert str(timing.Figure([3.0, 1000.0, 2000.4])) == "1,000 (3 - 2,000)"
    assert timing.ratio([4.0, 9.0], [2.0, 3.0]).values == [2.0, 3.0]
    order = []

    def piece(name):
        return lambda: order.append(name) or float(len(order))

    rates = timing.in_turns(2, {"a": piece("a"), "b": piece("b")})
    assert order == list("ababab")
    assert rates == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_the_floor_counts_the_products_of_an_event(toy):
    run = prepare("toy", toy, "IMNNet", embedding_size=8, n_negatives=5)
    recursion, maps, negatives = 2 * 16 * 16, 2 * (2 * 32 * 16), 2 * 5 * 16
    assert timing.flops_an_event(run.model) == 3 * (recursion + maps + negatives)


def test_timed_stages_do_what_training_does(toy):
    settings = {"embedding_size": 8, "train_batch_size": 32}
    trained, staged = (prepare("toy", toy, "IMNNetPlus", **settings) for _ in range(2))
    trained.train_on(trained.n_training)
    staged.session.passes += 1
    for start in range(0, staged.n_training, 32):
        laps = work.timed_window(staged, start, min(start + 32, staged.n_training))
        assert len(laps) == len(work.STAGES)
    assert staged.session.position == trained.session.position
    for one, other in zip(trained.model.parameters(), staged.model.parameters(), strict=True):
        torch.testing.assert_close(one, other)


# torch_geometric, where it is installed, uses what torch will remove.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("peers", [True, False])
def test_a_tiny_run_has_every_table(toy, monkeypatch, peers):
    monkeypatch.setattr(stream, "WIDTH", 8)
    out = toy / "results"
    options = ["--dataset=toy", f"--data_path={toy}", "--repeats=1", f"--out={out}"]
    options += ["--threads", "1", "--train_batch_size", "32", "64", "--events=100", "--rows=20"]
    options += ["--ratio_repeats=1", "--ratio_events=100", *([] if peers else ["--no-peers"])]
    monkeypatch.setattr(sys, "argv", ["stream", *options])
    assert stream.main() == 0
    text = (out / "stream_toy.md").read_text(encoding="utf-8")
    for name in stream.MODELS:
        assert f"| {name} | cpu | 32 | " in text
        assert f"| {name} | cpu | 64 | " in text
    for target in ("<= 2.0", "<= 1.25", "<= 1.3", ">= 1.7", ">= 1.4"):
        assert text.count(f"| {target} |") == 1
    assert ("| SASRec | " in text) == peers
    assert "| look | recursion | losses | backward | optimiser | commit |" in text
    assert ("no GPU" in text) != torch.cuda.is_available()
