"""RecBole's quick start: what is said of settings, and of ends."""

import logging
import sys

import pytest
from recbole.config import Config
from recbole.model.sequential_recommender.sasrec import SASRec
from recbole.quick_start import run, run_recbole

from recbole_imn.command_line import main
from recbole_imn.errors import SettingsError, StoppedError
from recbole_imn.evaluation.benchmark.run import execute
from recbole_imn.quick_start import without_effect
from tests.registered import forgotten_afterwards

SMALL = {"data_path": ".", "topk": [5], "valid_metric": "NDCG@5", "show_progress": False}


@pytest.mark.parametrize(
    ("model", "settings", "unread"),
    [
        ("IMNNet", {"hidden_size": 512, "loss_type": "BPR", "mask_ratio": 0.5},
         ["hidden_size", "loss_type", "mask_ratio"]),
        ("IMNNet", {"MAX_ITEM_LIST_LENGTH": 1, "n_negatives": 4}, ["MAX_ITEM_LIST_LENGTH"]),
        ("ESASRec", {"MAX_ITEM_LIST_LENGTH": 1, "hidden_size": 8, "learning_rate": 0.1}, []),
        ("SASRec", {"n_negatives": 4, "average_share": 0.1, "calibrate": False,
                    "online_updates": True, "MAX_ITEM_LIST_LENGTH": 3, "hidden_size": 8},
         ["average_share", "calibrate", "n_negatives", "online_updates"]),
        ("SASRec", {"n_negatives": None, "preload_weight": {"item_id": "vec"}}, ["preload_weight"]),
        ("DIN", {"loss_type": "CE"}, ["loss_type"]),
        ("LastItem", {"learning_rate": 0.1, "clip_grad_norm": {"max_norm": 5}, "epochs": 3,
                      "train_batch_size": 64}, ["clip_grad_norm", "learning_rate"]),
    ],
)  # fmt: skip
def test_settings_that_a_model_does_not_read_are_found(toy, model, settings, unread):
    config = Config(model, "toy", config_dict={**SMALL, "event_stream": True, **settings})
    assert without_effect(config) == unread


def test_a_class_of_ones_own_and_options_of_a_program_are_left_alone(toy, monkeypatch):
    settings = {**SMALL, "event_stream": True}
    monkeypatch.setattr(sys, "argv", ["program", "--mine=5"])
    assert without_effect(Config("SASRec", "toy", config_dict=settings)) == []
    with forgotten_afterwards():

        class Reading(SASRec):
            pass

        config = Config(Reading, "toy", config_dict={**settings, "n_negatives": 4})
        assert without_effect(config) == []


def test_a_run_says_so_in_one_line(toy, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])
    run_recbole("LastItem", "toy", config_dict={**SMALL, "hidden_size": 5})
    told = [line for line in caplog.messages if "without effect" in line]
    assert told == ["without effect, since LastItem does not read them: hidden_size"]


def test_a_model_that_learns_nothing_takes_settings_of_learning(toy):
    clipped = run_recbole(
        "LastItem", "toy", config_dict={**SMALL, "clip_grad_norm": {"max_norm": 5}}
    )
    assert (
        clipped["test_result"] == run_recbole("LastItem", "toy", config_dict=SMALL)["test_result"]
    )


def test_recboles_own_way_to_several_processes_is_refused(toy):
    with pytest.raises(SettingsError, match="start the program with torchrun"):
        run("IMNNet", "toy", config_dict=dict(SMALL), nproc=2)
    assert run("LastItem", "toy", config_dict=dict(SMALL))["test_result"]


class Ending(SASRec):
    """Ends the program, as some models of RecBole do."""

    def calculate_loss(self, interaction):
        sys.exit(0)


def test_a_model_that_ends_the_program_is_an_error(toy, capsys):
    with forgotten_afterwards():
        with pytest.raises(StoppedError, match="ended the program with status 0"):
            run_recbole(Ending, "toy", config_dict={**SMALL, "event_stream": True})
        options = ["--model=Ending", "--dataset=toy", "--data_path=.", "--topk=[5]"]
        assert main([*options, "--valid_metric=NDCG@5"]) == 2
        assert "error: a model ended the program with status 0" in capsys.readouterr().err


def test_a_run_of_a_benchmark_that_a_model_ends_is_an_error(monkeypatch):
    monkeypatch.setattr("recbole_imn.evaluation.benchmark.run.read_any_result", lambda *_: None)
    monkeypatch.setattr("recbole_imn.evaluation.benchmark.run._execute", lambda *_: sys.exit(0))
    with pytest.raises(StoppedError, match="ended the program"):
        execute(None, None)
