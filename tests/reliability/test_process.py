"""Mends touch RecBole's own modules: the rest of the process stays as it was."""

import json
import os
import re
import textwrap

import pytest

import recbole_imn
from recbole_imn.compat.packages import NUMPY_NAMES, NUMPY_USERS, SPARSE_USERS
from recbole_imn.own_models import RECBOLE
from tests import fresh_process
from tests.conftest import random_rows, write_log

# What a process looks like. Packages are imported first: what they do to it is theirs.
SNAPSHOT = """
    import hashlib, json, logging, os, random, sys, warnings
    import colorama, colorlog, numpy, pandas, plotly, polars, psutil, pyarrow, pydantic
    import scipy.sparse, sklearn.metrics, sklearn.linear_model, texttable, thop, torch, tqdm
    import sympy, yaml
    import torch.utils.tensorboard

    def digest(value):
        return hashlib.sha256(repr(value).encode()).hexdigest()[:12]

    def attributes(owner):
        # Submodules come with the first import.
        return {name: id(value) for name, value in vars(owner).items()
                if not isinstance(value, type(sys))}

    def snapshot():
        return {
            "numpy": attributes(numpy),
            "numpy errors": numpy.geterr(),
            "dok_matrix": attributes(scipy.sparse.dok_matrix),
            "pandas": [attributes(pandas), attributes(pandas.Series), attributes(pandas.DataFrame)],
            "yaml": {loader.__name__: digest(sorted(
                         (str(key), [(tag, pattern.pattern) for tag, pattern in value])
                         for key, value in loader.yaml_implicit_resolvers.items()))
                     for loader in (yaml.FullLoader, yaml.SafeLoader)},
            "ray": sorted(name for name in sys.modules if name.partition(".")[0] == "ray"),
            "anomaly": [torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()],
            "warnings": digest(warnings.filters),
            "dtype": str(torch.get_default_dtype()),
            "threads": [torch.get_num_threads(), torch.get_num_interop_threads()],
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "cudnn": [torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark],
            "gradients": torch.is_grad_enabled(),
            "torch": [id(torch.load), id(torch.save), id(torch.distributed.barrier),
                      id(torch.cuda.amp.GradScaler)],
            "random": digest(random.getstate()),
            "random numpy": digest([part.tolist() if hasattr(part, "tolist") else part
                                    for part in numpy.random.get_state()]),
            "random torch": digest(torch.get_rng_state().tolist()),
            "environment": digest(sorted(os.environ.items())),
            "handlers": [repr(handler) for handler in logging.getLogger().handlers],
            "level": logging.getLogger().level,
            "arguments": sys.argv,
            "path": sys.path,
            "streams": [type(sys.stdout).__name__, type(sys.stderr).__name__],
            "hooks": [id(sys.excepthook), id(sys.displayhook)],
            "importers": len(sys.meta_path),
            "folder": os.getcwd(),
            "files": sorted(os.listdir()),
        }
"""

# Programs that print JSON last, in processes that have seen neither RecBole nor us.
PROGRAMS = {}
SETTINGS = """
    from recbole.quick_start import run_recbole
    settings = {
        "data_path": ".", "show_progress": False, "use_gpu": False, "embedding_size": 8,
        "hidden_size": 8, "train_batch_size": 64, "epochs": 1, "topk": [5],
        "valid_metric": "NDCG@5", "state": "error"}
"""
PROGRAMS["training"] = (
    SNAPSHOT,
    "before = snapshot()",
    "import recbole_imn",
    "imported = snapshot()",
    SETTINGS,
    """
    for model in ("IMNNetPlus", "SASRec"):
        run_recbole(model=model, dataset="toy", config_dict={**settings, "event_stream": True})
    print(json.dumps([before, imported, snapshot()]))
    """,
)
PROGRAMS["graph"] = (
    SNAPSHOT,
    "before = snapshot()",
    "import recbole_imn",
    SETTINGS,
    """
    metrics = ["Recall", "MRR", "NDCG", "Hit", "MAP", "Precision", "GAUC"]
    run_recbole(model="LightGCN", dataset="toy", config_dict={**settings, "metrics": metrics})
    print(json.dumps([before, snapshot()]))
    """,
)

FLAGS = [(True, True), (True, False), (False, True)]
for flags in FLAGS:
    PROGRAMS[flags] = (
        f"""
        import json, torch
        def flags():
            return torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
        torch.set_anomaly_enabled(*{flags})
        import recbole_imn, recbole.model.sequential_recommender
        print(json.dumps(flags()))
        """,
    )

FAKE_RAY = """
    import json, os, sys
    sys.path.insert(0, os.getcwd())
    os.makedirs("ray/tune", exist_ok=True)
    open("ray/__init__.py", "w").close()
    with open("ray/tune/__init__.py", "w") as file:
        file.write("told = []\\ndef report(**metrics): told.append(metrics)\\n")
"""
REPORT = """
    from recbole.quick_start.quick_start import tune
    tune.report(score=1)
    assert sys.modules["ray"] is mine and ray.__file__.startswith(os.getcwd())
    print(json.dumps(ray.tune.told))
"""
PROGRAMS["ray before"] = (FAKE_RAY, "import ray.tune\nmine = ray", "import recbole_imn", REPORT)
PROGRAMS["ray after"] = (
    FAKE_RAY,
    "import recbole_imn\nassert 'ray' not in sys.modules",
    "import ray.tune\nmine = ray",
    REPORT,
)
PROGRAMS["broken ray"] = (
    """
    import json, os, sys
    sys.path.insert(0, os.getcwd())
    with open("ray.py", "w") as file:
        file.write("raise RuntimeError('broken')")
    import recbole_imn
    from recbole.quick_start.quick_start import tune
    tune.report(score=1)
    print(json.dumps("ray" in sys.modules))
    """,
)
PROGRAMS["no recbole"] = (
    """
    import importlib.metadata, json
    def version(name, find=importlib.metadata.version):
        if name == "recbole":
            raise importlib.metadata.PackageNotFoundError(name)
        return find(name)
    importlib.metadata.version = version
    try:
        import recbole_imn
    except ImportError as error:
        print(json.dumps(str(error)))
    """,
)
PROGRAMS["command without recbole"] = (
    PROGRAMS["no recbole"][0].replace("except ImportError", "except SystemExit"),
)

# What RecBole itself sets when it trains: seeds, loggers, the streams and folders it writes to.
RUNS_CHANGE = {
    "random", "random numpy", "random torch", "cudnn", "handlers", "level", "streams", "files",
    "environment",
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Give what each program says, and what it says on its standard error."""
    jobs = []
    for name, parts in PROGRAMS.items():
        folder = write_log(tmp_path_factory.mktemp("process"), "toy", random_rows())
        program = "\n".join(textwrap.dedent(part) for part in parts)
        if name == "command without recbole":
            program = f"import sys\nsys.argv = ['-m']\n{program}"
        jobs.append((str(folder), program, []))
    return dict(zip(PROGRAMS, fresh_process.run(*jobs), strict=True))


@pytest.fixture
def answer(answers):
    def read(name):
        done = answers[name]
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return read


def differences(first, second):
    return {key: (first[key], second[key]) for key in first if first[key] != second[key]}


def test_the_import_changes_nothing(answer):
    before, imported, _ = answer("training")
    assert differences(before, imported) == {}


@pytest.mark.parametrize("program", ["training", "graph"])
def test_training_changes_what_recbole_sets_and_nothing_else(answer, program):
    *_, imported, trained = answer(program)
    changed = differences(imported, trained)
    assert {key: changed[key] for key in changed if key not in RUNS_CHANGE} == {}


@pytest.mark.parametrize("flags", FLAGS)
def test_the_callers_anomaly_flag_stays(answer, flags):
    assert answer(flags) == list(flags)


@pytest.mark.parametrize("order", ["ray before", "ray after"])
def test_a_ray_of_the_caller_is_used_and_left_alone(answer, order):
    assert answer(order) == [{"score": 1}]


def test_a_ray_that_cannot_be_imported_is_not_asked_for(answer):
    assert answer("broken ray") is False


def test_without_recbole_one_line_says_what_to_type(answer, answers):
    line = "recbole is not installed; type: pip install --no-deps recbole==1.2.1"
    assert answer("no recbole") == line
    assert answers["command without recbole"].stderr == f"error: {line}\n"


def modules_with(pattern):
    found = set()
    for file in RECBOLE.rglob("*.py"):
        if re.search(pattern, file.read_text(encoding="utf-8")):
            found.add(".".join(file.relative_to(RECBOLE).with_suffix("").parts))
    return found


def test_every_module_that_uses_an_old_name_sees_it():
    old = "|".join(NUMPY_NAMES)
    # compatibility_settings, which is replaced.
    users = modules_with(rf"\bnp\.({old}|float_|complex_|unicode_|bool8)\b")
    assert users - {"config.configurator"} == set(NUMPY_USERS)
    assert modules_with(r"\._update\(") == set(SPARSE_USERS)


def test_no_source_is_edited_to_be_executed():
    package = os.path.dirname(recbole_imn.__file__)
    for folder, _, files in os.walk(package):
        for name in (name for name in files if name.endswith(".py")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            assert "exec(" not in text, name
            assert "getsource" not in text, name
