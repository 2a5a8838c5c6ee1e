"""Every change of a file's bytes is found, and a write that ends anywhere changes none."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import torch

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.errors import CheckpointError
from tests.reliability.checkpoints.hostile import one_line

# -- damaged -----------------------------------------------------------------------------------


def test_every_flipped_bit_is_found(trained, tmp_path):
    whole, file = trained.read_bytes(), tmp_path / "flipped.pth"
    places = np.random.default_rng(1).integers(8 * len(whole), size=200)
    # The ends, where the archive's own fields and the seal are.
    edges = [*range(16), *range(8 * len(whole) - 8 * 150, 8 * len(whole), 23)]
    for place in (*places, *edges):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError) as error:
            load_checkpoint(file)
        assert one_line(error)


def test_every_truncation_and_addition_is_found(trained, tmp_path):
    whole, file = trained.read_bytes(), tmp_path / "cut.pth"
    lengths = [*np.random.default_rng(1).integers(len(whole), size=60), 0, 1, 2, 22, 64]
    lengths += [len(whole) - n for n in (1, 2, 63, 64, 65, 124, 125, 146)]
    for length in lengths:
        file.write_bytes(whole[:length])
        with pytest.raises(CheckpointError) as error:
            load_checkpoint(file)
        assert one_line(error)
    for more in (b"\0", b"x" * 100, whole):
        file.write_bytes(whole + more) if more is not whole else file.write_bytes(whole[9:] + whole)
        with pytest.raises(CheckpointError):
            load_checkpoint(file)


def test_a_repacked_archive_is_found(trained, tmp_path):
    """Same values, same sizes; but nobody knows what else was changed."""
    file = tmp_path / "repacked.pth"
    with zipfile.ZipFile(trained) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.comment = old.comment
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(file)


def test_others_read_a_checkpoint_as_any_file_of_torch(trained):
    values = torch.load(trained, weights_only=True)
    assert values["config"]["model"] == "IMNNet"
    assert values["state_dict"].keys() == load_checkpoint(trained)["state_dict"].keys()


# -- foreign -----------------------------------------------------------------------------------


def test_the_old_file_stays_until_the_new_one_is_complete(trained, monkeypatch):
    """A write that ends anywhere leaves the earlier best epoch."""
    before = trained.read_bytes()
    for name in ("torch.save", "recbole_imn.checkpoints.sealed._sha256", "os.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(name, lambda *args, **kwargs: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                write_sealed(trained, {"config": {}}, CHECKPOINT)
        assert trained.read_bytes() == before
    assert list(trained.parent.iterdir()) == [trained]
