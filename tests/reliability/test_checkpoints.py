"""Checkpoints of anybody: hostile, damaged, foreign; nothing of them is executed or believed."""

from __future__ import annotations

import pickle
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from recbole.data.dataset import Dataset
from recbole.quick_start import load_data_and_model, run_recbole

from recbole_imn import command_line
from recbole_imn.checkpoints import CheckpointError, UnsafeCheckpointError, load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, STATE, read_sealed, write_sealed
from recbole_imn.data.atomic import DataError
from recbole_imn.model.settings import SettingsError
from recbole_imn.preparation import prepare

TOUCH = "__import__('pathlib').Path('owned').touch()"


class Pickled:
    """Touches a file when it is unpickled."""

    def __reduce__(self):
        return eval, (TOUCH,)


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


def one_line(error) -> bool:
    return "\n" not in str(error.value)


# -- hostile --------------------------------------------------------------------------------


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
