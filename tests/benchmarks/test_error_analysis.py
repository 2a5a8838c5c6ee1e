"""Error analysis on a toy log, against plain loops."""

import sys

import numpy as np
import pytest

from benchmarks import error_analysis
from benchmarks.error_analysis import SLICES, candidates_of, kinds

ARGUMENTS = ["error_analysis", "--dataset=toy", "--epochs=1"]


def cells(text, title, row):
    """Cells of a row of the table below a title."""
    lines = text.split(f"## {title}")[1].splitlines()
    return [cell.strip() for cell in next(x for x in lines if x.startswith(f"| {row}")).split("|")]


def test_kinds_of_rows_equal_a_plain_loop(prepare):
    _, dataset, _, _ = prepare("IMNNetPlus")
    log, found = dataset.log, kinds(dataset.past, np.arange(len(dataset.log)))
    own, seen = {}, set()
    for event, (user, item) in enumerate(zip(log.user.tolist(), log.item.tolist(), strict=True)):
        mine = own.setdefault(user, [])
        last = bool(mine) and mine[-1] == item
        expected = 0 if last else 1 if item in mine else 2 if item in seen else 3
        assert found[event] == expected, SLICES[expected]
        mine.append(item)
        seen.add(item)


def test_candidates_of_sources_are_looked_up_by_name(prepare):
    _, dataset, _, model = prepare("IMNNetPlus")
    pointer, past = model.network.pointer, dataset.past
    events = np.arange(200, 300)
    reached = candidates_of(pointer, past, events)
    assert list(reached) == list(pointer.names) == ["own_items", "co_visited"]
    for event, hit in zip(events, reached["own_items"], strict=True):
        mine = past.log.item[:event][past.log.user[:event] == past.log.user[event]]
        assert hit == (past.log.item[event] in mine)


def test_a_model_is_trained_and_a_checkpoint_is_told_apart(toy, monkeypatch, capsys):
    out = toy / "errors.md"
    arguments = [*ARGUMENTS, f"--data_path={toy}", f"--out={out}"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert error_analysis.main() == 0
    text = out.read_text()
    every = cells(text, "Ranking", "all")
    # A toy has 20 items: the first 50 are all of them.
    assert every[6] == "1.0000"
    shares = [float(cells(text, "Ranking", name)[3]) for name in SLICES if f"| {name} |" in text]
    assert sum(shares) == pytest.approx(1, abs=0.002)
    own = dict(
        zip(
            cells(text, "Candidates", "item asked for"),
            cells(text, "Candidates", "an own earlier item"),
            strict=True,
        )
    )
    assert own["own_items"] == own["all sources"] == "1.0000"

    monkeypatch.setattr(sys, "argv", [*arguments, f"--checkpoint={toy / 'none.pth'}"])
    assert error_analysis.main() == 2
    assert "none.pth" in capsys.readouterr().err
