"""Each mend is needed: without it, the program below it fails on the stack that breaks it."""

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy
import torch
from scipy import sparse

from recbole_imn import compat
from tests.conftest import random_rows, write_log

PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3
# ray needs this part of setuptools, which setuptools 81 gave up.
NO_PKG_RESOURCES = importlib.util.find_spec("pkg_resources") is None

# Sequence and missing values in an item file, read by RecBole's own data set class.
ITEM_FILE = """
import os, sys
os.makedirs("toy")
inter = "user_id:token\\titem_id:token\\nu\\ta\\nu\\tb\\nv\\ta\\n"
open("toy/toy.inter", "w").write(inter)
item = "item_id:token\\tprice:float\\tkind:token\\ttags:token_seq\\n"
open("toy/toy.item", "w").write(item + "a\\t4\\tx\\tt1 t2\\nb\\t{price}\\t{kind}\\t{tags}\\n")
sys.argv = ["test"]
from recbole.config import Config
from recbole.data import create_dataset
load = {{"inter": ["user_id", "item_id"], "item": {columns}}}
config = Config("BPR", "toy", config_dict={{"data_path": ".", "load_col": load}})
dataset = create_dataset(config)
dataset._change_feat_format()
items = dataset.item_feat
"""


def item_file(columns, price="6", kind="y", tags="t3"):
    return ITEM_FILE.format(columns=["item_id", *columns], price=price, kind=kind, tags=tags)


# Name of the mend, whether this stack is broken without it, a program that shows it, and what
# that program ends with where it is broken.
PROGRAMS = {
    "numpy_aliases": (
        True,
        "from recbole.data.interaction import Interaction\nInteraction({'a': [1.0, 2.0]})",
        "module 'numpy' has no attribute 'float'",
    ),
    "ray_stub": (
        NO_PKG_RESOURCES,
        "from recbole.quick_start import run_recbole",
        "No module named 'pkg_resources'",
    ),
    "sparse_update": (
        not hasattr(scipy.sparse.dok_matrix((1, 1)), "_update")
        or "sparse_update" in {mend.name for mend in compat.applied()},
        "import scipy.sparse as s\nm = s.dok_matrix((2, 2))\nm._update({(0, 1): 1.0})\n"
        "assert m.sum() == 1",
        "'dok_matrix' object has no attribute '_update'",
    ),
    "sequence_lengths": (
        PANDAS_3,
        item_file(["tags"]) + "assert items['tags'].tolist() == [[0, 0], [1, 2], [3, 0]]",
        "Length of values (1) does not match length of index (2)",
    ),
    "missing_values": (
        PANDAS_3,
        item_file(["price", "kind"], price="", kind="")
        + "assert items['price'].tolist() == [4, 4, 4], 'unfilled'\n"
        + "assert items['kind'].tolist()[0] == 0",
        "AssertionError: unfilled",
    ),
    "empty_sequences": (
        PANDAS_3,
        item_file(["tags"], tags="") + "assert items['tags'].tolist()[2] == [0, 0]",
        "'float' object has no attribute 'split'",
    ),
    "read_only_columns": (
        PANDAS_3,
        "import warnings\nwarnings.filterwarnings('error', message='.*not writable.*')\n"
        + item_file(["price"]),
        "The given NumPy array is not writable",
    ),
    "download_barrier": (
        True,
        """
        import types
        from unittest import mock
        from recbole.data.dataset import dataset
        log = types.SimpleNamespace(info=print)
        self = types.SimpleNamespace(config={"local_rank": 0}, dataset_name="x", logger=log,
                                     dataset_path=".", _get_download_url=lambda name: "url")
        names = ("decide_download", "download_url", "extract_zip", "rename_atomic_files",
                 "makedirs")
        dataset_mocks = {name: mock.DEFAULT for name in names}
        with mock.patch("os.unlink"), mock.patch.multiple(dataset, **dataset_mocks):
            dataset.Dataset._download(self)
        """,
        "Default process group has not been initialized",
    ),
    "anomaly_detection": (
        True,
        "import torch, recbole.model.sequential_recommender\n"
        "assert not torch.is_anomaly_enabled(), 'anomaly detection'",
        "AssertionError: anomaly detection",
    ),
    "gradient_scaler": (
        True,
        item_file([])
        + """
import warnings
from recbole.trainer import Trainer
from recbole.model.general_recommender import BPR
warnings.filterwarnings("error", message=".*GradScaler.*")
config["checkpoint_dir"] = "."
Trainer(config, BPR(config, dataset))._train_epoch([], 0)
""",
        "`torch.cuda.amp.GradScaler(args...)` is deprecated",
    ),
    "shared_folders": (
        True,
        """
        import os
        from unittest import mock
        from recbole.utils import logger
        os.makedirs("log")
        with mock.patch("os.path.exists", return_value=False):
            logger.ensure_dir("log")
        """,
        "File exists: 'log'",
    ),
    "number_features": (
        True,
        """
        import types
        import torch
        from recbole.data.interaction import Interaction
        from recbole.model.layers import FeatureSeqEmbLayer
        from recbole.utils import FeatureType
        values = {name: torch.tensor([[0.0, 0], [0.5, 1]]) for name in ("price", "mileage")}
        items = Interaction(values)
        dataset = types.SimpleNamespace(
            field2type=dict.fromkeys(values, FeatureType.FLOAT), num=lambda name: 2,
            config={"numerical_features": list(values)}, get_item_feature=lambda: items)
        layer = FeatureSeqEmbLayer(dataset, 4, list(values), "sum", "cpu")
        dense = layer(None, torch.tensor([[1, 0, 1]]))[1]["item"]
        assert dense.shape == (1, 3, 2, 4), dense.shape
        """,
        "split_with_sizes expects split_sizes to sum exactly to 4",
    ),
    "unknown_model": (
        True,
        """
        import sys
        sys.argv = ["test"]
        from recbole.config import Config
        try:
            Config("SASRek", "toy")
        except ValueError as error:
            assert "did you mean SASRec" in str(error), error
        """,
        "No module named 'lightgbm'",
    ),
    "safe_checkpoints": (
        True,
        item_file([])
        + """
import torch
from recbole.trainer import Trainer
from recbole.model.general_recommender import BPR
config["checkpoint_dir"] = "."
trainer = Trainer(config, BPR(config, dataset))
trainer._save_checkpoint(0, verbose=False)
torch.load(trainer.saved_model_file, weights_only=True)
""",
        "Weights only load failed",
    ),
}


# Shown in a process of their own also with the mend: here, any test may have mended them.
FRESH = ("numpy_aliases", "ray_stub")

# What takes long to import and no mend changes is imported once; every program then gets a
# process that has seen neither RecBole nor a mend.
FORK = """
import json, os, sys, traceback
import pandas, scipy.sparse, sklearn, torch, torch.utils.tensorboard

def run(folder, program, arguments):
    os.chdir(folder)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv = ["test", *arguments]
    exec(program, {"__name__": "__main__"})

assert not {"recbole", "ray"} & set(sys.modules)
statuses = []
for job in json.load(sys.stdin):
    child = os.fork()
    if not child:
        status = 1
        try:
            run(*job)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(status)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(statuses))
"""


def job(program, folder, skip=(), arguments=()):
    """Describe a program that has loaded nothing of the package but the mends."""
    start = f"""
        import importlib.util, sys, warnings
        warnings.simplefilter("ignore")
        spec = importlib.util.spec_from_file_location("compat", {compat.__file__!r})
        compat = importlib.util.module_from_spec(spec)
        sys.modules["compat"] = compat
        spec.loader.exec_module(compat)
        compat.apply(skip={tuple(skip)!r})
    """
    return str(folder), textwrap.dedent(start) + textwrap.dedent(program), list(arguments)


def run(*jobs):
    """Run programs one after another, each in a fresh process, and give what came of them."""
    forked = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=False,
        # On a busy machine a second thread makes small products a hundred times slower.
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert forked.returncode == 0, forked.stderr
    statuses = json.loads(forked.stdout)
    return [
        SimpleNamespace(
            returncode=status,
            stdout=Path(folder, "stdout").read_text(),
            stderr=Path(folder, "stderr").read_text(),
        )
        for status, (folder, _, _) in zip(statuses, jobs, strict=True)
    ]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Run programs without their mend where this stack breaks them, and some with all mends."""
    keys = [(name, (name,)) for name, (broken, _, _) in PROGRAMS.items() if broken]
    keys += [(name, ()) for name in FRESH]
    jobs = [job(PROGRAMS[name][1], tmp_path_factory.mktemp(name), skip=skip) for name, skip in keys]
    return dict(zip(keys, run(*jobs), strict=True))


def test_every_mend_has_a_program():
    assert set(PROGRAMS) == {mend.name for mend in compat.MENDS}


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_the_mend_the_program_fails(name, outcomes):
    broken, _, ending = PROGRAMS[name]
    if not broken:
        pytest.skip("this stack does not need the mend")
    without = outcomes[name, (name,)]
    assert without.returncode != 0, f"{name} is not needed: {without.stdout}"
    assert ending in without.stderr


@pytest.mark.parametrize("name", FRESH)
def test_with_all_mends_the_program_runs_afresh(name, outcomes):
    mended = outcomes[name, ()]
    assert mended.returncode == 0, mended.stderr


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in FRESH])
def test_with_all_mends_the_program_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["test"])
    exec(compile(textwrap.dedent(PROGRAMS[name][1]), name, "exec"), {})


def test_another_recbole_is_reported_in_one_line(monkeypatch):
    monkeypatch.setattr(compat, "_applied", [])
    monkeypatch.setattr(compat, "MENDS", ())
    monkeypatch.setattr(compat, "version", lambda package: "1.3.0")
    with pytest.warns(UserWarning, match=r"^recbole 1\.3\.0 is installed.*1\.2\.1$"):
        compat.apply()


def test_a_changed_upstream_function_is_noticed():
    class Owner:
        def method(self):
            return 1

    with pytest.raises(RuntimeError, match="has 0 times 'return 2' instead of 1"):
        compat._rewrite(Owner, "method", ("return 2", "return 3"))


def test_mends_are_listed_with_their_place_upstream():
    for mend in compat.applied():
        file, _, line = mend.upstream.partition(":")
        import recbole

        lines = (Path(recbole.__file__).parent / file).read_text().splitlines()
        assert int(line) <= len(lines)


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
RELOAD = """
import json, sys
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
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
    torch.save(compat.encode_parameters(parameters), folder / "parameters.pth")
    read = torch.load(folder / "parameters.pth", weights_only=True)
    return {name: compat.decode_parameter(value) for name, value in read.items()}


def test_parameters_of_other_kinds_are_refused_when_saving():
    with pytest.raises(compat.UnsafeCheckpointError, match=r"'rules' is a \w*Path"):
        compat.encode_parameters({"rules": Path("x")})


def test_parameters_move_to_the_device_of_the_model():
    moved = compat._on_device({"a": [torch.ones(1), 3]}, torch.device("meta"))
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
    with pytest.raises(compat.UnsafeCheckpointError, match=r"executing code.*train.* again"):
        compat.load_checkpoint(str(file))


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "notes.pth").write_text("hello")
    with pytest.raises(ValueError, match=r"notes\.pth is no checkpoint"):
        compat.load_checkpoint(str(tmp_path / "notes.pth"))


def test_settings_keep_their_numbers_keys_and_tuples(make_config):
    config = make_config("SASRec", embedding_size=np.int64(16), note={1: "a", "pair": (1, 2)})
    again = compat.rebuild_config(compat.plain_config(config))
    assert again["embedding_size"] == 16
    assert again["note"] == {1: "a", "pair": (1, 2)}


def test_values_of_a_checkpoint_are_not_evaluated(make_config, toy):
    plain = compat.plain_config(make_config("SASRec", note="__import__('os').mkdir('owned')"))
    assert not (toy / "owned").exists() or (toy / "owned").rmdir() is None
    plain["external"]["note"] = "__import__('os').mkdir('owned')"
    config = compat.rebuild_config(plain)
    assert not (toy / "owned").exists()
    assert config["data_path"] == plain["final"]["data_path"]


def test_options_of_the_running_program_do_not_change_a_checkpoint(make_config, monkeypatch):
    config = make_config("SASRec", learning_rate=0.5)
    monkeypatch.setattr(sys, "argv", ["test", "--learning_rate=0.1", "--topk=[1]"])
    again = compat.rebuild_config(compat.plain_config(config))
    assert again["learning_rate"] == 0.5
    assert again["topk"] == config["topk"]
    assert again["eval_type"] == config["eval_type"]
