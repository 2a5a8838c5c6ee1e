"""Checkpoints that somebody has written with care."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from recbole.quick_start import load_data_and_model

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.errors import CheckpointError, DataError, SettingsError, UnsafeCheckpointError
from tests.reliability.checkpoints.hostile import TOUCH, Pickled, one_line


def settings(**changes):
    """Give a change of a checkpoint's settings, in all places that hold them."""

    def change(values):
        config = values["config"]
        for key, value in changes.items():
            config["external"][key] = config["final"][key] = value
            if key in ("model", "dataset"):
                config[key] = value

    return change


@pytest.mark.parametrize("model", ["KD_DAGFM", "NeuMF", "LDiffRec", "Pop", "os.path", "..os", "x"])
def test_other_classes_are_not_made(model, rewritten):
    file = rewritten(settings(model=model, teacher=TOUCH, phase="teacher_training"))
    with pytest.raises(CheckpointError, match=r"but only models of recbole_imn, seq") as error:
        load_data_and_model(str(file))
    assert one_line(error)
    assert not Path("owned").exists()


@pytest.mark.parametrize("name", ["../toy", "/etc/passwd", "", ".", "..", "a/b"])
def test_names_of_data_sets_are_no_paths(name, rewritten):
    with pytest.raises(DataError, match=r"it must be a plain name"):
        load_data_and_model(str(rewritten(settings(dataset=name))))


@pytest.mark.parametrize("key", ["benchmark_filename", "additional_feat_suffix"])
def test_parts_of_file_names_are_no_paths(key, rewritten):
    with pytest.raises(DataError, match=rf"^{key} in .* is '../x'; it must be a plain name"):
        load_data_and_model(str(rewritten(settings(**{key: ["../x"]}))))


PARTS = [("terms", ["evil.Part"]), ("sources", ["evil.Part"])]
PARTS += [("fusion", "evil.Part"), ("resource_branch", "evil.Part")]


@pytest.mark.parametrize(("key", "names"), PARTS)
def test_a_checkpoint_imports_no_module(key, names, rewritten, monkeypatch):
    monkeypatch.syspath_prepend(".")
    Path("evil.py").write_text(f"{TOUCH}\nPart = print\n")
    with pytest.raises(CheckpointError, match=r"but evil is not imported") as error:
        load_data_and_model(str(rewritten(settings(**{key: names}))))
    assert one_line(error)
    assert not Path("owned").exists()


@pytest.mark.parametrize("name", ["os.system", "builtins.print", "pathlib.Path", "os.path.x"])
@pytest.mark.parametrize("key", ["fusion", "resource_branch"])
def test_what_is_no_part_is_never_called(key, name, rewritten):
    with pytest.raises((CheckpointError, SettingsError), match=name) as error:
        load_data_and_model(str(rewritten(settings(**{key: name}))))
    assert one_line(error)


@pytest.mark.parametrize("names", [3, float("nan"), "../x"])
def test_parts_of_file_names_that_are_no_list_are_one_line(names, rewritten):
    with pytest.raises((CheckpointError, DataError)) as error:
        load_data_and_model(str(rewritten(settings(benchmark_filename=names))))
    assert one_line(error)


@pytest.mark.parametrize("beside", [torch.ones(3), [1], "x", {"ranking_weights": [1], "x": 2}])
def test_what_is_beside_the_weights_is_named_values(beside, rewritten):
    file = rewritten(lambda values: values.update(other_parameter=beside))
    with pytest.raises(CheckpointError) as error:
        load_data_and_model(str(file))
    assert one_line(error)


def test_names_that_do_not_agree_are_refused(rewritten):
    def change(values):
        values["config"]["final"]["dataset"] = "../toy"

    with pytest.raises(CheckpointError, match=r"names two datasets$"):
        load_data_and_model(str(rewritten(change)))


def test_data_is_neither_downloaded_nor_made(rewritten, tmp_path):
    for dataset in ("ml-1m", "czb-mini"):
        change = settings(dataset=dataset, data_path=str(tmp_path / "elsewhere" / dataset))
        with pytest.raises(DataError, match=rf"learned from {dataset}, which is not in"):
            load_data_and_model(str(rewritten(change)))
    # This model asks for the types of the data set's features.
    change = settings(model="SASRecF", dataset="czb-mini", data_path=str(tmp_path / "elsewhere"))
    with pytest.raises(DataError):
        load_data_and_model(str(rewritten(change)))
    assert not (tmp_path / "elsewhere").exists()


def test_settings_that_reach_elsewhere_are_not_taken(rewritten, trained, tmp_path):
    pickled = tmp_path / "pickled.pth"
    pickled.write_bytes(pickle.dumps(Pickled()))
    change = settings(
        save_dataset=True,
        save_dataloaders=True,
        dataset_save_path=str(pickled),
        dataloaders_save_path=str(pickled),
        checkpoint_dir=str(tmp_path / "elsewhere"),
        log_wandb=True,
        resume=True,
        config_files=str(pickled),
        topk=f"[5][:{TOUCH} or 1]",
        wandb_project=TOUCH,
        nproc=2,
        world_size=2,
        offset=0,
        ip="127.0.0.1",
        port="1",
        local_rank=0,
        single_spec=False,
    )

    def keep_topk(values):
        topk = values["config"]["final"]["topk"]
        change(values)
        values["config"]["final"]["topk"] = topk
        values["config"]["external"].pop("topk")

    config, *_ = load_data_and_model(str(rewritten(keep_topk)))
    assert not Path("owned").exists()
    assert config["checkpoint_dir"] == str(trained.parent)
    assert not config["log_wandb"]
    assert not config["resume"]
    assert config["single_spec"]
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "change",
    [
        settings(embedding_size=10**13),
        settings(embedding_size="8"),
        settings(topk=TOUCH),
        settings(load_col=3),
        settings(eval_args={"split": TOUCH}),
        settings(MODEL_TYPE=3, eval_type=TOUCH, embedding_size=-1),
    ],
)
def test_settings_of_any_kind_are_one_line(change, rewritten):
    with pytest.raises((CheckpointError, DataError, SettingsError)) as error:
        load_data_and_model(str(rewritten(change)))
    assert one_line(error)
    assert not Path("owned").exists()


def test_attributes_are_not_set_at_will(rewritten):
    def change(values):
        values["other_parameter"] = {"full_sort_predict": 3}

    with pytest.raises(CheckpointError, match=r"sets 'full_sort_predict', which IMNNet has not$"):
        load_data_and_model(str(rewritten(change)))


def test_code_in_a_sealed_file_is_not_executed(tmp_path):
    file = tmp_path / "hostile.pth"
    write_sealed(file, {"config": Pickled(), "state_dict": {}}, CHECKPOINT)
    with pytest.raises(UnsafeCheckpointError, match=r"by executing code"):
        load_checkpoint(file)
    assert not Path("owned").exists()
