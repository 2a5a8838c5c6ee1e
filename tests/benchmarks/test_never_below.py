"""Derived logs on tables that one can read, and the whole on a toy log."""

import sys

import pandas as pd
import pytest

from benchmarks import never_below
from benchmarks.derived_logs import DERIVED, ITEM, PURCHASE, TIME, USER, read_log, write_log

DAY = 86_400
ROWS = [
    ("u1", "a", 10, 0),
    ("u2", "a", 20, 0),
    ("u1", "a", 30, 1),
    ("u1", "b", DAY + 5, 0),
    ("u2", "b", DAY + 6, 0),
    ("u1", "a", DAY + 7, 1),
    ("u2", "b", DAY + 8, 0),
    ("u2", "b", 2 * DAY, 1),
    ("u1", "c", 2 * DAY + 1, 0),
    ("u1", "c", 2 * DAY + 2, 0),
]


@pytest.fixture
def log(tmp_path):
    write_log(pd.DataFrame(ROWS, columns=[USER, ITEM, TIME, PURCHASE]), tmp_path / "small")
    return read_log(tmp_path / "small" / "small.inter")


def places(log, name):
    """Which events a derived log keeps."""
    return DERIVED[name][1](log).index.tolist()


def test_repeats_are_those_of_the_users_previous_event(log):
    assert places(log, "no_repeats") == [0, 1, 3, 4, 5, 8]
    # Runs of two or more: the first event of each, and all that repeat it.
    assert places(log, "repeats") == [0, 2, 4, 6, 7, 8, 9]


def test_days_keep_the_order_and_nothing_finer(log):
    derived = DERIVED["days"][1](log)
    assert derived[TIME].tolist() == [
        *["0"] * 3, *[str(DAY)] * 4, *[str(2 * DAY)] * 3,
    ]  # fmt: skip
    assert derived.drop(columns=TIME).equals(log.drop(columns=TIME))


def test_purchases_are_all_that_is_left_or_nothing_is(log):
    assert places(log, "purchases") == [2, 5, 7]
    assert places(log.drop(columns=PURCHASE), "purchases") == []


def test_no_item_of_the_last_fifth_is_known(log):
    derived = DERIVED["renamed"][1](log)
    assert derived[ITEM][:8].equals(log[ITEM][:8])
    assert derived[ITEM][8:].tolist() == ["new c", "new c"]


def test_a_log_is_sorted_by_time_and_keeps_its_text(tmp_path):
    folder = tmp_path / "odd"
    rows = [("u", "007", "9.50", "0"), ("NA", "x", "1e1", "0"), ("v", "y", "9.5", "0")]
    write_log(pd.DataFrame(rows, columns=[USER, ITEM, TIME, PURCHASE]), folder)
    found = read_log(folder / "odd.inter")
    assert found.to_numpy().tolist() == [list(rows[0]), list(rows[2]), list(rows[1])]


def test_a_toy_log_is_judged_and_the_same_command_repeats_nothing(toy, monkeypatch):
    out = toy / "results" / "never_below"
    arguments = ["never_below", "--data", f"toy={toy}", "--seeds=1", "--epochs=1", f"--out={out}"]
    arguments += ["--logs", "renamed", "--variants", "IMNNetPlus", "SessionKNN"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert never_below.main() == 0
    text = out.with_suffix(".md").read_text()
    for model in ("IMNNetPlus", "SessionKNN"):
        assert text.count(f"| {model} | 0.") == 1, text
    assert "failed" not in text
    runs = sorted(out.rglob("*.parquet"))
    assert len(runs) == 2
    written = [file.stat().st_mtime_ns for file in runs]

    monkeypatch.setattr(sys, "argv", arguments)
    assert never_below.main() == 0
    assert [file.stat().st_mtime_ns for file in runs] == written
    assert out.with_suffix(".md").read_text() == text


def test_what_a_log_does_not_have_is_told(toy, monkeypatch):
    file = toy / "toy" / "toy.inter"
    file.write_text("\n".join(line.rsplit("\t", 1)[0] for line in file.read_text().splitlines()))
    out = toy / "results" / "never_below"
    arguments = ["never_below", "--data", f"toy={toy}", f"--out={out}", "--logs", "purchases"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert never_below.main() == 0
    assert "Not there: the log has no such events." in out.with_suffix(".md").read_text()
