"""A benchmark by the protocol of the Temporal Graph Benchmark, on a toy log."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recbole_imn.__main__ import main
from recbole_imn.evaluation import leaderboards
from recbole_imn.evaluation.benchmark import conduct
from recbole_imn.provenance import fingerprint
from tests.conftest import random_rows, write_log
from tests.runs import failing, in_this_process

MODELS = ("Popularity", "RecentHistory", "IMNNet")
ARGUMENTS = [
    "benchmark",
    "--dataset=toy",
    f"--models={','.join(MODELS)}",
    "--seeds=2",
    "--epochs=1",
    "--data_path=.",
    "--out=results/toy",
    "--protocol=tgb",
    "--config_files=small.yaml",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a finished benchmark, its runs made in this process to save time."""
    folder = tmp_path_factory.mktemp("benchmark")
    write_log(folder, "toy", random_rows(n_users=40))
    (folder / "small.yaml").write_text("use_gpu: False\nembedding_size: 8\ntrain_batch_size: 64\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["test"])
        patch.setattr(conduct, "Process", in_this_process)
        assert main(ARGUMENTS) == 0
    return folder


@pytest.fixture
def again(folder, monkeypatch):
    """Go to the finished benchmark, where nothing may run any more."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(conduct, "Process", lambda run, *_: pytest.fail(f"{run.name} ran"))


def results(folder, model="Popularity", seed=1):
    return json.loads((folder / "results" / "toy" / "runs" / f"{model}-{seed}.json").read_text())


def test_results_say_what_they_were_compared_by(folder):
    for model in MODELS:
        found = results(folder, model)
        assert found["protocol"] == found["config"]["protocol"] == "tgb"
        assert found["config"]["valid_metric"] == "FullMRR"
        parts = [found["log"][name] for name in ("training", "validation", "test")]
        assert sum(parts) == found["log"]["events"] == 300
        assert found["protocols"]["all"]["rows"] == found["log"]["test"]


def test_the_figure_is_a_loop_over_all_test_events(folder):
    """Popularity by hand: counted in the training part, ties of counts in order of appearance."""
    rows = random_rows(n_users=40)
    times = np.array([row[2] for row in rows], float)
    low, high = np.quantile(times, [1 - 0.15 - 0.15, 1 - 0.15])
    known = [row[1] for row, time in zip(rows, times, strict=True) if time <= low]
    every = list(dict.fromkeys([*known, *(row[1] for row in rows)]))
    order = sorted(every, key=lambda item: -known.count(item))
    tested = [row[1] for row, time in zip(rows, times, strict=True) if time > high]
    expected = np.mean([1 / (1 + order.index(item)) for item in tested])
    found = results(folder)["protocols"]["all"]
    assert found["metrics"]["fullmrr"] == pytest.approx(expected, abs=1e-12)
    assert found["recbole"]["fullmrr"] == pytest.approx(expected, abs=1e-6)
    assert found["warning"] is None


def test_ranks_of_validation_rows_are_kept_beside_those_of_the_test(folder):
    for model in MODELS:
        found = results(folder, model)
        file = folder / "results" / "toy" / "runs" / f"{model}-1.parquet"
        table = pd.read_parquet(file)
        chosen = table[table["part"] == "validation"]
        assert len(chosen) == found["log"]["validation"]
        assert (table["part"] == "test").sum() == found["log"]["test"]
        assert (1 / chosen["rank"]).mean() == pytest.approx(found["validation"]["fullmrr"])


def test_the_report_leads_with_the_metric_on_both_parts(folder):
    page = (folder / "results" / "toy.md").read_text()
    html = (folder / "results" / "toy.html").read_text()
    title = "MRR over all 20 items: protocol tgb"
    for written in (page, html):
        assert title in written
        assert "What others have published" not in written
        assert "TPNet" not in written
    assert "| model | test MRR | 95% interval | validation MRR | 95% interval |" in page
    (line,) = [line for line in page.split("## ")[1].splitlines() if line.startswith("| Pop |")]
    mean = results(folder)["protocols"]["all"]["metrics"]["fullmrr"]
    assert f"| {mean:.4f} ± 0.0000 |" in line
    assert "## MRR by kind of row" in page


def test_published_figures_stand_beside_on_their_log_whatever_its_name(folder, again, monkeypatch):
    facts = results(folder)["log"]
    size = {name: facts[name] for name in ("events", "users", "items")}
    here = replace(leaderboards.TGBL_WIKI, **size)
    monkeypatch.setattr(leaderboards, "LEADERBOARDS", (here,))
    assert main(ARGUMENTS) == 0
    page = (folder / "results" / "toy.md").read_text()
    assert "| TPNet | 0.827 | 0.842 |" in page
    assert here.source in page
    assert "were seen while parts of IMNNetPlus were chosen, cut 80/10/10" in page
    assert f"{facts['after_same_time']:,} of the {facts['test']:,} test rows" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--candidates=both"], "protocol tgb sets candidates to 'all', but it is given as 'both'"),
        (["--models=SASRec"], "SASRec cannot score a user without a history"),
        (["--config_files=cut.yaml"], "protocol tgb sets eval_args to"),
        (["--config_files=named.yaml"], "named.yaml sets protocol to 'tgb'; use --protocol"),
    ],
)
def test_contradictions_are_one_line_before_anything_runs(
    folder, again, capsys, arguments, message
):
    (folder / "cut.yaml").write_text("eval_args: {split: {RS: [0.8, 0.1, 0.1]}}\n")
    (folder / "named.yaml").write_text("protocol: tgb\n")
    assert main([*ARGUMENTS, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_all_models_are_those_that_can_be_asked(folder, monkeypatch):
    monkeypatch.chdir(folder)
    planned = []
    fail = failing("no")
    monkeypatch.setattr(
        conduct, "Process", lambda run, *others: planned.append(run.model) or fail(run, *others)
    )
    everybody = [word for word in ARGUMENTS if not word.startswith("--models")]
    assert main([*everybody, "--out=results/all", "--seeds=1"]) == 1
    assert set(MODELS) < set(planned)
    assert "SASRec" not in planned


def test_settings_chosen_on_rows_of_its_test_part_fail(folder, monkeypatch, capsys):
    """The standard cut has later test rows than this protocol."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(conduct, "Process", in_this_process)
    data = fingerprint(Path("toy"), "toy")
    file = Path("mine") / "toy" / "SessionKNN.yaml"
    file.parent.mkdir(parents=True)
    arguments = [*ARGUMENTS[:2], "--models=SessionKNN", "--seeds=1", *ARGUMENTS[5:]]
    arguments = [*arguments, "--out=results/seen", "--tuned=mine"]
    for ends, status in ((1e9, 2), (10.0, 0)):
        told = {"minutes": 1, "trials": 3, "data": data, "validation_ends": ends}
        file.write_text(f"neighbours: 7\ntuning: {told}\n")
        assert main([one for one in arguments if one != "--out=results/toy"]) == status
    assert "rows come before 1000000000, where the validation" in capsys.readouterr().err
