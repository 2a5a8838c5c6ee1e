"""Files of others, of other formats, and weights of other networks and data."""

from __future__ import annotations

import pickle
import re
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from recbole.quick_start import load_data_and_model

from recbole_imn.checkpoints.sealed import CHECKPOINT, STATE, read_sealed, write_sealed
from recbole_imn.errors import CheckpointError, DataError, UnsafeCheckpointError
from recbole_imn.preparation import prepare
from tests.reliability.checkpoints.hostile import Pickled, one_line


def write_text(file):
    file.write_text("hello")


def write_zip(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "b")


FOREIGN = {
    "nothing": lambda file: None,
    "folder": lambda file: file.mkdir(),
    "empty": lambda file: file.touch(),
    "text": write_text,
    "zip": write_zip,
    "pickle": lambda file: file.write_bytes(pickle.dumps(Pickled())),
    "state dict": lambda file: torch.save({"w": torch.ones(2)}, file),
    "tensor": lambda file: torch.save(torch.ones(2), file),
    "list": lambda file: torch.save([1, 2], file),
    "number": lambda file: torch.save(3, file),
    "no config": lambda file: torch.save({"state_dict": {}, "epoch": 1}, file),
    "old torch": lambda file: torch.save({}, file, _use_new_zipfile_serialization=False),
    "recbole": lambda file: torch.save({"config": Pickled(), "state_dict": {}}, file),
    "unsealed": lambda file: torch.save({"config": {"model": "x"}, "state_dict": {}}, file),
    "script": lambda file: torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), str(file)),
    "sealed tensor": lambda file: write_sealed(file, torch.ones(2), CHECKPOINT),
    "sealed dict": lambda file: write_sealed(file, {"state_dict": {}}, CHECKPOINT),
    "sealed config": lambda file: write_sealed(file, {"state_dict": {}, "config": {}}, CHECKPOINT),
    "state": lambda file: write_sealed(file, {}, STATE),
}


@pytest.mark.filterwarnings("ignore:.torch.jit")
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_one_line(kind, tmp_path, make_config):
    file = tmp_path / "foreign.pth"
    FOREIGN[kind](file)
    with pytest.raises(CheckpointError, match=re.escape(str(file))) as error:
        load_data_and_model(str(file))
    assert one_line(error)
    assert not Path("owned").exists()


def test_another_format_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("recbole_imn.checkpoints.sealed.FORMAT", 3)
    write_sealed(tmp_path / "new.pth", {}, CHECKPOINT)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"is of format 3, and this recbole_imn reads format"):
        read_sealed(tmp_path / "new.pth", CHECKPOINT)


def weight(values, name="network.states.transition"):
    return values["state_dict"][name]


MISFITS = {
    "shape": lambda values: values["state_dict"].update(
        {"network.states.transition": torch.ones(2, 2)}
    ),
    "missing": lambda values: values["state_dict"].pop("network.states.transition"),
    "unknown": lambda values: values["state_dict"].update({"more": torch.ones(1)}),
    "type": lambda values: values["state_dict"].update(
        {"network.states.transition": weight(values).double()}
    ),
    "text": lambda values: values["state_dict"].update({"network.states.transition": "x"}),
    "numbers": lambda values: values["state_dict"].update({3: torch.ones(1)}),
}


@pytest.mark.parametrize("kind", MISFITS)
def test_weights_that_do_not_fit_are_one_line(kind, rewritten):
    with pytest.raises(CheckpointError, match="does not fit IMNNet") as error:
        load_data_and_model(str(rewritten(MISFITS[kind])))
    assert one_line(error)


def test_other_data_is_one_line(trained, toy):
    from tests.conftest import random_rows, write_log

    write_log(toy, "toy", random_rows(n_users=9, n_items=8))
    with pytest.raises(CheckpointError, match=r"does not fit .* and \(\d+, 8\) here$"):
        load_data_and_model(str(trained))
    shutil.rmtree(toy / "toy")
    with pytest.raises(DataError, match="learned from toy, which is not in"):
        load_data_and_model(str(trained))


def test_trainers_read_through_the_same_reader(make_config, tmp_path):
    _, (_, _, test), trainer = prepare(make_config("IMNNet"))
    with pytest.raises(CheckpointError, match="does not exist"):
        trainer.evaluate(test)
    file = tmp_path / "foreign.pth"
    torch.save({"config": Pickled(), "state_dict": {}}, file)
    with pytest.raises(UnsafeCheckpointError):
        trainer.evaluate(test, model_file=str(file))
    with pytest.raises(UnsafeCheckpointError):
        trainer.resume_checkpoint(str(file))
    assert not Path("owned").exists()
