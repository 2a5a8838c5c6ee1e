"""The experiment on what resources could tell: a tiny market of known truth."""

import sys

import numpy as np

from benchmarks import resource_ceiling
from recbole_imn.data.market import MarketConfig


def market(strength):
    return MarketConfig.named("czb", 1, strength).scaled(0.01)


def test_without_resources_in_the_market_there_is_nothing_to_know():
    found = resource_ceiling.measure(market(0.0))
    one, other = found["expert of tastes"], found["expert of tastes, money and stock"]
    np.testing.assert_array_equal(one, other)
    assert 0 < found["learned"].mean() < one.mean() < 1


def test_stock_of_the_log_follows_true_stock():
    simulated, choices = resource_ceiling.watch(market(1.0))
    logged = resource_ceiling.logged_fullness(simulated, choices)
    assert logged.shape == choices.fullness.shape
    assert ((logged >= 0) & (logged < 1)).all()
    bought = choices.fullness.max(axis=1) > 0
    together = np.corrcoef(logged[bought].ravel(), choices.fullness[bought].ravel())[0, 1]
    # Only the mean pace of sales is known, and private users keep their cars longer.
    assert together > 0.3


def test_the_table_has_a_row_a_learner_and_strength(tmp_path, monkeypatch, capsys):
    out = tmp_path / "results" / "ceiling.md"
    options = ["--scale=0.01", "--markets=1", "--strengths", "1", f"--out={out}"]
    monkeypatch.setattr(sys, "argv", ["resource_ceiling.py", *options])
    assert resource_ceiling.main() == 0
    text = out.read_text(encoding="utf-8")
    assert "SIMULATED" in text
    assert sum(line.startswith(("| expert", "| learner")) for line in text.splitlines()) == 6
    assert text.strip() in capsys.readouterr().out
