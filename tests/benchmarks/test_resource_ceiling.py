"""The experiment on what resources could tell: a tiny market of known truth."""

import sys

import numpy as np

from benchmarks import resource_ceiling
from benchmarks.resource_choices import LATEST, logged_fullness, logged_purchases, measure, watch
from benchmarks.resource_markets import Market
from recbole_imn import provenance


def market(strength):
    return Market(0.01, strength, 1)


def test_without_resources_in_the_market_there_is_nothing_to_know():
    gains = measure(market(0.0).config).gains
    one, other = gains["expert"], gains["expert, all"]
    np.testing.assert_array_equal(one, other)
    assert 0 < gains["learner"].mean() < one.mean() < 1


def test_stock_of_the_log_follows_true_stock():
    simulated, choices = watch(market(1.0).config)
    past = logged_purchases(simulated, choices)
    logged = logged_fullness(simulated, choices, past)
    assert logged.shape == choices.fullness.shape
    assert ((logged >= 0) & (logged < 1)).all()
    bought = choices.fullness.max(axis=1) > 0
    together = np.corrcoef(logged[bought].ravel(), choices.fullness[bought].ravel())[0, 1]
    # Only the mean pace of sales is known, and private users keep their cars longer.
    assert together > 0.3


def test_purchases_are_those_before_a_choice():
    simulated, choices = watch(market(1.0).config)
    past = logged_purchases(simulated, choices)
    log = simulated.log().events
    trades = log[log["action"] == "trade"]
    for choice in np.linspace(0, len(choices.user) - 1, 20).astype(int):
        mine = trades[(trades["user"] == choices.user[choice])]
        mine = mine[mine["time"] < choices.time[choice]].tail(LATEST)
        there = past.cars[choice] >= 0
        np.testing.assert_array_equal(past.cars[choice][there], mine["car"].to_numpy()[::-1])
    assert (past.days >= 0).all()
    assert past.in_the_week_before.any()


def run(monkeypatch, out, *options):
    given = ["--scale=0.01", "--markets=1", "--strengths", "1", f"--out={out}", *options]
    monkeypatch.setattr(sys, "argv", ["resource_ceiling.py", *given])
    return resource_ceiling.main()


def test_the_table_has_a_row_a_learner_and_strength_and_goes_on(tmp_path, monkeypatch, capsys):
    out = tmp_path / "results" / "ceiling"
    assert run(monkeypatch, out) == 0
    text = out.with_name("ceiling.md").read_text(encoding="utf-8")
    assert "SIMULATED" in text
    assert sum(line.startswith(("| expert", "| learner")) for line in text.splitlines()) == 12
    assert text.strip() in capsys.readouterr().out

    def never(*_):
        raise AssertionError("measured again")

    monkeypatch.setattr(resource_ceiling, "measure", never)
    # Written by another commit, the page still names that of the runs.
    monkeypatch.setattr(provenance, "commit", lambda *_: "later")
    assert run(monkeypatch, out) == 0
    assert out.with_name("ceiling.md").read_text(encoding="utf-8") == text
    kept = resource_ceiling.kept([market(1.0), market(4.0)], out)
    assert set(kept) == {"all rows", "of users with stock", "within 7 days after a purchase"}
    assert list(kept["all rows"]["learner, given all"]) == [market(1.0)]
    file = out / f"{market(1.0).name}.json"
    file.write_text(file.read_text().replace('"seed": 1', '"seed": 2'))
    capsys.readouterr()
    assert run(monkeypatch, out) == 2
    assert "choose another --out" in capsys.readouterr().err
