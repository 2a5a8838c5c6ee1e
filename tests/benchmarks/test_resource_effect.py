"""The dose-response experiment: its statistics, its plot, and a tiny run."""

import json
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import resource_effect, resource_effect_report, resource_runs
from benchmarks.dose_plot import dose_plot
from benchmarks.resource_effect_report import SLICES, paired
from benchmarks.resource_markets import Market
from benchmarks.resource_statistics import Differences, figure, mean_over_markets, slope
from recbole_imn.evaluation.significance import Figure

TINY = ["--scale=0.01", "--markets=1", "--epochs=1", "--strengths", "4", "--out=found/effect"]


def some_markets(n, shift=0.0, spread=0.0, n_users=100, seed=0):
    rng = np.random.default_rng(seed)
    return [
        Differences(rng.normal(shift + spread * rng.normal(), 1.0, 400), np.arange(400) % n_users)
        for _ in range(n)
    ]


def test_intervals_cover_what_rows_of_independent_users_say():
    markets = some_markets(30, shift=0.5, n_users=400)
    found, values = figure(markets), np.concatenate([market.values for market in markets])
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    # Markets are drawn as well, which are alike here: at most by a root of two wider.
    assert half < found.high - found.mean < 1.6 * half
    assert half < found.mean - found.low < 1.6 * half


def test_intervals_are_wide_where_markets_differ():
    markets = some_markets(8, spread=1.0)
    means = [market.values.mean() for market in markets]
    found = figure(markets)
    assert found.high - found.low > 2 * np.std(means) / np.sqrt(8) * 1.7


def test_rows_of_a_user_are_drawn_together():
    values = np.repeat(np.random.default_rng(1).normal(0, 1, 20), 20)
    alone = figure([Differences(values, np.arange(400))] * 2)
    together = figure([Differences(values, np.repeat(np.arange(20), 20))] * 2)
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_a_single_market_and_empty_ones_have_no_interval():
    one, none = some_markets(1)[0], Differences(np.zeros(0), np.zeros(0, np.int64))
    assert np.isnan(figure([one, none]).low)
    assert mean_over_markets([one, none]) == one.values.mean()
    assert np.isnan(mean_over_markets([none]))


def test_the_slope_is_found():
    doses = {dose: some_markets(8, 0.3 * dose, seed=int(4 * dose)) for dose in (0.0, 1.0, 4.0)}
    found = slope(doses)
    assert found.low < 0.3 < found.high
    assert 0.25 < found.mean < 0.35
    flat = slope({dose: some_markets(8, seed=int(dose)) for dose in (0.0, 1.0, 4.0)})
    assert flat.low < 0 < flat.high
    assert np.isnan(slope({0.0: some_markets(2)}).mean)


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
    assert paired(market, better, record, "all rows").values.tolist() == [0, 1]
    _, recent, new = SLICES
    for rows, kept in {recent: ([0], [5]), new: ([], [])}.items():
        week = paired(market, better, record, rows)
        assert (week.values.tolist(), week.users.tolist()) == kept
    for change in ({"events": [1, 3]}, {"provenance": {"fingerprint": "b"}}):
        with pytest.raises(ValueError, match="ranked other rows"):
            paired(market, record, {**record, **change}, "all rows")
