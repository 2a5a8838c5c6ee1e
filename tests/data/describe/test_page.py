"""The command, and its page in a real browser."""

import json
import re

import pytest

from recbole_imn.__main__ import main
from recbole_imn.data.describe import measures, page
from recbole_imn.data.describe.log import read_log
from tests.conftest import random_rows, write_log
from tests.pages.checks import everywhere, needs_browser, open_browser

HEADINGS = ("CheZhiBao 2019, published", "Tmall, published")


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    assert main(["describe", "czb-mini", f"--data_path={folder}"]) == 0
    return folder / "czb-mini"


@pytest.fixture
def log(tmp_path):
    write_log(tmp_path, "toy", random_rows())
    return read_log(tmp_path / "toy", "toy")


def test_a_simulated_market_is_made_described_and_called_simulated(market, capsys):
    assert main(["describe", "czb-mini", f"--data_path={market.parent}"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("czb-mini is SIMULATED data (seed 1")
    assert "378 printed, 60.4 computed" in printed
    assert "The published table contradicts itself" in printed
    report = json.loads((market / "czb-mini.report.json").read_text())
    assert report["simulated"] is True
    assert report["size"]["first_day"] == "2019-05-01"
    assert report["size"]["last_day"] == "2019-10-31"
    assert report["shelf"]["mean_items"] > 0
    text = (market / "czb-mini.report.html").read_text(encoding="utf-8")
    assert "czb-mini is SIMULATED data" in text
    assert "<title>czb-mini, SIMULATED</title>" in text


def test_the_page_loads_nothing_from_elsewhere(market):
    text = (market / "czb-mini.report.html").read_text(encoding="utf-8")
    assert not re.findall(r"<script|<link|<img|<iframe|(?:src|href)=|url\(", text)
    assert len(text) < 100_000


PLOTS = ["bars", "series", "bars", "bars"]


@needs_browser
def test_every_plot_is_drawn_at_every_width_and_in_both_schemes(market, tmp_path):
    header = "user_id:token\titem_id:token\ttimestamp:float"
    write_log(tmp_path, "plain", [row[:3] for row in random_rows()], header)
    assert main(["describe", "plain", f"--data_path={tmp_path}"]) == 0
    plain = tmp_path / "plain" / "plain.report.html"
    with open_browser() as look:
        wrong, plots = everywhere(look, market / "czb-mini.report.html")
        assert wrong == ""
        assert plots == [*PLOTS, "series", "series", "series", "bars", "bars", "bars"]
        # Without an origin, kinds of action, purchases or listings.
        wrong, plots = everywhere(look, plain)
        assert wrong == ""
        assert plots == [*PLOTS, "series", "bars", "bars"]


def test_plots_and_what_a_shop_needs_come_before_tables(market):
    text = (market / "czb-mini.report.html").read_text(encoding="utf-8")
    places = [
        text.index(part)
        for part in (
            "Test events on items that training never saw",
            "<h2>What a shop needs first",
            "<figcaption>Items on the shelf at noon",
            "<h2>Size",
        )
    ]
    assert places == sorted(places)
    assert "<table" not in text[: places[-1]]
    assert "t-batch" not in text


def test_the_papers_figures_stand_beside_the_papers_data_sets_alone(tmp_path, capsys):
    for name, published in (("tmall", ["Tmall, published"]), ("shop", [])):
        write_log(tmp_path, name, random_rows())
        assert main(["describe", name, f"--data_path={tmp_path}"]) == 0
        page = (tmp_path / name / f"{name}.report.html").read_text(encoding="utf-8")
        for text in (page, capsys.readouterr().out):
            assert [one for one in HEADINGS if one in text] == published
            assert "contradicts itself" not in text


def test_names_cannot_break_the_page(log):
    text = page.html("<b>", measures.profile(log), None, "<i>not</i> real")
    body = text.partition("<body>")[2]
    assert "&lt;b&gt;, SIMULATED" in body
    assert "<i>not" not in body
    assert "&lt;i&gt;not" in body


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("u", "i", "noon", "view", 0)], "line 2: timestamp is 'noon', not a number"),
        ([("u", "i", 1, "view", 0), ("u", "", 2, "view", 0)], "line 3: item_id is empty"),
        ([("u", "i", 1, "view", 0), ("u", "j", 2, "view", 7)], "line 3: purchase is 7.0"),
        ([("u", "i", 1)], "line 2: 3 columns, but the header has 5"),
    ],
)
def test_a_broken_log_is_refused_as_in_training(tmp_path, capsys, rows, message):
    write_log(tmp_path, "bad", rows)
    assert main(["describe", "bad", f"--data_path={tmp_path}"]) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "bad").iterdir()) == ["bad.inter"]


def test_a_data_set_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["describe", "gone", f"--data_path={tmp_path}"]) == 2
    assert "gone.inter does not exist" in capsys.readouterr().err


def test_it_is_said_that_filters_of_training_are_not_applied(tmp_path, capsys):
    write_log(tmp_path, "toy", random_rows())
    (tmp_path / "few.yaml").write_text("user_share: 0.5\nrm_dup_inter: ~\n")
    options = [f"--data_path={tmp_path}", f"--config_files={tmp_path / 'few.yaml'}"]
    assert main(["describe", "toy", *options]) == 0
    told = capsys.readouterr().err
    assert "the whole log is described; training leaves events out by user_share: 0.5\n" in told
