"""The report's page in a browser: all plots, many systems, curves, zeros, both schemes."""

import re

import numpy as np
import pytest

from recbole_imn.evaluation.report import write_report
from recbole_imn.evaluation.report.gather import label
from recbole_imn.evaluation.report.looks import HUES, looks
from tests.evaluation.report.conftest import Bench, ranks
from tests.pages.checks import everywhere, needs_browser, open_browser

NOTICE = "czb is <b>SIMULATED</b> data & nothing else"
NEVER = np.inf
SYSTEMS = {
    "Popularity": 400, "LastItem": 60, "RecentHistory": 30, "SASRec": 45, "GRU4Rec": 90,
    "JODIE": 40, "SessionKNN": 25, "IMNNet": 33, "IMNNetPlus": 20, "IMN_MSE": 41, "IMN_NCE": 37,
    "IMNNetStar": 35, "IMNNet fusion=concat": 34, "IMNNet cell=self_attention": 36,
}  # fmt: skip
LEARNT_NOTHING = ("Popularity", "LastItem", "RecentHistory", "SessionKNN")


def curve(system, n_epochs):
    epochs = range(1, 2 if system in LEARNT_NOTHING else n_epochs + 1)
    return [{"epoch": epoch, "ndcg@10": 0.1 + 0.01 * epoch} for epoch in epochs]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("bench"), "czb", NOTICE)
    for number, (system, high) in enumerate(SYSTEMS.items()):
        seeds = (ranks(10 * number + seed, high) for seed in range(3))
        bench.add(system, *seeds, curve=curve(system, 7), settings={"epochs": 7, "data_path": "/x"})
    return bench.add("FPMC", NEVER, NEVER).add("NextItNet", NEVER)


@pytest.fixture(scope="module")
def page(bench):
    _, page = write_report(bench.runs, {"SASRecF-1": "<i>why</i>"}, bench.folder)
    return page


@needs_browser
def test_nothing_overflows_overlaps_or_pales_and_every_plot_is_drawn(page):
    with open_browser() as look:
        wrong, plots = everywhere(look, page)
    assert wrong == ""
    assert plots == ["bars", "forest", "panels", "dots", "dots", "bars"]


def test_the_page_is_small_and_nobodys_text_is_a_tag(page):
    text = page.read_text()
    assert len(text) < 1_500_000
    assert "<b>SIMULATED" not in text
    assert "<i>why" not in text
    assert not re.search(r"<script|<link|<img|(?:src|href)=|url\(", text)


def test_plots_come_before_tables_and_bars_are_sorted(page, bench):
    text, board = page.read_text(), bench.board()
    plots, tables = text.rindex("<figure"), text.index("<table")
    claims = text.index("The paper&#39;s claims")
    assert text.index("<figure") < tables
    # Those before the claims are folded away.
    assert text[:claims].count("<table") == text[:claims].count("<summary>Table: ") + 1
    assert plots > claims
    first = text[: text.index("</ol>")]
    found = [float(value) for value in re.findall(r'class="value">(\d\.\d{4})', first)]
    assert found == sorted(found, reverse=True)
    assert len(found) == len(SYSTEMS)
    assert board.best_baseline("all") == "SessionKNN"


def test_systems_at_zero_are_folded_in_plots_and_tables(page):
    text = page.read_text()
    assert "<summary>2 models at 0.0000: FPMC, NextItNet</summary>" in text
    assert "<summary>2 models at 0.0000 itself: FPMC, NextItNet</summary>" in text
    assert "<summary>0.0000 in every column: FPMC, NextItNet</summary>" in text


def test_a_system_has_one_colour_in_all_plots_and_baselines_have_none(page, bench):
    text = page.read_text()
    colors = looks(bench.board())
    hues = [look.hue for look in colors.values() if look.is_ours]
    assert len(set(hues)) == len(hues) == 7
    for system, look in colors.items():
        drawn = r'<(?:li|div) class="(ours|baseline)"(?: style="--hue: (\d+)")?>'
        drawn += r"(?:\s*<div[^>]*>)+\s*"
        drawn += rf'(?:<p[^>]*>)?\s*<span class="name">{re.escape(label(system))} ?<'
        found = set(re.findall(drawn, text))
        assert found == {(look.kind, str(look.hue) if look.is_ours else "")}, system
    # In rows of dots the colour is the dot's own.
    hue = colors["IMNNetPlus"].hue
    assert set(re.findall(r'--hue: (\d+)" title="IMNNetPlus:', text)) == {str(hue)}


def test_colours_do_not_depend_on_who_else_was_run(make_bench, bench):
    alone = looks(make_bench("other").add("IMNNetPlus", 1).add("SASRec", 2).board())
    assert alone["IMNNetPlus"] == looks(bench.board())["IMNNetPlus"]
    assert len(set(HUES.values())) == len(HUES)


def test_each_run_tells_where_it_comes_from_in_a_fold(page, bench):
    text = page.read_text()
    assert f"<summary>Provenance of each of the {len(bench.runs)} runs</summary>" in text
    for run in bench.runs:
        assert run.identity in text
    assert "<summary>IMNNetPlus, seed 3</summary>" in text
    assert "setting epochs" in text
    assert "setting data_path" not in text


def test_claims_that_can_be_tested_stand_before_those_that_cannot(page):
    text = page.read_text()
    claims = text[text.index("The paper&#39;s claims") :]
    shown, _, folded = claims.partition(" claims that are not testable here</summary>")
    assert "not testable here (" not in shown
    assert "IMN-Net is above IMN-Net*" in shown
    assert "not testable here (" in folded


def test_a_report_without_ours_without_baselines_or_of_one_epoch_is_a_page(make_bench):
    for number, systems in enumerate((["SASRec", "JODIE"], ["IMNNet", "IMNNetPlus"], ["IMNNet"])):
        bench = make_bench(f"shop{number}")
        for seed, system in enumerate(systems):
            bench.add(system, ranks(seed))
        _, page = write_report(bench.runs, {}, bench.folder)
        text = page.read_text()
        assert "Learning curves" not in text
        kinds = set(re.findall(r'data-kind="(\w+)"', text))
        assert kinds == ({"bars", "dots", "forest"} if number == 0 else {"bars", "dots"})
