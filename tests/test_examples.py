"""The examples train and rank, each as its reader would run it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recbole_imn.data.market import MarketConfig, simulate, write_market

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with a market that is smaller than the examples'."""
    folder = tmp_path_factory.mktemp("examples")
    market = simulate(MarketConfig.named("czb-mini").scaled(0.15))
    write_market(market, folder / "atomic_files" / "czb-mini", "czb-mini")
    return folder


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_prints_its_test_result(folder, example):
    done = subprocess.run(
        [sys.executable, str(example), "--embedding_size=8", "--show_progress=False"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "ndcg@10" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
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
