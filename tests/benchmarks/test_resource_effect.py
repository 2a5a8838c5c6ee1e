"""The experiment on the resource branch: its statistics, and a tiny run."""

import json
import sys

import numpy as np
import pytest

from benchmarks import resource_effect

TINY = ["--scale=0.01", "--markets=1", "--epochs=1", "--strengths", "1", "--out=found/effect"]


def test_intervals_over_rows_cover_the_mean():
    values = np.random.default_rng(0).normal(0.5, 1.0, 400)
    figure = resource_effect.over_rows(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert figure.mean == pytest.approx(values.mean())
    assert (figure.low, figure.high) == pytest.approx(
        (figure.mean - half, figure.mean + half), abs=0.02
    )


def test_intervals_over_markets_are_of_student():
    figure = resource_effect.mean_interval(np.array([1.0, 2.0, 3.0]))
    half = 4.302653 / np.sqrt(3)  # t of 97.5% with two degrees of freedom
    assert (figure.mean, figure.low, figure.high) == pytest.approx((2, 2 - half, 2 + half))
    assert str(resource_effect.mean_interval(np.array([0.5]))) == "+0.5000"


def run(monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["resource_effect.py", *TINY, *options])
    return resource_effect.main()


def test_a_tiny_experiment_runs_resumes_and_says_simulated(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch) == 0
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

    monkeypatch.setattr(resource_effect, "train", never)
    assert run(monkeypatch) == 0
    assert (tmp_path / "found" / "effect.md").read_text() == table
    capsys.readouterr()
    # The later option wins.
    assert run(monkeypatch, "--epochs=2") == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: found/effect/")
    assert "choose another --out" in error


def test_runs_on_other_rows_are_not_compared():
    market = resource_effect.Market(0.01, 1.0, 1)
    runs = [
        resource_effect.Run(market, "IMNNet", branch, 1, "") for branch in resource_effect.BRANCHES
    ]
    record = {
        "provenance": {"fingerprint": "a"}, "events": [1], "ranks": [1.0],
        "recent_purchase": [True],
    }  # fmt: skip
    with pytest.raises(ValueError, match="ranked other rows"):
        resource_effect.pairs(runs, [record, {**record, "events": [2]}])
