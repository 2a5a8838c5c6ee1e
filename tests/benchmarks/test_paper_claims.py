"""The paper's claims on a toy log, with real runs of one epoch."""

import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import paper_claims


def arguments(toy, *names):
    options = ["--seeds=1", "--epochs=1", f"--out={toy / 'results' / 'paper_claims'}"]
    return ["paper_claims", f"toy={toy}", *options, "--variants", *names]


def test_a_claim_is_judged_and_the_same_command_goes_on(toy, monkeypatch, capsys):
    names = ("IMNNet", "IMNNet negatives=in_batch")
    monkeypatch.setattr(sys, "argv", arguments(toy, *names))
    assert paper_claims.main() == 0
    page = toy / "results" / "paper_claims_toy.md"
    text = page.read_text()
    start = "| negatives from the batch are poorer | IMNNet | IMNNet negatives=in_batch | "
    row = next(line for line in text.splitlines() if line.startswith(start))
    assert row.endswith((" | holds |", " | does not hold |", " | open |"))
    assert "| IMNNet negatives=in_batch | " in text
    # Nothing is said of what was not run.
    assert "N = 128" not in text
    runs = list((toy / "results").rglob("*.parquet"))
    written = [file.stat().st_mtime_ns for file in runs]
    monkeypatch.setattr(sys, "argv", arguments(toy, *names))
    assert paper_claims.main() == 0
    assert [file.stat().st_mtime_ns for file in runs] == written
    assert page.read_text() == text


@pytest.mark.parametrize("name", paper_claims.VARIANTS)
def test_each_variant_is_a_model_that_differs_by_its_switches_alone(name, prepare):
    model, switches = paper_claims.VARIANTS[name]
    config, plain = prepare(model, **switches)[0], prepare(model)[0]
    changed = {key for key, value in config.final_config_dict.items() if plain[key] != value}
    assert changed == set(switches)


def test_every_variant_is_in_a_claim_and_claims_name_no_others():
    named = {name for claim in paper_claims.CLAIMS for name in (claim.ahead, *claim.behind)}
    assert named == set(paper_claims.VARIANTS)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.2, "holds"), (-0.2, -0.1, "does not hold"), (-0.1, 0.1, "open"), (0, 0, "open")],
)
def test_a_claim_holds_where_the_whole_interval_does(low, high, verdict):
    assert paper_claims.judge(low, high) == verdict


@pytest.mark.parametrize(("rows", "verdict"), [(3, "holds"), (0, "not testable: no purchases")])
def test_the_branch_cannot_be_judged_without_purchases(rows, verdict):
    found = [
        {"grouping": "user's last purchase", "slice": "none", "rows": 5},
        {"grouping": "user's last purchase", "slice": "over 7 days", "rows": rows},
    ]
    about = {"protocols": {"all": {"slices": found}}}
    good, bad = (
        [(about, pd.DataFrame({"rank": np.array(ranks), "user": list("abc")}))]
        for ranks in ([1, 1, 1], [3, 3, 3])
    )
    results = {"IMNNet": good, "IMNNetStar": bad}
    claim = next(one for one in paper_claims.CLAIMS if one.text == "the branch helps")
    rows = paper_claims.claim_rows(claim, results, paper_claims.knows_purchases(results))
    assert rows == [
        f"| the branch helps | IMNNet | IMNNetStar | +0.5000 [+0.5000, +0.5000] | {verdict} |"
    ]
