"""The experiment on the resource branch: its statistics, and a tiny run."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "resource_effect.py"
TINY = ["--scale=0.01", "--markets=1", "--epochs=1", "--strengths", "1", "--out=found/effect"]


@pytest.fixture(scope="module")
def effect():
    """Give the script as a module."""
    spec = importlib.util.spec_from_file_location("resource_effect", FILE)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_intervals_over_rows_cover_the_mean(effect):
    values = np.random.default_rng(0).normal(0.5, 1.0, 400)
    figure = effect.over_rows(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert figure.mean == pytest.approx(values.mean())
    assert (figure.low, figure.high) == pytest.approx(
        (figure.mean - half, figure.mean + half), abs=0.02
    )


def test_intervals_over_markets_are_of_student(effect):
    figure = effect.over_markets(np.array([1.0, 2.0, 3.0]))
    half = 4.302653 / np.sqrt(3)  # t of 97.5% with two degrees of freedom
    assert (figure.mean, figure.low, figure.high) == pytest.approx((2, 2 - half, 2 + half))
    assert str(effect.over_markets(np.array([0.5]))) == "+0.5000"


def run(effect, monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["resource_effect.py", *TINY, *options])
    return effect.main()


def test_a_tiny_experiment_runs_resumes_and_says_simulated(effect, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(effect, monkeypatch) == 0
    files = sorted((tmp_path / "found" / "effect").glob("*.json"))
    assert [file.stem.split("-")[-1] for file in files] == ["none", "simplified"]
    records = [json.loads(file.read_text()) for file in files]
    assert records[0]["events"] == records[1]["events"]
    assert records[0]["ranks"] != records[1]["ranks"]
    assert records[0]["provenance"]["configuration"]["resource_branch"] == "none"
    assert 0 < sum(records[0]["recent_purchase"]) < len(records[0]["ranks"])
    table = (tmp_path / "found" / "effect.md").read_text()
    assert "SIMULATED" in table.splitlines()[0]
    assert table.count("| all rows |") == table.count("| within 7 days after a purchase |") == 2

    def never(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(effect, "train", never)
    assert run(effect, monkeypatch) == 0
    assert (tmp_path / "found" / "effect.md").read_text() == table
    capsys.readouterr()
    # The later option wins.
    assert run(effect, monkeypatch, "--epochs=2") == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: found/effect/")
    assert "choose another --out" in error


def test_runs_on_other_rows_are_not_compared(effect):
    market = effect.Market(0.01, 1.0, 1)
    runs = [effect.Run(market, "IMNNet", branch, 1, "") for branch in effect.BRANCHES]
    record = {
        "provenance": {"fingerprint": "a"}, "events": [1], "ranks": [1.0],
        "recent_purchase": [True],
    }  # fmt: skip
    with pytest.raises(ValueError, match="ranked other rows"):
        effect.pairs(runs, [record, {**record, "events": [2]}])
