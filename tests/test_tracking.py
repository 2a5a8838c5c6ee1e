"""Curves of training and validation reach TensorBoard and Weights & Biases."""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from recbole.utils import get_trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from recbole_imn.tracking import Board

MODELS = ("IMNNet", "SASRec")


def trained(prepare, model, **options):
    config, _, (train, valid, test), network = prepare(
        model, hidden_size=8, inner_size=8, epochs=2, metrics=["Recall", "NDCG"], **options
    )
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    trainer.fit(train, valid)
    trainer.evaluate(test)
    return trainer


@pytest.mark.parametrize("model", MODELS)
def test_every_metric_of_every_epoch_is_on_the_board_while_training(prepare, model):
    trainer = trained(prepare, model)
    # Not closed: what is written so far must be readable.
    board = EventAccumulator(trainer.tensorboard.log_dir)
    board.Reload()
    curves = {tag: [point.step for point in board.Scalars(tag)] for tag in board.Tags()["scalars"]}
    epochs = [0, 1]
    assert curves == {
        "Loss/Train": epochs,
        "Vaild_score": epochs,
        "Valid/recall@5": epochs,
        "Valid/ndcg@5": epochs,
    }
    assert board.Scalars("Valid/ndcg@5")[1].value == pytest.approx(
        board.Scalars("Vaild_score")[1].value
    )


def test_runs_of_one_program_have_boards_of_their_own(prepare, tmp_path, monkeypatch):
    # RecBole keeps the log file of the first run for all of them.
    handler = logging.FileHandler(tmp_path / "First-toy.log")
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    folders = [trained(prepare, "SASRec").tensorboard.log_dir for _ in range(3)]
    handler.close()
    assert Path(folders[0]).name == "First-toy"
    assert len(set(folders)) == 3


class FakeWandb(SimpleNamespace):
    """The part of wandb that RecBole calls, keeping what it is told."""

    def __init__(self):
        super().__init__(run=None, logged=[], settings=None, steps={})

    def init(self, project, config):
        self.settings, self.run = config, SimpleNamespace(summary={})

    def define_metric(self, name, step_metric):
        self.steps[name] = step_metric

    def log(self, metrics, commit):
        self.logged.append(metrics)


@pytest.mark.parametrize("model", MODELS)
def test_wandb_gets_plain_numbers_under_names_that_it_accepts(prepare, monkeypatch, model):
    wandb = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    trained(prepare, model, log_wandb=True)
    assert type(wandb.settings) is dict
    assert wandb.settings["epochs"] == 2
    names = [set(metrics) for metrics in wandb.logged]
    training = {"train/epoch", "train/train_loss", "train_step"}
    validation = {"valid/recall_at_5", "valid/ndcg_at_5", "valid_step"}
    assert names == [training, validation] * 2
    values = [value for metrics in wandb.logged for value in metrics.values()]
    assert {type(value) for value in values} <= {int, float}
    assert set(wandb.run.summary) == {"eval/recall_at_5", "eval/ndcg_at_5"}


def test_losses_in_parts_are_curves_of_their_own():
    from recbole.utils.wandblogger import WandbLogger

    named = WandbLogger._add_head_to_metrics(None, {"train_loss": (1.0, 2.5)}, "train")
    assert named == {"train/train_loss_1": 1.0, "train/train_loss_2": 2.5, "train/train_loss": 3.5}


def test_curves_stay_in_their_folder_when_the_program_moves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    board = Board("log_tensorboard/here")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    board.add_scalar("loss", 1.0, 0)
    board.close()
    assert not list((tmp_path / "elsewhere").iterdir())
    (file,) = (tmp_path / "log_tensorboard" / "here").iterdir()
    assert file.stat().st_size > 0
