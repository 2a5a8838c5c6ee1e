"""The whole command on a toy log: report, failures, and going on after an interruption."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from recbole_imn.__main__ import main
from recbole_imn.evaluation.benchmark import conduct
from recbole_imn.provenance import fingerprint
from tests.conftest import random_rows, write_log
from tests.pages.checks import needs_browser, open_browser
from tests.runs import failing, in_this_process

SMALL = """
use_gpu: False
embedding_size: 8
hidden_size: 8
inner_size: 8
train_batch_size: 64
"""
ARGUMENTS = [
    "benchmark",
    "--dataset=toy",
    "--models=Popularity,LastItem,IMNNet,LastItem,IMNNet fusion=concat n_negatives=3",
    "--seeds=2",
    "--epochs=1",
    "--data_path=.",
    "--out=results/toy",
    "--candidates=both",
    "--config_files=small.yaml",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a finished benchmark, its runs made in this process to save time."""
    folder = tmp_path_factory.mktemp("benchmark")
    write_log(folder, "toy", random_rows())
    items = sorted({row[1] for row in random_rows()})
    lines = ["item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq"]
    lines += [f"{item}\t0\t{1 if item == items[0] else 'inf'}" for item in items]
    (folder / "toy" / "toy.item").write_text("\n".join(lines) + "\n")
    (folder / "small.yaml").write_text(SMALL)
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


def test_every_run_leaves_ranks_a_result_and_a_card(folder):
    runs = folder / "results" / "toy" / "runs"
    results = [json.loads(file.read_text()) for file in sorted(runs.glob("*.json"))]
    assert len(results) == 8
    for result in results:
        system = f"{result['model']} {result['variant']}".rstrip().replace(" ", "_")
        table = pd.read_parquet(runs / f"{system}-{result['seed']}.parquet")
        for protocol, found in result["protocols"].items():
            part = table[table["candidates"] == protocol]
            assert found["rows"] == len(part)
            assert found["metrics"]["recall@10"] == pytest.approx((part["rank"] <= 10).mean())
            # Fewer than 20 of the toy's 20 items are on the shelf: those off it are not found.
            assert (found["metrics"]["recall@20"] < 1) == (protocol == "on_shelf")
            assert found["recbole"]["recall@20"] == pytest.approx(found["metrics"]["recall@20"])
            assert found["warning"] is None
        assert (folder / result["checkpoint"]).with_suffix(".md").is_file()
        assert {"commit", "torch"} <= set(result["environment"])
        assert result["environment"]["device"] == "cpu, no GPU"
        assert (result["settings_from"], result["tuning"]) == ("defaults", {})
        assert result["peak_memory_mib"] > 50
        assert result["curve"][0]["epoch"] == 1


def test_a_system_with_switches_has_them_in_its_run(folder):
    runs = folder / "results" / "toy" / "runs"
    switched = json.loads((runs / "IMNNet_fusion=concat_n_negatives=3-1.json").read_text())
    assert (switched["config"]["fusion"], switched["config"]["n_negatives"]) == ("concat", 3)
    plain = json.loads((runs / "IMNNet-1.json").read_text())
    assert (plain["config"]["fusion"], plain["config"]["n_negatives"]) == ("sum", 127)
    assert switched["parameters"] > plain["parameters"]


def test_rows_whose_own_event_is_a_purchase_are_counted(folder):
    found = json.loads((folder / "results" / "toy" / "runs" / "LastItem-1.json").read_text())
    slices = {
        one["slice"]: one["rows"]
        for one in found["protocols"]["all"]["slices"]
        if one["grouping"] == "row's own event"
    }
    table = pd.read_parquet(folder / "results" / "toy" / "runs" / "LastItem-1.parquet")
    events = table.loc[table["candidates"] == "all", "event_index"]
    bought = sum(random_rows()[event][4] for event in events)
    assert slices == {"no purchase": len(events) - bought, "a purchase": bought}
    assert bought > 0


def test_the_pages_have_every_table_and_model(folder):
    page = (folder / "results" / "toy.md").read_text()
    for title in (
        "Results: the whole catalogue ranked",
        "Results: only the items on the shelf ranked",
        "strongest baseline",
        "NDCG@10 by kind of row",
        "The paper's claims",
        "Time and memory",
        "Where this comes from",
    ):
        assert title in page
    switched = "| IMN-Net fusion=concat n_negatives=3 |"
    for model in ("| Pop |", "| LastItem |", "| IMN-Net |", switched):
        assert model in page
    assert " ± " in page
    html = (folder / "results" / "toy.html").read_text()
    for model in ("Pop", "LastItem", "IMN-Net", "IMN-Net fusion=concat n_negatives=3"):
        assert model in html
    assert not re.search(r"<script|<link|(src|href)=", html)


def test_a_finished_benchmark_runs_nothing_again_and_reports_the_same(folder, again):
    before = (folder / "results" / "toy.md").read_text()
    assert main(ARGUMENTS) == 0
    assert (folder / "results" / "toy.md").read_text() == before


def test_models_without_tuned_settings_are_named(folder, again, capsys):
    assert main(ARGUMENTS) == 0
    told = "defaults, for want of a file in tuned: Popularity, LastItem, IMNNet"
    assert told in capsys.readouterr().err
    assert main([*ARGUMENTS, "--tuned=none"]) == 0
    assert "for want of a file" not in capsys.readouterr().err


def test_it_is_said_what_metrics_of_a_file_are_for(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(conduct, "Process", in_this_process)
    Path("cuts.yaml").write_text("topk: [5, 20]\nvalid_metric: NDCG@5\nmetrics: [NDCG]\n")
    options = ["--models=LastItem", "--seeds=1", "--config_files=cuts.yaml", "--out=results/cuts"]
    assert main([*ARGUMENTS[:2], "--data_path=.", *options]) == 0
    assert "metrics and topk: for early stopping alone; tables of a" in capsys.readouterr().err
    assert "| model | Recall@10 | NDCG@10 |" in Path("results/cuts.md").read_text()


def test_a_run_keeps_where_its_settings_are_from(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(conduct, "Process", in_this_process)
    file = Path("mine") / "toy" / "SessionKNN.yaml"
    file.parent.mkdir(parents=True)
    told = {"minutes": 20, "trials": 3, "data": fingerprint(Path("toy"), "toy")}
    file.write_text(f"neighbours: 7\ntuning: {told}\n")
    own = ["--models=SessionKNN", "--seeds=1", "--out=results/tuned", "--tuned=mine"]
    assert main(["benchmark", "--dataset=toy", "--data_path=.", *own]) == 0
    result = json.loads(Path("results/tuned/runs/SessionKNN-1.json").read_text())
    assert (result["settings_from"], result["tuning"]) == (str(file), told)
    assert result["config"]["neighbours"] == 7
    file.write_text("neighbours: 7\ntuning: {data: 'sha256:0123'}\n")
    capsys.readouterr()
    assert main(["benchmark", "--dataset=toy", "--data_path=.", *own]) == 2
    assert "was tuned on other data" in capsys.readouterr().err


def test_other_settings_or_data_run_again(folder, again):
    with pytest.raises(pytest.fail.Exception, match="Popularity-1 ran"):
        main([*ARGUMENTS, "--candidates=all"])


def test_a_failed_run_loses_nobody_else(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(conduct, "Process", failing("RuntimeError: too | bad"))
    models = ARGUMENTS[2].replace(",IMNNet,", ",IMNNet,JODIE,")
    assert main([*ARGUMENTS[:2], models, *ARGUMENTS[3:]]) == 1
    assert "failed: JODIE-2: RuntimeError: too | bad" in capsys.readouterr().err
    page = (folder / "results" / "toy.md").read_text()
    assert "**FAILED: JODIE-1: RuntimeError: too | bad**" in page
    assert "| IMN-Net |" in page


def test_an_interruption_ends_what_runs_and_says_how_to_go_on(folder, monkeypatch, capsys):
    killed = []

    def interrupted(seconds):
        raise KeyboardInterrupt

    def endless(run, folder, at_a_time):
        return SimpleNamespace(run=run, reason=lambda: None, kill=lambda: killed.append(run.name))

    monkeypatch.chdir(folder)
    monkeypatch.setattr(conduct, "Process", endless)
    monkeypatch.setattr(conduct, "sleep", interrupted)
    assert main([*ARGUMENTS, "--epochs=2", "--processes=2"]) == 130
    assert killed == ["IMNNet-1", "IMNNet_fusion=concat_n_negatives=3-1"]
    assert "the same command goes on from there" in capsys.readouterr().err


def test_claims_stand_for_their_systems():
    from recbole_imn.evaluation.benchmark.command import _systems

    systems = _systems("LastItem,claims,IMNNet fusion=gate")
    assert systems[0] == "LastItem"
    assert systems[-1] == "IMNNet fusion=gate"
    assert {"JODIE", "IMNNet", "IMNNet negatives=in_batch"} < set(systems)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--dataset=nowhere", "data set 'nowhere' not found"),
        ("--models=SASReck", "--models names SASReck"),
        ("--config_files=none.yaml", "--config_files names none.yaml"),
        ("--models=IMNNet seed=3", "the system 'IMNNet seed=3' sets seed to 3; use --seeds"),
        ("--models=IMNNet fusionn=sum", "the system 'IMNNet fusionn=sum' has the unknown key"),
        ("--config_files=seed.yaml", "seed.yaml sets seed to 3; use --seeds instead"),
        ("--config_files=other.yaml", "other.yaml was tuned on other data (elsewhere, not sha"),
        ("--config_files=word.yaml", "word.yaml: eval_args is 'full'; it must be settings"),
        ("--config_files=mode.yaml", "mode.yaml: eval_args: mode"),
        ("--config_files=date.yaml", "date.yaml: val_interval is 2024-01-01 (date), neither a"),
    ],
)
def test_mistakes_are_one_line(folder, again, capsys, argument, message):
    (folder / "seed.yaml").write_text("seed: 3\n")
    (folder / "other.yaml").write_text("topk: [5]\ntuning: {data: elsewhere}\n")
    (folder / "word.yaml").write_text("eval_args: full\n")
    (folder / "mode.yaml").write_text("eval_args: {mode: [full]}\n")
    (folder / "date.yaml").write_text("val_interval: {timestamp: 2024-01-01}\n")
    assert main([*ARGUMENTS, argument]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_a_run_in_a_process_of_its_own(folder, monkeypatch):
    monkeypatch.chdir(folder)
    models = ["--models=LastItem", "--seeds=1", "--out=results/own", "--candidates=on_shelf"]
    assert main([*ARGUMENTS, *models]) == 0
    result = json.loads((folder / "results" / "own" / "runs" / "LastItem-1.json").read_text())
    found = result["protocols"]["on_shelf"]
    table = pd.read_parquet(folder / "results" / "own" / "runs" / "LastItem-1.parquet")
    gone = sorted({row[1] for row in random_rows()})[0]
    assert found["true_item_not_a_candidate"] == (table["item"] == gone).sum() > 0


@needs_browser
def test_a_browser_shows_plots_without_errors_and_the_page_fits(folder):
    with open_browser() as look:
        for width in (400, 1280):
            problems, plots = look(folder / "results" / "toy.html", width)
            assert problems == []
            # Models were trained for one epoch, which is no curve.
            assert set(plots) == {"bars", "forest", "dots"}


def test_a_share_of_the_users_of_a_log_like_tmall_stands_beside_the_papers_figures(
    tmp_path, monkeypatch, capsys
):
    # Generated: the format of the IJCAI-16 log, days for times, and nobody's taste.
    drawn = random_rows(n_events=600, n_users=40, n_items=60)
    rows = [(user[1:], item[1:], 86_400 * (t // 5_000), *rest) for user, item, t, *rest in drawn]
    write_log(tmp_path, "tmall", rows)
    (tmp_path / "small.yaml").write_text(SMALL + "item_features: []\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["test"])
    monkeypatch.setattr(conduct, "Process", in_this_process)
    options = ["--models=LastItem,IMNNet", "--seeds=1", "--epochs=1", "--config_files=small.yaml"]
    command = ["benchmark", "--dataset=tmall", "--data_path=.", "--users=60%", *options]
    assert main(command) == 0
    page = Path("results/tmall-0.6.md").read_text()
    assert "0.4296" in page  # of the paper's IMN-Net
    (file,) = Path("results/tmall-0.6").glob("**/IMNNet*.json")
    run = json.loads(file.read_text())
    assert run["settings"]["user_share"] == 0.6
    with pytest.raises(SystemExit):
        main([*command, "--users=0%"])
    assert "'0%' is no share above 0" in capsys.readouterr().err
