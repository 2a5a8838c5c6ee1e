"""Pickles lying about, settings that ask for them, and files that RecBole's models name."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from recbole.data.dataset import Dataset
from recbole.quick_start import run_recbole

from recbole_imn import command_line
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.errors import SettingsError, UnsafeCheckpointError
from tests.reliability.checkpoints.hostile import TOUCH, Pickled, one_line

# -- pickles lying about, and settings that ask for them --------------------------------------


@pytest.mark.parametrize("model", ["IMNNet", "SASRec", "BPR"])
def test_pickles_beside_a_checkpoint_are_ignored(model, make_config, toy):
    from recbole.data import create_dataset, data_preparation

    Path("saved").mkdir()
    kinds = ("Dataset", "SequentialDataset", "StreamDataset", "IMNNetDataset")
    names = [*(f"toy-{kind}.pth" for kind in kinds), f"toy-for-{model}-dataloader.pth"]
    for name in names:
        (Path("saved") / name).write_bytes(pickle.dumps(Pickled()))
    config = make_config(
        model, event_stream=model != "BPR", load_col={"inter": ["user_id", "item_id", "timestamp"]}
    )
    if model == "SASRec":
        config["train_neg_sample_args"] = {"distribution": "none", "sample_num": "none"}
        config["train_neg_sample_args"].update(alpha="none", dynamic=False, candidate_num=0)
    data_preparation(config, create_dataset(config))
    assert not Path("owned").exists()


SAVED = [
    {"save_dataset": True},
    {"save_dataloaders": True},
    {"dataset_save_path": "x.pth"},
    {"dataloaders_save_path": "x.pth"},
]


@pytest.mark.parametrize("asked", SAVED)
@pytest.mark.parametrize("model", ["IMNNet", "BPR"])
def test_saved_data_sets_are_refused(model, asked, toy):
    (key,) = asked
    with pytest.raises(SettingsError, match=f"^{key} is .*leave {key} out.*anew") as error:
        run_recbole(model, "toy", config_dict={**asked, "data_path": str(toy)})
    assert one_line(error)
    assert not list(Path().rglob("*.pth"))


def test_the_command_line_refuses_saved_data_sets(toy, capsys):
    arguments = ["--model=IMNNet", "--dataset=toy", "--data_path=.", "--save_dataset=True"]
    assert command_line.main(arguments) == 2
    assert capsys.readouterr().err.startswith("error: save_dataset is True, but saved data sets")


def test_a_data_set_is_not_pickled_by_hand():
    with pytest.raises(SettingsError, match=r"^data sets and loaders are not saved"):
        Dataset.save(None)


# -- files that RecBole's models name ----------------------------------------------------------


def test_pretrained_files_are_read_as_checkpoints(tmp_path):
    from recbole.model.general_recommender import neumf
    from recbole.model.sequential_recommender import s3rec

    file = tmp_path / "pretrained.pth"
    torch.save({"state_dict": {}, "config": Pickled()}, file)
    for module in (neumf, s3rec):
        with pytest.raises(UnsafeCheckpointError, match=r"by executing code"):
            module.torch.load(file, map_location="cpu")
    write_sealed(file, {"state_dict": {"x": torch.ones(2)}, "config": {}}, CHECKPOINT)
    assert torch.equal(s3rec.torch.load(file)["state_dict"]["x"], torch.ones(2))
    assert not Path("owned").exists()


def test_arrays_of_objects_are_not_unpickled(tmp_path):
    from recbole.model.general_recommender import ldiffrec

    np.save(tmp_path / "objects.npy", np.array([Pickled()], dtype=object), allow_pickle=True)
    with pytest.raises(SettingsError, match=r"objects\.npy is no array of numbers"):
        ldiffrec.np.load(tmp_path / "objects.npy", allow_pickle=True)
    assert not Path("owned").exists()


def test_a_teacher_is_named_and_not_evaluated(toy):
    from recbole.model.context_aware_recommender import kd_dagfm

    evaluate = vars(kd_dagfm)["eval"]
    assert evaluate("CrossNet") is kd_dagfm.CrossNet
    for text in (TOUCH, "torch", "nn.Module", "deepcopy"):
        with pytest.raises(SettingsError, match=r"^teacher is .* no network of"):
            evaluate(text)
    assert not Path("owned").exists()
