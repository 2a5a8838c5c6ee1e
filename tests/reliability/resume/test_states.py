"""States and best epochs that are damaged, foreign or could not be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from recbole.trainer import Trainer

from recbole_imn.checkpoints import load_checkpoint, sealed
from recbole_imn.checkpoints.sealed import STATE, read_sealed, write_sealed
from recbole_imn.errors import CheckpointError, SettingsError
from recbole_imn.resume import IF_STOPPED, until_done
from recbole_imn.resume.run import Run
from tests.reliability.resume.stopping import assert_same, states, stopped, train


def test_a_damaged_state_or_a_lost_best_epoch_is_one_line(start, monkeypatch):
    stopped(start("FPMC"), monkeypatch, Run, "trained")
    (state,) = Path("saved").glob("*.state")
    whole = state.read_bytes()
    state.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with pytest.raises(CheckpointError, match=r"\.state is damaged"):
        train(start("FPMC", resume=True))
    state.write_bytes(whole)
    with pytest.raises(CheckpointError, match=r"is a state of a run, no checkpoint$"):
        load_checkpoint(state)
    for file in Path("saved").glob("*.pth"):
        file.unlink()
    with pytest.raises(CheckpointError, match=r"\.pth, the best epoch of the stopped run, is gone"):
        train(start("FPMC", resume=True))
    train(start("FPMC", resume=IF_STOPPED))
    assert states() == []


def test_a_state_of_anybody_is_one_line(start, monkeypatch):
    stopped(start("FPMC"), monkeypatch, Run, "trained")
    (file,) = Path("saved").glob("*.state")
    state = read_sealed(file, STATE)
    for changes in (
        {"scores": 3},
        {"random": None},
        {"random": {}},
        {"notes": None},
        {"position": "x"},
        {"model": {"state_dict": {}, "optimizer": 3, "session": None}},
        {"identity": {"settings": 1}},
    ):
        write_sealed(file, {**state, **changes}, STATE)
        with pytest.raises(CheckpointError) as error:
            train(start("FPMC", resume=True))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("values", [{}, {"identity": None}, {"identity": {"settings": 1}}])
def test_a_foreign_state_of_the_same_name_is_one_line(values, start):
    write_sealed(Path("saved") / f"FPMC-toy-{'0' * 16}.state", values, STATE)
    with pytest.raises(SettingsError, match=r"^nothing to resume: .* cannot be read; leave resume"):
        train(start("FPMC", resume=True))


@pytest.mark.parametrize(
    "changes", [{"position": (1, 2, 3)}, {"scores": []}, {"epochs": "x"}, {"checkpoint": None}]
)
def test_a_new_run_replaces_a_state_that_leads_nowhere(changes, start, monkeypatch):
    stopped(start("FPMC"), monkeypatch, Run, "trained")
    (file,) = Path("saved").glob("*.state")
    write_sealed(file, {**read_sealed(file, STATE), **changes}, STATE)
    train(start("FPMC"))
    assert states() == []


def test_a_best_epoch_that_is_damaged_or_of_another_run_is_one_line(start, monkeypatch):
    trainer, _ = other = start("FPMC", seed=7)
    train(other)
    foreign = Path(trainer.saved_model_file).read_bytes()
    stopped(start("FPMC"), monkeypatch, Trainer, "_valid_epoch", 2)
    (state,) = Path("saved").glob("*.state")
    best = Path("saved") / read_sealed(state, STATE)["checkpoint"]
    whole = best.read_bytes()
    for content, told in (
        (whole[:500] + bytes([whole[500] ^ 1]) + whole[501:], "is damaged"),
        (foreign, "another run has written it"),
    ):
        best.write_bytes(content)
        with pytest.raises(CheckpointError, match=told):
            train(start("FPMC", resume=True))
    best.write_bytes(whole)
    assert_same(train(start("FPMC", resume=True)), train(start("FPMC")))


def test_a_full_disk_costs_no_training(start, monkeypatch, caplog):
    expected = train(start("FPMC"))
    write = sealed.replaced

    def full(path):
        if path.suffix == ".state":
            raise OSError(28, "No space left on device")
        return write(path)

    monkeypatch.setattr(sealed, "replaced", full)
    assert_same(train(start("FPMC")), expected)
    assert "could not be written to" in caplog.text


def test_a_state_lasts_until_all_is_done(start):
    with until_done():
        train(start("FPMC"))
        assert len(states()) == 1
    assert states() == []
