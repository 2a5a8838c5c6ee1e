"""Each mend is needed: without it, the program below it fails on the stack that breaks it."""

import importlib.util
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest
import scipy

from recbole_imn import compat
from tests.fresh_process import job, run

# ray 2.6.3 needs a part of setuptools that setuptools 81 gave up.
NO_RAY = not all(importlib.util.find_spec(name) for name in ("ray", "pkg_resources"))
PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3

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
        NO_RAY,
        "from recbole.quick_start.quick_start import tune\ntune.report(score=1)",
        "ModuleNotFoundError: No module named",
    ),
    "yaml_loader": (
        True,
        """
        import sys, yaml
        sys.argv = ["test"]
        from recbole.config import Config
        assert Config("BPR", "toy", config_dict={"data_path": "."})["learning_rate"] == 0.001
        assert yaml.load("1e-3", Loader=yaml.FullLoader) == "1e-3", "yaml has changed"
        """,
        "AssertionError: yaml has changed",
    ),
    "sparse_update": (
        not hasattr(scipy.sparse.dok_matrix, "_update"),
        "from recbole.model.general_recommender.lightgcn import sp\nm = sp.dok_matrix((2, 2))\n"
        "m._update({(0, 1): 1.0})\nassert m.sum() == 1",
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
    "use_gpu": (
        True,
        """
        import sys
        from unittest import mock
        sys.argv = ["test"]
        from recbole.config import Config
        settings = {"data_path": ".", "use_gpu": False}
        with mock.patch("torch.cuda.is_available", return_value=True):
            chosen = Config("BPR", "toy", config_dict=settings)["device"].type
        assert chosen == "cpu", f"it is {chosen}"
        """,
        "AssertionError: it is cuda",
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
    "colour_streams": (
        True,
        """
        import sys
        from recbole.utils import logger
        logger.init(autoreset=True)
        once = sys.stdout
        logger.init(autoreset=True)
        assert sys.stdout is once, "wrapped again"
        """,
        "AssertionError: wrapped again",
    ),
    "machine_report": (
        True,
        """
        from unittest import mock
        from recbole.quick_start import quick_start
        with mock.patch("time.sleep", side_effect=AssertionError("waits")):
            rows = quick_start.get_environment({"use_gpu": False}).draw().splitlines()
        assert [row.split("|")[1].strip() for row in rows[1:8:2]] == [
            "Environment", "CPU", "GPU", "Memory"], rows
        """,
        "AssertionError: waits",
    ),
    "operation_count": (
        True,
        item_file([])
        + """
import logging, math
from recbole.data.transform import construct_transform
from recbole.model.general_recommender import BPR
from recbole.utils import get_flops
class RanksAlone(BPR):
    def predict(self, interaction):
        assert False, "no single items"
model, transform = RanksAlone(config, dataset), construct_transform(config)
arguments = dataset, config["device"], logging.getLogger(), transform
assert math.isnan(get_flops(model, *arguments))
assert get_flops(BPR(config, dataset), *arguments) > 0
""",
        "AssertionError: no single items",
    ),
    "pretraining": (
        True,
        """
from unittest.mock import MagicMock as Mock
from recbole.trainer.trainer import PretrainTrainer
kept, config = [], {"model": "S3Rec", "dataset": "d", "train_neg_sample_args": {}, "resume": False}
trainer = Mock(config=config, start_epoch=0, pretrain_epochs=3, save_step=2, checkpoint_dir="saved")
trainer.save_pretrained_model = lambda epoch, file: kept.append((epoch, file))
PretrainTrainer.pretrain(trainer, Mock(), verbose=False)
assert kept == [(1, "saved/S3Rec-d-2.pth"), (2, "saved/S3Rec-d-3.pth")], kept
""",
        "AssertionError: [(1, ",
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
        "No module named 'xgboost'",
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


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"normalize_field": ["weights"]}, [[0, 0, 0], [0, 0.25, 0.5], [1, 0, 0]]),
        (
            {"numerical_features": ["weights"]},
            [[[0, 0]] * 3, [[1, 1], [2, 1], [3, 1]], [[5, 1], [0, 0], [0, 0]]],
        ),
        (
            {
                "numerical_features": ["weights"],
                "discretization": {"weights": {"method": "ED", "bucket": 2}},
            },
            [[[0, 0]] * 3, [[1, 1], [1, 1], [1, 1]], [[1, 2], [0, 0], [0, 0]]],
        ),
    ],
)
def test_sequences_of_numbers_are_cut_at_their_own_lengths(toy, options, expected):
    from recbole.config import Config
    from recbole.data import create_dataset

    header = "item_id:token\tweights:float_seq\n"
    (toy / "toy" / "toy.item").write_text(f"{header}i1\t1 2 3\ni2\t5\n")
    (toy / "toy" / "toy.inter").write_text("user_id:token\titem_id:token\nu\ti1\nu\ti2\n")
    load = {"inter": ["user_id", "item_id"], "item": ["item_id", "weights"]}
    settings = {"data_path": str(toy), "load_col": load, **options}
    dataset = create_dataset(Config("BPR", "toy", config_dict=settings))
    dataset._change_feat_format()
    assert dataset.item_feat["weights"].tolist() == expected


def test_another_recbole_is_reported_in_one_line(monkeypatch):
    monkeypatch.setattr(compat, "_applied", [])
    monkeypatch.setattr(compat, "MENDS", ())
    monkeypatch.setattr(compat, "version", lambda package: "1.3.0")
    with pytest.warns(UserWarning, match=r"^recbole 1\.3\.0 is installed.*1\.2\.1$"):
        compat.apply()


def test_mends_are_listed_with_their_place_upstream():
    for mend in compat.applied():
        file, _, line = mend.upstream.partition(":")
        import recbole

        lines = (Path(recbole.__file__).parent / file).read_text().splitlines()
        assert int(line) <= len(lines)
