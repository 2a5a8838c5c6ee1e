"""What is another run is told apart, and left in peace."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch
from recbole.trainer import Trainer

from recbole_imn.errors import SettingsError
from recbole_imn.resume import identity
from recbole_imn.resume.run import Run
from recbole_imn.resume.state import load_random_state, random_state
from tests.conftest import random_rows, write_log
from tests.reliability.resume.stopping import assert_same, states, stopped, train


def test_a_run_may_get_more_epochs_and_nothing_else(start, monkeypatch):
    expected = train(start("FPMC", epochs=4))
    stopped(start("FPMC", epochs=2), monkeypatch, Trainer, "_valid_epoch", 2)
    with pytest.raises(SettingsError, match=r"^epochs is 1, but the stopped run was to have 2; .*"):
        train(start("FPMC", epochs=1, resume=True))
    with pytest.raises(SettingsError, match=r"learning_rate is 0\.5, was 0\.001$"):
        train(start("FPMC", epochs=2, resume=True, learning_rate=0.5))
    assert_same(train(start("FPMC", epochs=4, resume=True)), expected)


def test_what_is_another_run_is_told_apart(start, toy, monkeypatch):
    with pytest.raises(SettingsError, match=r"^nothing to resume: saved has no state of a run of "):
        train(start("FPMC", resume=True))
    stopped(start("FPMC"), monkeypatch, Trainer, "_train_epoch", 2)
    with monkeypatch.context() as patch:
        patch.setattr("recbole_imn.resume.identity._code", lambda model: "other")
        with pytest.raises(
            SettingsError, match=r"code of recbole_imn, the model or a part has changed$"
        ):
            train(start("FPMC", resume=True))
    trainer, loaders = start("FPMC", resume=True)
    with torch.no_grad():
        next(trainer.model.parameters())[0] += 1
    with pytest.raises(SettingsError, match=r"begins with other weights$"):
        trainer.fit(*loaders[:2])
    write_log(toy, "toy", random_rows(seed=5))
    with pytest.raises(SettingsError, match=r"the data has changed"):
        train(start("FPMC", resume=True))


PART = """
from own_base import Base

class Mine(Base):
    pass
"""
BASE = """
from recbole_imn.model.sources.own_items import OwnItems

class Base(OwnItems):
    n_slots = {}
"""


@pytest.mark.parametrize("changed", ["own_part", "own_base"])
def test_a_part_of_ones_own_belongs_to_the_run(start, tmp_path, monkeypatch, changed):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_base.py").write_text(BASE.format(3))
    (tmp_path / "own_part.py").write_text(PART)
    options = {"sources": ["own_part.Mine"]}
    stopped(start("IMNNetPlus", **options), monkeypatch, Trainer, "_save_checkpoint", 2)
    with (tmp_path / f"{changed}.py").open("a") as file:
        file.write("# another\n")
    # A process of its own would import it anew.
    identity._code.cache_clear()
    with pytest.raises(SettingsError, match=r"code of recbole_imn, the model or a part has chang"):
        train(start("IMNNetPlus", **options, resume=True))
    for name in ("own_part", "own_base"):
        del sys.modules[name]


def test_a_finished_run_says_so(start):
    train(start("FPMC"))
    assert states() == []
    with pytest.raises(SettingsError, match=r"is finished; its best epoch is in saved.FPMC-.*pth$"):
        train(start("FPMC", resume=True))


def test_two_runs_of_the_same_settings_do_not_meet(start, monkeypatch, caplog):
    first, loaders = start("FPMC")
    second = {}
    wait = Trainer._valid_epoch

    def meanwhile(self, *args, **kwargs):
        if self is first and not second:
            before = random_state()
            with pytest.raises(SettingsError, match=r"is still going on$"):
                train(start("FPMC", resume=True))
            second["result"] = None
            kept = states()
            second["result"] = train(start("FPMC"))
            assert len(kept) == 1
            assert states() == kept
            load_random_state(before)
        return wait(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "_valid_epoch", meanwhile)
    expected = train((first, loaders))
    assert_same(second["result"], expected)
    assert "a run with the same settings is going on" in caplog.text
    assert states() == []


def test_a_new_run_leaves_a_state_that_is_further_on(start, monkeypatch, caplog):
    step = (Trainer, "_valid_epoch")
    stopped(start("FPMC"), monkeypatch, *step, count=2)
    (state,) = Path("saved").glob("*.state")
    before = state.read_bytes()
    stopped(start("FPMC"), monkeypatch, *step)
    assert state.read_bytes() == before
    assert "was stopped in epoch 1 after batch" in caplog.text
    train(start("FPMC"))
    assert states() == []


def test_a_state_of_other_epochs_is_no_trap_and_no_prey(start, monkeypatch, caplog):
    stopped(start("FPMC", epochs=3), monkeypatch, Trainer, "_valid_epoch", 2)
    (state,) = Path("saved").glob("*.state")
    before = state.read_bytes()
    train(start("FPMC", epochs=1))
    assert state.read_bytes() == before
    assert "and 3 epochs was stopped in epoch 1 after batch" in caplog.text
    stopped(start("FPMC", epochs=3, resume=True), monkeypatch, Run, "finish")
    with pytest.raises(SettingsError, match="has finished its 3 epochs and is yet to be tested"):
        train(start("FPMC", epochs=4, resume=True))
    stopped(start("FPMC", epochs=4), monkeypatch, Trainer, "_valid_epoch", 2)
    train(start("FPMC", epochs=4, resume=True))
    assert states() == []


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("FPMC", {"resume": True, "event_stream": False}, "resume is True, but only runs"),
        ("FPMC", {"resume": "yes"}, "resume is 'yes'; it must be True or False"),
        ("FPMC", {"resume_minutes": -1}, "resume_minutes is -1; it must be 0 or above"),
        ("FPMC", {"resume_minutes": "often"}, "resume_minutes is 'often'"),
    ],
)
def test_settings_without_sense_are_refused(model, options, message, start):
    options = {"load_col": {"inter": ["user_id", "item_id", "timestamp"]}, **options}
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}"):
        train(start(model, **options))
