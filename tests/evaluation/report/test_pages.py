"""What stands on the pages: the paper's figures, how settings were chosen, marks, slices."""

from dataclasses import replace

import pytest

from recbole_imn import registry
from recbole_imn.evaluation.report import write_report
from recbole_imn.evaluation.report.chosen import about_settings, chosen
from recbole_imn.evaluation.report.comparisons import against, comparison_section
from recbole_imn.evaluation.report.differing import differing_seeds, recorded
from recbole_imn.evaluation.report.gather import is_baseline, label
from recbole_imn.evaluation.report.paper import paper_sections
from tests.evaluation.report.conftest import N_ROWS, ranks

NOTICE = "czb is SIMULATED data (seed 1)"
BUDGET = {"seconds": 1200.0, "trials": 37, "pruned": 12, "validation": "ndcg@10", "commit": "c"}
TUNED = {"settings_from": "tuned/shop/IMNNet.yaml", "tuning": BUDGET}


def page(bench):
    markdown, _ = write_report(bench.runs, {}, bench.folder)
    return markdown.read_text()


def line(text, start):
    """The cells of the first row that begins so."""
    found = next(line for line in text.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def section(text, title):
    (found,) = [part for part in text.split("\n## ") if part.startswith(title)]
    return found


def test_a_simulated_market_stands_beside_the_papers_cars_under_a_warning(make_bench):
    text = page(make_bench("market7", NOTICE).add("IMNNet", 1, 2).add("FPMC", ranks(1)))
    tables = [part for part in text.split("\n## ") if part.startswith("The paper's ")]
    assert len(tables) == 4
    marked = [part for part in tables if "simulated, not comparable" in part.splitlines()[0]]
    assert len(marked) == 4
    figures = section(text, "The paper's figures beside ours, the first 10")
    cells = line(figures, "IMN-Net")
    assert cells[1:4] == ["0.0856", "0.4296", "1.0000 ± 0.0000"]
    assert cells[4:7] == ["0.0660", "0.5393", "0.8155 ± 0.2610"]
    assert line(figures, "JODIE")[1:4] == ["0.0659", "0.4014", "not run"]
    assert line(figures, r"IMN-Net\*")[1] == "0.0810"
    log = section(text, "The paper's log and this one")
    assert line(log, "actions a user")[1:] == ["378 (60.4 by division)", "20.0"]
    assert line(log, "purchases")[1:] == ["2.42%", "25.00% of the test rows"]


def test_tmall_is_known_by_its_name_and_not_said_to_be_simulated(make_bench):
    board = make_bench("tmall").add("SASRec", 1).board()
    results, _, log = paper_sections(board)
    assert results.title == "The paper's figures beside ours, the first 10"
    assert results.sentences[0].startswith("Comparable as far as")
    assert [row[0] for row in results.table.rows][-1] == "IMN-Net*"
    assert ("users", "1,160,135", "50") in log.table.rows


def test_beside_another_log_the_papers_figures_are_not_comparable(make_bench):
    text = page(make_bench().add("IMNNet", 1))
    figures = section(text, "The paper's figures beside ours, the first 20\n")
    assert "This is none of the paper's logs: the figures are not comparable" in figures
    assert line(figures, "SASRec")[1:4] == ["0.0640", "0.5256", "not run"]
    assert "The paper's log and this one" not in text
    assert "## The paper's claims\n" in text
    assert "does not hold" in text
    assert "not testable here" in text


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, "defaults"),
        ({"settings_from": "defaults", "tuning": {}}, "defaults"),
        (TUNED, "tuned: 37 trials in 20 minutes, 12 of them pruned"),
        (
            {**TUNED, "tuning": {"seconds": 90, "trials": 2, "pruned": 0}},
            "tuned: 2 trials in 1.5 minutes",
        ),
        (
            {**TUNED, "tuning": {"minutes": 20.0, "seconds_spent": 1187.3, "trials": 9}},
            "tuned: 9 trials in 20 minutes",
        ),
        (
            {**TUNED, "tuning": {"minutes": 10.0, "seconds_spent": 96.3, "trials": 200}},
            "tuned: 200 trials in 1.6 of 10 minutes",
        ),
        ({"tuned": "tuned/shop/IMNNet.yaml"}, "tuned: budget not recorded"),
    ],
)
def test_the_way_that_settings_were_chosen_is_that_of_the_record(make_bench, extra, expected):
    bench = make_bench().add("IMNNet", 1, 2, **extra).add("JODIE", 3)
    assert chosen(bench.board().results["IMNNet"]) == expected
    cells = line(section(page(bench), "Settings"), "IMN-Net")
    file = "-" if expected == "defaults" else "tuned/shop/IMNNet.yaml"
    assert cells[-2:] == [expected, file]


def test_the_results_say_whether_budgets_were_equal(make_bench):
    bench = make_bench().add("LastItem", 3).add("IMNNet", 1, **TUNED)
    alone = "with the same budget of 20 minutes each; defaults, with no tuning at all: LastItem."
    assert about_settings(bench.board()).endswith(alone)
    assert alone in section(page(bench), "Results")
    other = {**TUNED, "tuning": {**BUDGET, "seconds": 300}}
    unequal = about_settings(bench.add("JODIE", 2, **other).board())
    assert "with unequal budgets of 5 to 20 minutes; defaults" in unequal
    old = about_settings(bench.add("SASRec", 2, tuned="tuned/shop/SASRec.yaml").board())
    assert "with budgets that are not recorded for all" in old


def test_systems_with_fewer_seeds_are_named(make_bench):
    bench = make_bench().add("IMNNet", 1, 2, 3).add("FPMC", 1, 2)
    assert "There are 3 seeds, but of these systems fewer: FPMC 2." in page(bench)
    assert "systems fewer" not in page(make_bench("other").add("IMNNet", 1, 2).add("FPMC", 1, 2))


def test_without_any_tuning_the_results_say_so(make_bench):
    board = make_bench().add("IMNNet", 1).board()
    assert about_settings(board) == "Settings: all systems have their defaults; none was tuned."


def test_strong_baselines_are_marked_and_are_baselines(make_bench, monkeypatch):
    bench = make_bench().add("JODIE", 3).add("IMNNetPlus", 1).add("IMNNet", 2)
    assert "†" not in page(bench)
    monkeypatch.setattr(registry, "STRONG_BASELINES", ("IMNNet",))
    text = page(bench)
    assert line(text, "IMN-Net †")
    assert "† A strong baseline:" in section(text, "Results")
    # IMNNetPlus is derived from it here, and so is strong, too.
    assert label("IMNNet fusion=sum") == "IMN-Net fusion=sum †"
    assert label("JODIE") != "JODIE"
    assert is_baseline("IMNNet fusion=sum")


def test_the_strongest_baseline_may_be_a_strong_one(make_bench, monkeypatch):
    bench = make_bench().add("SASRec", 3).add("IMNNetPlus", 1).add("JODIE", 9)
    assert bench.board().best_baseline("all") == "SASRec"
    monkeypatch.setattr(registry, "STRONG_BASELINES", ("IMNNetPlus",))
    assert bench.board().best_baseline("all") == "IMNNetPlus"


def test_comparisons_are_of_the_metric_of_the_table_and_corrected_together(make_bench):
    bench = make_bench().add("SASRec", ranks(1, 40)).add("IMNNet", ranks(2, 15))
    board = bench.add("JODIE", ranks(1, 40)).board()
    found = comparison_section(board, "all", against(board, "all"))
    assert found.table.columns == (
        *("model", "NDCG@10 difference", "95% interval", "p", "p corrected"),
    )
    assert "flipping the signs of whole users" in found.sentences[0]
    rows = {row[0]: row for row in found.table.rows}
    assert set(rows) == {"JODIE", "IMN-Net"}
    assert rows["JODIE"][1:] == ("+0.0000", "+0.0000 to +0.0000", "1", "1")
    assert rows["IMN-Net"][3:] == ("0.0001", "0.0002")


def test_slices_have_rows_of_purchases_and_miss_what_older_results_lack(make_bench):
    bench = make_bench().add("IMNNet", 1).add("JODIE", 2)
    text = section(page(bench), "NDCG@10 by kind of row")
    bought = line(text, "row's own event: a purchase")
    assert bought[1:] == ["30", "1.0000", "0.6309"]
    old = make_bench("older", purchases=False).add("IMNNet", 1)
    old.purchases = True
    text = section(page(old.add("JODIE", 2)), "NDCG@10 by kind of row")
    assert line(text, "row's own event: a purchase")[1:] == ["30", "-", "0.6309"]
    assert line(text, "user's last purchase: none")[1:] == [f"{N_ROWS}", "1.0000", "0.6309"]


def test_times_of_runs_that_shared_the_machine_are_said_to_be(make_bench):
    shared = "Up to 2 runs shared the machine"
    bench = make_bench().add("IMNNet", 1)
    assert shared not in section(page(bench), "Time and memory")
    bench.add("FPMC", 1, runs_at_a_time=2)
    assert shared in section(page(bench), "Time and memory")


def test_what_files_gave_for_all_is_said_whoever_was_finished_before(make_bench):
    bench = make_bench().add("FPMC", 2)
    bench.common = {"stopping_step": 3, "hidden_size": 64}
    bench.runs = [replace(run, common=bench.common) for run in bench.runs]
    assert about_settings(bench.add("SASRec", 1).board()) == (
        "Settings: all systems have their defaults; none was tuned. "
        "All were given hidden_size: 64, stopping_step: 3."
    )


def test_a_file_of_tuned_settings_that_all_were_given_is_said_to_be_one(make_bench):
    bench = make_bench()
    bench.common, bench.common_tuning = {"neighbours": 7}, {"t/SessionKNN.yaml": BUDGET}
    assert about_settings(bench.add("SessionKNN", 2).board()) == (
        "Settings: no system was tuned by itself. All were given neighbours: 7. Settings in "
        "t/SessionKNN.yaml are what a search found (37 trials in 20 minutes, 12 of them pruned)."
    )


def test_settings_of_other_data_are_said_to_be(make_bench):
    told = {**TUNED, "tuning": {**BUDGET, "data": "sha256:0123456789"}}
    board = make_bench().add("IMNNet", 1, **told).add("FPMC", 2, **TUNED).board()
    assert about_settings(board).endswith(" Settings found on other data: IMN-Net.")
    assert chosen(board.results["IMNNet"]).endswith("pruned, on other data (sha256:01234567)")


def test_seeds_with_other_defaults_are_warned_of(make_bench):
    bench = make_bench().add("JODIE", 2, 1).add("SessionKNN", 1, 2)
    assert "Warning, SessionKNN" not in page(bench)
    config = {"valid_metric": "NDCG@10", "stopping_step": 3, "seed": 2, "data_path": "elsewhere"}
    first, second = bench.board().results["SessionKNN"]
    board = bench.board()
    board.results["SessionKNN"] = [
        {**first, "config": {**config, "decay": 2.0}},
        {**second, "config": {**config, "decay": 0.0}},
    ]
    (warning,) = differing_seeds(board)
    assert "SessionKNN †: decay is 2.0 with seed 1, 0.0 with seed 2, since defaults" in warning


def test_runs_of_several_commits_are_told_apart(make_bench):
    board = make_bench().add("JODIE", 2, 1).add("FPMC", 1, 2).board()
    assert recorded(board, "commit") == "c"
    board.results["FPMC"][1] = {**board.results["FPMC"][1], "environment": {"commit": "d-dirty"}}
    assert recorded(board, "commit") == "d-dirty: FPMC (seed 2); c: JODIE, FPMC (seed 1)"


def test_runs_on_several_devices_are_told_apart(make_bench):
    bench = make_bench().add("JODIE", 1)
    assert "Times compare" not in page(bench)
    bench.add("FPMC", 1, environment={"commit": "c", "torch": "3", "device": "a GPU"})
    text = page(bench)
    told = "a GPU: FPMC; not recorded: JODIE"  # by number of systems, then by value
    assert f"Times compare on the same device only, and these ran on several: {told}." in text
    assert f"| device | {told} |" in text
    assert "| torch | 2: JODIE; 3: FPMC |" in text
    assert "| commit | c |" in text
    for name in ("LastItem", "RecentHistory", "SessionKNN", "LambdaRank"):
        bench.add(name, 1)
    assert "these ran on several: a GPU: FPMC; not recorded: all others." in page(bench)
