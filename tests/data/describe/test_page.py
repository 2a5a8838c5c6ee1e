"""The command, and its page in a real browser."""

import html
import json
import re
import shutil
import subprocess

import pytest

from recbole_imn.__main__ import main
from recbole_imn.data.describe import page
from tests.conftest import random_rows, write_log

CHROMIUM = shutil.which("chromium")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=20000", "--dump-dom",
)  # fmt: skip
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium; on Debian: apt-get install chromium"
)


def open_page(path, profile):
    """Open a page and give the attributes of its root: plots, drawn, errors."""
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", path.resolve().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    root = re.search(r"<html[^>]*>", done.stdout)
    assert root, done.stderr
    found = dict(re.findall(r'data-(\w+)="([^"]*)"', root[0]))
    found["errors"] = json.loads(html.unescape(found["errors"]))
    return found, done.stdout


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    assert main(["describe", "czb-mini", f"--data_path={folder}"]) == 0
    return folder / "czb-mini"


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
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", text.split("<body>")[1])
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)=", text.partition("<script>")[0])


@needs_browser
def test_every_plot_is_drawn_without_script_errors(market, tmp_path):
    found, dom = open_page(market / "czb-mini.report.html", tmp_path / "profile")
    assert found == {"plots": "7", "drawn": "7", "errors": []}
    assert dom.count('class="main-svg"') >= 7
    assert "Items on the shelf at noon" in dom


@needs_browser
def test_a_log_without_origin_purchases_or_listings_has_the_other_plots(tmp_path):
    header = "user_id:token\titem_id:token\ttimestamp:float"
    write_log(tmp_path, "plain", [row[:3] for row in random_rows()], header)
    assert main(["describe", "plain", f"--data_path={tmp_path}"]) == 0
    found, dom = open_page(tmp_path / "plain" / "plain.report.html", tmp_path / "profile")
    assert found == {"plots": "5", "drawn": "5", "errors": []}
    assert "SIMULATED" not in dom


@needs_browser
def test_a_plot_that_fails_is_seen(market, tmp_path):
    report = json.loads((market / "czb-mini.report.json").read_text())
    # Two plots, but the page has a place for the first alone.
    text = page.html("x", report, [{"data": [], "layout": {}}] * 2, None)
    path = tmp_path / "broken.html"
    path.write_text(text.replace('<div id="plot1"></div>', ""), encoding="utf-8")
    found, _ = open_page(path, tmp_path / "profile")
    assert found["drawn"] == "1"
    assert len(found["errors"]) == 1


def test_names_and_figures_cannot_break_the_page(market):
    report = json.loads((market / "czb-mini.report.json").read_text())
    plot = {"data": [{"name": "</script><b>"}], "layout": {}}
    text = page.html("<b>", report, [plot], None)
    assert "<b>" not in text.partition("<body>")[2]


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
