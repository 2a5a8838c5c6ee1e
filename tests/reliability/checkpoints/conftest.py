"""A checkpoint that was trained, and others in its form."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.preparation import prepare

WRITTEN: list[bytes] = []


@pytest.fixture
def trained(make_config):
    """A checkpoint of IMNNet on the toy log, trained once."""
    file = Path("saved") / "IMNNet.pth"
    if not WRITTEN:
        # Read from the working folder, which is another one in every test.
        _, (train, valid, _), trainer = prepare(make_config("IMNNet", data_path="."))
        trainer.fit(train, valid, show_progress=False)
        WRITTEN.append(Path(trainer.saved_model_file).read_bytes())
    shutil.rmtree("saved", ignore_errors=True)
    file.parent.mkdir()
    file.write_bytes(WRITTEN[0])
    return file


@pytest.fixture
def rewritten(trained):
    """Give a function that writes the checkpoint anew, seal included, with other values."""

    def rewrite(change) -> Path:
        values = load_checkpoint(trained)
        change(values)
        file = trained.with_name("hostile.pth")
        write_sealed(file, values, CHECKPOINT)
        return file

    return rewrite
