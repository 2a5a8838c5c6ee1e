"""Each mend is needed: without it, the program below it fails on the stack that breaks it."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy
import torch

from recbole_imn import compat

PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3
NUMPY_2 = int(np.__version__.partition(".")[0]) >= 2

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


# Name of the mend, whether this stack is broken without it, and a program that shows it.
PROGRAMS = {
    "numpy_aliases": (
        True,
        "from recbole.data.interaction import Interaction\nInteraction({'a': [1.0, 2.0]})",
    ),
    "ray_stub": (NUMPY_2, "from recbole.quick_start import run_recbole"),
    "sparse_update": (
        not hasattr(scipy.sparse.dok_matrix((1, 1)), "_update")
        or "sparse_update" in {mend.name for mend in compat.applied()},
        "import scipy.sparse as s\nm = s.dok_matrix((2, 2))\nm._update({(0, 1): 1.0})\n"
        "assert m.sum() == 1",
    ),
    "sequence_lengths": (
        PANDAS_3,
        item_file(["tags"]) + "assert items['tags'].tolist() == [[0, 0], [1, 2], [3, 0]]",
    ),
    "missing_values": (
        PANDAS_3,
        item_file(["price", "kind"], price="", kind="")
        + "assert items['price'].tolist() == [4, 4, 4]\nassert items['kind'].tolist()[0] == 0",
    ),
    "empty_sequences": (
        PANDAS_3,
        item_file(["tags"], tags="") + "assert items['tags'].tolist()[2] == [0, 0]",
    ),
    "read_only_columns": (
        PANDAS_3,
        "import warnings\nwarnings.filterwarnings('error', message='.*not writable.*')\n"
        + item_file(["price"]),
    ),
    "download_barrier": (
        True,
        """
        import sys, types
        sys.argv = ["test"]
        from recbole.data.dataset import dataset
        dataset.decide_download = lambda url: True
        dataset.download_url = lambda url, path: path + "/x.zip"
        dataset.extract_zip = dataset.rename_atomic_files = lambda *a: None
        dataset.makedirs = lambda path: None
        dataset.os.unlink = lambda path: None
        log = types.SimpleNamespace(info=print)
        self = types.SimpleNamespace(config={"local_rank": 0}, dataset_name="x", logger=log,
                                     dataset_path=".", _get_download_url=lambda name: "url")
        dataset.Dataset._download(self)
        """,
    ),
    "anomaly_detection": (
        True,
        "import torch, recbole.model.sequential_recommender\nassert not torch.is_anomaly_enabled()",
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
    ),
}


def run(program, folder, skip=()):
    """Run a program in a fresh process that has loaded nothing of the package but the mends."""
    start = f"""
        import importlib.util, sys, warnings
        warnings.simplefilter("ignore")
        spec = importlib.util.spec_from_file_location("compat", {compat.__file__!r})
        compat = importlib.util.module_from_spec(spec)
        sys.modules["compat"] = compat
        spec.loader.exec_module(compat)
        compat.apply(skip={tuple(skip)!r})
    """
    source = textwrap.dedent(start) + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, cwd=folder
    )


def test_every_mend_has_a_program():
    assert set(PROGRAMS) == {mend.name for mend in compat.MENDS}


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_the_mend_the_program_fails(name, tmp_path):
    broken, program = PROGRAMS[name]
    if not broken:
        pytest.skip("this stack does not need the mend")
    without = run(program, tmp_path, skip=[name])
    assert without.returncode != 0, f"{name} is not needed: {without.stdout}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_with_all_mends_the_program_runs(name, tmp_path):
    mended = run(PROGRAMS[name][1], tmp_path)
    assert mended.returncode == 0, mended.stderr


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


def test_a_checkpoint_that_needs_code_is_refused(tmp_path):
    file = tmp_path / "old.pth"
    torch.save({"config": Path("x")}, file)
    with pytest.raises(compat.UnsafeCheckpointError, match="executing code"):
        compat.load_checkpoint(str(file))


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
