"""The examples run: notebooks here, scripts with the page that names them (tests/docs)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recbole_imn.data.market import MarketConfig, simulate, write_market
from tests.docs.warm import warm_python

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with a market that is smaller than the examples'."""
    folder = tmp_path_factory.mktemp("examples")
    market = simulate(MarketConfig.named("czb-mini").scaled(0.15))
    write_market(market, folder / "atomic_files" / "czb-mini", "czb-mini")
    return folder


@pytest.fixture(scope="module")
def python(folder):
    with warm_python(folder / "warm") as python:
        yield python


def cells(notebook, kind):
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == kind]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_the_cells_of_a_notebook_run(folder, python, notebook):
    program = folder / f"{notebook.stem}.py"
    code = ["".join(cell["source"]) for cell in cells(notebook, "code")]
    program.write_text("\n\n".join(code), encoding="utf-8")
    done = subprocess.run(
        [python, program.name, "-f", "kernel.json"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_has_no_outputs_and_says_that_its_data_is_not_real(notebook):
    assert not any(cell["outputs"] for cell in cells(notebook, "code"))
    assert re.search("SIMULATED|INVENTED", "".join(cells(notebook, "markdown")[0]["source"]))


@pytest.mark.parametrize("example", SCRIPTS, ids=lambda example: example.stem)
def test_an_example_is_short(example):
    assert len(example.read_text(encoding="utf-8").splitlines()) < 40


def test_the_code_of_the_documentation_makes_parts(prepare, tmp_path, monkeypatch):
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 4
    assert all(len(block.splitlines()) <= 30 for block in blocks)
    (tmp_path / "my_parts.py").write_text("\n".join(blocks[:3]))
    monkeypatch.syspath_prepend(str(tmp_path))
    parts = {
        "sources": ["own_items", "my_parts.HotItems"],
        "terms": ["my_parts.AfterAPurchase"],
        "resource_branch": "my_parts.MoneyLeft",
    }
    _, _, (train, _, test), model = prepare("IMNNetPlus", **parts)
    loss = sum(model.calculate_loss(window) for window in train)
    loss.backward()
    learned = {name for name, weight in model.named_parameters() if weight.grad is not None}
    assert {"network.branch.spent.weight", "network.pointer.bias"} <= learned
    assert "network.products.my_parts_AfterAPurchase.wanted" in learned
    scores = model.full_sort_predict(test.dataset[[0, 1, 2]])
    assert scores[:, 1:].isfinite().all()
    sys.modules.pop("my_parts")
