"""A stopped training goes on to the figures of one without a break, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from recbole.trainer import Trainer

from recbole_imn.resume.run import Run
from recbole_imn.trainer import IMNNetTrainer
from tests.reliability.resume.stopping import (
    EPOCHS,
    OFTEN,
    Stop,
    assert_same,
    states,
    stopped,
    train,
)

SASREC = {"train_neg_sample_args": None, "n_layers": 1, "hidden_size": 8, "inner_size": 8}
SEQUENTIAL = {
    "SASRec": SASREC,
    "GRU4Rec": {"train_neg_sample_args": None, "num_layers": 1, "hidden_size": 8},
    "FPMC": {},
}


def stop_when_kept(patch):
    """Let the process end as soon as a state has been kept."""
    keep = Run._keep

    def stopping(self):
        before = self._kept
        keep(self)
        if self._kept != before:
            raise Stop

    patch.setattr(Run, "_keep", stopping)


@pytest.mark.parametrize("model", ["IMNNet", "IMNNetPlus"])
def test_a_run_that_stops_at_every_window_is_as_one_without_a_break(model, start, monkeypatch):
    expected = train(start(model))
    stops, resumed = 0, None
    while resumed is None:
        with monkeypatch.context() as patch:
            stop_when_kept(patch)
            try:
                resumed = train(start(model, resume=stops > 0))
            except Stop:
                stops += 1
    # The beginning of each epoch, its windows, and the end.
    assert stops == EPOCHS * (1 + 3) + 1
    assert_same(resumed, expected)
    assert states() == []


ONLINE = {"online_updates": True}
BOTH = {"mse_weight": 1.0, "nce_weight": 1.0, "search_ranking_weights": True}
SAMPLED = {"eval_args": {"mode": {"valid": "uni5", "test": "full"}}}


@pytest.mark.parametrize(
    ("model", "options", "minutes"),
    [
        *((model, options, 0) for model, options in SEQUENTIAL.items()),
        ("SASRec", SASREC, OFTEN),
        ("JODIE", ONLINE, OFTEN),
        ("IMNNet", BOTH, 0),
        ("IMNNetStar", {}, OFTEN),
        ("IMNNetPlus", SAMPLED, 0),
        ("IMNNetPlus", {}, OFTEN),
    ],
)
def test_work_since_the_last_state_is_done_again(model, options, minutes, start, monkeypatch):
    options = {**options, "resume_minutes": minutes}
    expected = train(start(model, **options))
    network = type(start(model)[0].model)
    stopped(start(model, **options), monkeypatch, network, "calculate_loss", count=5)
    assert_same(train(start(model, **options, resume=True)), expected)


@pytest.mark.parametrize("minutes", [0, OFTEN])
def test_a_stop_in_validation_or_in_the_test(minutes, start, monkeypatch):
    expected = train(start("IMNNet"))
    options = {"resume_minutes": minutes}
    evaluating = (IMNNetTrainer, "_full_sort_batch_eval")
    stopped(start("IMNNet", **options), monkeypatch, *evaluating)
    options["resume"] = True
    stopped(start("IMNNet", **options), monkeypatch, IMNNetTrainer, "_save_checkpoint")
    stopped(start("IMNNet", **options), monkeypatch, Run, "trained")
    stopped(start("IMNNet", **options), monkeypatch, IMNNetTrainer, "_add_hparam_to_tensorboard")
    # The test is over, but nobody has been told.
    stopped(start("IMNNet", **options), monkeypatch, Run, "finish")
    assert_same(train(start("IMNNet", **options)), expected)
    assert states() == []


def test_early_stopping_counts_on(start, monkeypatch):
    options = {"epochs": 9, "stopping_step": 1, "learning_rate": 1.0}
    expected = train(start("FPMC", **options))
    n_epochs = len(expected[0]["losses"])
    assert 2 < n_epochs < 9
    stopped(start("FPMC", **options), monkeypatch, Trainer, "_train_epoch", count=n_epochs)
    assert_same(train(start("FPMC", **options, resume=True)), expected)


def test_curves_go_on_in_their_folder(start, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    stopped(start("FPMC"), monkeypatch, Trainer, "_save_checkpoint", 2)
    (folder,) = Path("log_tensorboard").iterdir()
    train(start("FPMC", resume=True))
    assert list(Path("log_tensorboard").iterdir()) == [folder]
    curves = EventAccumulator(str(folder))
    curves.Reload()
    assert [point.step for point in curves.Scalars("Loss/Train")] == [0, 1]
    assert [point.step for point in curves.Scalars("Valid/ndcg@5")] == [0, 1]


@pytest.mark.parametrize("fused", [False, True])
def test_scores_are_never_those_of_earlier_weights(fused, start):
    """A step between two predictions counts, though fused optimisers hide it from autograd."""
    trainer, (_, _, test) = start("IMNNet")
    model, rows = trainer.model, test.dataset[:4]
    before = model.full_sort_predict(rows)
    dense = [model.network.states.transition]
    optimizer = torch.optim.Adam(dense, lr=0.1, fused=fused)
    dense[0].grad = torch.ones_like(dense[0])
    optimizer.step()
    # What our trainer's optimiser says of itself.
    model.session.weights_changed()
    after = model.full_sort_predict(rows)
    assert not torch.equal(before, after)
    model.session.weights_changed()
    assert torch.equal(after, model.full_sort_predict(rows))
