"""The wheel: what is in it, what it says of itself, and that it works outside the repository."""

import email
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "recbole_imn", "dataset_configs")
COMMANDS = ("run", "simulate", "convert", "describe", "tune", "benchmark", "doctor")


def python(*arguments, folder, path=""):
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(path)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy of the sources, without a network."""
    folder = tmp_path_factory.mktemp("build")
    ignore = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder / name)
    program = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
    built = python("-c", program, folder=folder)
    assert built.returncode == 0, built.stderr
    return folder / "dist" / built.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Unpack the wheel, as an installation does."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    share_loops(folder)
    return folder


def share_loops(folder):
    """Give the loops that were compiled here to the same sources elsewhere, told by their times."""
    for source in (ROOT / "recbole_imn").rglob("*.py"):
        if (other := folder / source.relative_to(ROOT)).exists():
            shutil.copystat(source, other)
    for loop in (ROOT / "recbole_imn").rglob("__pycache__/*.nbc"):
        other = folder / loop.relative_to(ROOT)
        other.parent.mkdir(exist_ok=True)
        shutil.copy2(loop, other)


@pytest.fixture(scope="module")
def metadata(installed):
    (file,) = installed.glob("recbole_imn-*.dist-info/METADATA")
    return email.message_from_string(file.read_text(encoding="utf-8"))


def test_every_file_of_the_package_is_in_the_wheel(installed):
    def files(root):
        found = (file.relative_to(root) for file in root.rglob("*") if file.is_file())
        return {str(file) for file in found if "__pycache__" not in file.parts}

    packed = files(installed / "recbole_imn")
    configs = {f"dataset_configs/{name}" for name in files(ROOT / "dataset_configs")}
    assert packed == files(ROOT / "recbole_imn") | configs
    for name in ("py.typed", "properties/stream.yaml", "properties/model/IMNNetPlus.yaml",
                 "properties/search/general.yaml", "data/convert/czb.yaml",
                 "dataset_configs/czb.yaml", "dataset_configs/examples/my-log.yaml"):  # fmt: skip
        assert name in packed


def test_nothing_else_is_in_the_wheel(installed):
    assert {path.name.partition("-")[0] for path in installed.iterdir()} == {"recbole_imn"}


def test_the_metadata_say_what_it_is(metadata):
    assert metadata["Name"].replace("_", "-") == "recbole-imn"
    assert metadata["Author"] == "The recbole_imn authors"
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().startswith("# recbole_imn")
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL"))
    assert urls == {"Paper": "https://arxiv.org/abs/2009.13249", "RecBole": "https://recbole.io"}
    assert "sequential recommendation" in metadata["Keywords"]
    classifiers = metadata.get_all("Classifier")
    assert "Programming Language :: Python :: 3.13" in classifiers
    assert "Typing :: Typed" in classifiers


def test_it_asks_for_recbole_where_that_can_be_had_and_never_for_ray(metadata):
    needs = metadata.get_all("Requires-Dist")
    assert [need for need in needs if need.startswith("recbole")] == [
        'recbole==1.2.1; python_version < "3.12"'
    ]
    assert not [need for need in needs if need.startswith("ray")]


def name_of(requirement):
    return re.match(r"[\w-]+", requirement).group().lower().replace("_", "-")


def test_make_installs_everything_that_is_needed(metadata):
    """Recbole apart: make installs it without its dependencies, and so what we list is all."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {name_of(line) for line in lines if not line.startswith("#")}
    needs = metadata.get_all("Requires-Dist")
    used = {name_of(need) for need in needs if "bench" not in need} - {"recbole"}
    assert used == pinned


def test_what_recbole_imports_is_listed(metadata):
    from recbole_imn.own_models import RECBOLE

    # Imported inside functions and modules that nobody needs who has not asked for them.
    extra = {
        "community", "dgl", "faiss", "hyperopt", "kmeans_pytorch", "lightgbm", "networkx", "ray",
        "torch_geometric", "torch_scatter", "wandb", "xgboost", "recbole",
    }  # fmt: skip
    packages = {"sklearn": "scikit-learn", "yaml": "pyyaml"}
    pattern = re.compile(r"^\s*(?:import|from) (\w+)[\w.]*(?: import| as|$|,)", re.MULTILINE)
    imported = set()
    for file in RECBOLE.rglob("*.py"):
        imported |= set(pattern.findall(file.read_text(encoding="utf-8")))
    imported -= extra | set(sys.stdlib_module_names)
    needed = {name_of(need) for need in metadata.get_all("Requires-Dist")}
    assert {packages.get(name, name) for name in imported} <= needed


def test_the_console_script_is_the_same_as_the_module(installed):
    (file,) = installed.glob("recbole_imn-*.dist-info/entry_points.txt")
    assert "recbole-imn = recbole_imn.__main__:main" in file.read_text()


# Commands in one process, which imports the package once.
DRIVER = """
import contextlib, io, json, sys
import recbole_imn.__main__
answers = {"where": recbole_imn.__file__}
for name, arguments in json.loads(sys.argv[1]).items():
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            status = recbole_imn.__main__.main(arguments)
        except SystemExit as end:
            status = end.code
    answers[name] = [status, out.getvalue(), errors.getvalue()]
print(json.dumps(answers))
"""
SMALL = ["--epochs=1", "--embedding_size=8", "--show_progress=False", "--use_gpu=False"]
DONE = {
    "help": ["--help"],
    "run help": ["run", "--help"],
    "mistake": ["run", "--model=IMNNet", "--dataset=tiny", "--epoch=1"],
    "simulate": ["simulate", "czb-mini", "--scale=0.1", "--save-as=tiny"],
    "run": ["run", "--model=IMNNetPlus", "--dataset=tiny", *SMALL],
    "describe": ["describe", "tiny"],
    "doctor": ["doctor"],
}


@pytest.fixture(scope="module")
def outside(installed, tmp_path_factory):
    """Run commands of the unpacked wheel, outside the repository."""
    folder = tmp_path_factory.mktemp("outside")
    done = python("-c", DRIVER, json.dumps(DONE), folder=folder, path=installed)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert answers.pop("where").startswith(str(installed))
    return answers


@pytest.mark.parametrize("name", [name for name in DONE if name != "mistake"])
def test_commands_work(outside, name):
    status, _, errors = outside[name]
    assert status == 0, errors


def test_help_lists_all_commands_and_packaged_data_sets(outside):
    _, text, _ = outside["help"]
    for command in COMMANDS:
        assert re.search(rf"^    {command}\b", text, re.MULTILINE), command
    _, text, _ = outside["run help"]
    line = next(line for line in text.splitlines() if line.startswith("data sets"))
    packaged = {file.stem for file in ROOT.glob("dataset_configs/*.yaml")}
    assert set(line.removeprefix("data sets").replace(" ", "").split(",")) == packaged


def test_it_trains_with_settings_that_are_in_the_wheel_only(outside):
    _, text, _ = outside["run"]
    assert "IMNNetPlus on tiny" in text
    assert "SIMULATED" in text


def test_a_mistake_is_one_line(outside):
    status, _, errors = outside["mistake"]
    assert (status, errors) == (2, "error: unknown key --epoch; did you mean --epochs?\n")


def test_the_module_is_a_command(installed, tmp_path):
    done = python("-m", "recbole_imn", "--help", folder=tmp_path, path=installed)
    assert done.stdout.startswith("usage: recbole-imn")
