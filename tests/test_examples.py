"""The examples train and rank, each as its reader would run it."""

import os
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
