"""The dose-response experiment: its plot, and a tiny run."""

import json
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import resource_effect, resource_effect_report, resource_runs
from benchmarks.dose_plot import dose_plot
from benchmarks.resource_effect_report import SLICES, gain
from benchmarks.resource_markets import Market
from recbole_imn.evaluation.significance import Figure

TINY = ["--scale=0.01", "--markets=1", "--epochs=1", "--strengths", "4", "--out=found/effect"]


def test_the_plot_is_a_picture_with_every_point():
    nan = float("nan")
    curves = {"A & B": [Figure(0.1, 0.0, 0.2), Figure(0.3, nan, nan)], "C": [Figure(-1, -2, 0)] * 2}
    tree = ElementTree.fromstring(dose_plot("title", [0, 4], curves, "unit"))
    space = "{http://www.w3.org/2000/svg}"
    assert len(tree.findall(f"{space}circle")) == 4
    texts = [text.text for text in tree.findall(f"{space}text")]
    assert {"title", "unit", "A & B", "C", "0", "4"} <= set(texts)
    heights = [float(circle.get("cy")) for circle in tree.findall(f"{space}circle")]
    assert heights[1] < heights[0] < heights[2] == heights[3]


def run(monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["resource_effect.py", *TINY, *options])
    return resource_effect.main()


def test_a_tiny_experiment_runs_resumes_and_says_simulated(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # Each way of knowing purchases once.
    plus = resource_runs.SYSTEMS["IMNNetPlus"]
    kept = {"without": plus["without"], "holdings": plus["holdings"]}
    for module in (resource_runs, resource_effect_report):
        monkeypatch.setattr(module, "SYSTEMS", {"IMNNetPlus": kept})
    assert run(monkeypatch, "--report") == 2
    assert "no market is finished" in capsys.readouterr().err
    assert run(monkeypatch) == 0
    files = sorted((tmp_path / "found" / "effect").glob("*/*.json"))
    assert [file.stem for file in files] == ["IMNNetPlus-holdings", "IMNNetPlus-without"]
    records = [json.loads(file.read_text()) for file in files]
    assert records[0]["events"] == records[1]["events"]
    assert records[0]["ranks"] != records[1]["ranks"]
    assert records[0]["provenance"]["configuration"]["terms"] == ["freshness", "taste", "holdings"]
    assert 0 < sum(records[0]["recent_purchase"]) < len(records[0]["ranks"])
    page = (tmp_path / "found" / "effect.md").read_text()
    assert "SIMULATED" in page.splitlines()[0]
    assert 0 < sum(records[0]["new_item"]) < len(records[0]["ranks"])
    assert page.count("| IMNNetPlus, holdings |") == 3
    for name in ("effect_all.svg", "effect_week.svg", "effect_week_new.svg"):
        assert name in page
        ElementTree.fromstring((tmp_path / "found" / name).read_text())

    def never(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(resource_runs, "train", never)
    assert run(monkeypatch) == 0
    assert (tmp_path / "found" / "effect.md").read_text() == page
    capsys.readouterr()
    # The later option wins.
    assert run(monkeypatch, "--epochs=2") == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: found/effect/")
    assert "choose another --out" in error


def test_runs_on_other_rows_are_not_compared():
    market = Market(0.01, 1.0, 1)
    record = {
        "provenance": {"fingerprint": "a"}, "events": [1, 2], "users": [5, 6],
        "ranks": [1.0, 30.0], "recent_purchase": [True, False], "new_item": [False, True],
    }  # fmt: skip
    better = {**record, "ranks": [1.0, 1.0]}
    assert gain(market, better, record, "all rows") == 0.5
    _, recent, new = SLICES
    assert gain(market, better, record, recent) == 0
    # No row is of both kinds.
    assert np.isnan(gain(market, better, record, new))
    for change in ({"events": [1, 3]}, {"provenance": {"fingerprint": "b"}}):
        with pytest.raises(ValueError, match="ranked other rows"):
            gain(market, record, {**record, **change}, "all rows")
