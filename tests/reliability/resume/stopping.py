"""Trainings that end anywhere, and what is to be equal of those that go on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.evaluation.ranks import RankRecorder

EPOCHS = 2
# Three windows of the 240 training events.
WINDOW = 80
# Every batch keeps its state.
OFTEN = 1e-9


class Stop(Exception):
    """Stands for whatever ends a process."""


def train(started):
    """Train and test; give everything that is to be equal."""
    trainer, (train_data, valid, test) = started
    recorder = RankRecorder(trainer)
    best = trainer.fit(train_data, valid, show_progress=False)
    weights = {name: weight.clone() for name, weight in trainer.model.state_dict().items()}
    tested = trainer.evaluate(test, show_progress=False)
    return {
        "best": (best[0], dict(best[1])),
        "tested": dict(tested),
        "ranks": recorder.table().to_dict(),
        "losses": trainer.train_loss_dict,
        "epoch": load_checkpoint(trainer.saved_model_file)["epoch"],
    }, weights


def assert_same(one, other):
    assert one[0] == other[0]
    for name, weight in one[1].items():
        assert torch.equal(weight, other[1][name]), name


def stop_at(patch, owner, name, count):
    """Let the process end at a call of a method, before anything is done."""
    method, calls = getattr(owner, name), []

    def counted(self, *args, **kwargs):
        calls.append(0)
        if len(calls) == count:
            raise Stop
        return method(self, *args, **kwargs)

    patch.setattr(owner, name, counted)


def stopped(started, monkeypatch, owner, name, count=1):
    """Train until something is called for the nth time."""
    with monkeypatch.context() as patch:
        stop_at(patch, owner, name, count)
        with pytest.raises(Stop):
            train(started)


def states():
    return sorted(file.name for file in Path("saved").glob("*.state"))
