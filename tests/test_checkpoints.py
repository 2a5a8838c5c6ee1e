"""Checkpoints hold values only, and give back what was saved."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse

from recbole_imn import checkpoints
from recbole_imn.checkpoints import values
from recbole_imn.errors import UnsafeCheckpointError
from recbole_imn.kernels.in_parallel import threads
from tests.conftest import random_rows, write_log
from tests.fresh_process import job, run

# What a model keeps beside its weights: tensors (Pop), sparse matrices (ItemKNN), a dense matrix
# (EASE), whole modules (GRU4RecF); the others keep nothing.
ROUND_TRIPS = {
    "Pop": {},
    "FPMC": {},
    "ItemKNN": {"k": 3},
    "EASE": {},
    "SASRec": {"train_neg_sample_args": None, "n_layers": 1},
    "GRU4RecF": {"train_neg_sample_args": None, "selected_features": ["kind"], "num_layers": 1},
}
# What a careless reader of settings would execute.
CODE = "__import__('os').mkdir('owned')"
RELOAD = """
import json, sys
from recbole_imn import compat
compat.extra_model_names.update({"Pop", "ItemKNN", "EASE"})  # as registered ones
from recbole.quick_start import load_data_and_model
from recbole.utils import get_trainer
results = {}
for model, file in json.loads(sys.argv.pop(1)).items():
    config, network, dataset, train, valid, test = load_data_and_model(file)
    config["single_spec"] = True
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, network)
    loaded = dict(trainer.evaluate(test, load_best_model=False))
    results[model] = [loaded, dict(trainer.evaluate(test, model_file=file))]
print(json.dumps(results))
"""


def train(model, folder):
    """Train a model of RecBole for an epoch and give its checkpoint and test result."""
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    shared = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / model),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id", "kind"]},
        "epochs": 1,
        "topk": [5],
        "valid_metric": "NDCG@5",
        "use_gpu": False,
        # As from a sweep: numbers of numpy are settings like any others.
        "learning_rate": np.float64(0.01),
        "embedding_size": 8,
    }
    config = Config(model, "toy", config_dict={**shared, **ROUND_TRIPS[model]})
    init_seed(config["seed"], config["reproducibility"])
    loaders = data_preparation(config, create_dataset(config))
    network = get_model(model)(config, loaders[0]._dataset)
    config["single_spec"] = True
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    trainer.fit(*loaders[:2], verbose=False)
    return trainer.saved_model_file, dict(trainer.evaluate(loaders[2]))


@pytest.fixture(scope="module")
def one_thread():
    """Compute with one thread, as the fresh processes do."""
    with threads(1):
        yield


@pytest.fixture(scope="module")
def round_trips(tmp_path_factory, one_thread):
    """Train here and load all checkpoints in one fresh process with options of its own."""
    folder = tmp_path_factory.mktemp("round_trips")
    write_log(folder, "toy", random_rows())
    kinds = [f"i{number}\tk{number % 3}\n" for number in range(21)]
    (folder / "toy" / "toy.item").write_text("item_id:token\tkind:token\n" + "".join(kinds))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["test"])
        trained = {model: train(model, folder) for model in ROUND_TRIPS}
    files = json.dumps({model: file for model, (file, _) in trained.items()})
    options = [files, "--topk=[1]", "--embedding_size=4"]
    (again,) = run(job(RELOAD, folder, arguments=options))
    assert again.returncode == 0, again.stderr
    loaded = json.loads(again.stdout.splitlines()[-1])
    return {model: (result, *loaded[model]) for model, (_, result) in trained.items()}


@pytest.mark.parametrize("model", ROUND_TRIPS)
def test_a_checkpoint_gives_the_same_results_in_a_fresh_process(model, round_trips):
    trained, loaded, read_by_the_trainer = round_trips[model]
    assert loaded == trained
    assert read_by_the_trainer == trained


@pytest.mark.parametrize("kind", ["csr_matrix", "lil_matrix", "csc_array", "coo_array"])
def test_sparse_parameters_come_back_as_they_were(kind, tmp_path):
    before = getattr(sparse, kind)(np.array([[0.0, 1.5], [0.0, 0.0]], dtype=np.float32))
    after = through_a_file({"w": before}, tmp_path)["w"]
    assert type(after) is type(before)
    assert after.dtype == before.dtype
    np.testing.assert_array_equal(after.toarray(), before.toarray())


def test_nested_parameters_come_back_as_they_were(tmp_path):
    dense = np.arange(4.0).reshape(2, 2)
    before = {"sets": {3: [(dense, torch.ones(2)), None]}, "matrix": dense.view(np.matrix)}
    after = through_a_file(before, tmp_path)
    array, tensor = after["sets"][3][0]
    np.testing.assert_array_equal(array, dense)
    assert torch.equal(tensor, torch.ones(2))
    assert after["sets"][3][1] is None
    assert type(after["matrix"]) is np.matrix


def through_a_file(parameters, folder):
    torch.save(checkpoints.encode_parameters(parameters), folder / "parameters.pth")
    read = torch.load(folder / "parameters.pth", weights_only=True)
    return {name: checkpoints.decode_parameter(value) for name, value in read.items()}


def test_parameters_of_other_kinds_are_refused_when_saving():
    with pytest.raises(UnsafeCheckpointError, match=r"'rules' is a \w*Path"):
        checkpoints.encode_parameters({"rules": Path("x")})


def test_parameters_move_to_the_device_of_the_model():
    moved = values.on_device({"a": [torch.ones(1), 3]}, torch.device("meta"))
    assert moved["a"][0].device.type == "meta"
    assert moved["a"][1] == 3


def test_a_pretrained_model_is_saved_as_values(make_config, tmp_path):
    from recbole.trainer.trainer import PretrainTrainer

    layer = torch.nn.Linear(1, 1)
    layer.other_parameter = lambda: {"layer": layer}
    optimizer = torch.optim.SGD(layer.parameters())
    trainer = SimpleNamespace(config=make_config("SASRec"), model=layer, optimizer=optimizer)
    PretrainTrainer.save_pretrained_model(trainer, 0, tmp_path / "pretrained.pth")
    read = torch.load(tmp_path / "pretrained.pth", weights_only=True)
    assert read["config"]["model"] == "SASRec"
    assert read["other_parameter"] == {}


def test_a_checkpoint_that_needs_code_is_refused(make_config, tmp_path):
    file = tmp_path / "old.pth"
    torch.save({"config": make_config("SASRec")}, file)
    with pytest.raises(UnsafeCheckpointError, match=r"executing code.*train.* again"):
        checkpoints.load_checkpoint(str(file))


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "notes.pth").write_text("hello")
    with pytest.raises(ValueError, match=r"notes\.pth is no checkpoint"):
        checkpoints.load_checkpoint(str(tmp_path / "notes.pth"))


def test_settings_keep_their_numbers_keys_and_tuples(make_config):
    config = make_config(
        "SASRec", embedding_size=np.int64(16), preload_weight={1: "a", "pair": (1, 2)}
    )
    again = checkpoints.rebuild_config(checkpoints.plain_config(config))
    assert again["embedding_size"] == 16
    assert again["preload_weight"] == {1: "a", "pair": (1, 2)}


def test_values_of_a_checkpoint_are_not_evaluated(make_config, toy):
    plain = checkpoints.plain_config(make_config("SASRec", wandb_project=CODE))
    assert not (toy / "owned").exists() or (toy / "owned").rmdir() is None
    plain["external"]["wandb_project"] = CODE
    config = checkpoints.rebuild_config(plain)
    assert not (toy / "owned").exists()
    assert config["data_path"] == plain["final"]["data_path"]


def test_options_of_the_running_program_do_not_change_a_checkpoint(make_config, monkeypatch):
    config = make_config("SASRec", learning_rate=0.5)
    monkeypatch.setattr(sys, "argv", ["test", "--learning_rate=0.1", "--topk=[1]"])
    again = checkpoints.rebuild_config(checkpoints.plain_config(config))
    assert again["learning_rate"] == 0.5
    assert again["topk"] == config["topk"]
    assert again["eval_type"] == config["eval_type"]
