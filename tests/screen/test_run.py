"""Runs of the training command as people see them, without a terminal."""

import errno
import logging
import os
import re
from pathlib import Path

import pytest

from recbole_imn.command_line import main
from recbole_imn.model.imnnet import IMNNet

SMALL = [
    "--dataset=toy", "--data_path=.", "--show_progress=False", "--use_gpu=False",
    "--train_batch_size=64", "--topk=[5,10]", "--valid_metric=NDCG@5",
]  # fmt: skip


@pytest.fixture
def shown(toy, capsys, monkeypatch):
    """Give a function that runs the command well, and gives the lines that it prints."""

    def run(*options: str) -> list[str]:
        # As in a program that has just begun: its first run opens the log.
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        assert main([*SMALL, *options]) == 0
        return capsys.readouterr().out.splitlines()

    return run


def epochs_of(lines):
    """Give the cells of the table of epochs."""
    start = next(number for number, line in enumerate(lines) if line.startswith("epoch "))
    rows = lines[start : lines.index("", start)]
    return [row.split() for row in rows]


def figures_of(lines):
    """Give the cells of the table of the test."""
    return [line.split() for line in lines if re.match(r"\w+@", line)]


def test_a_run_is_a_screen(shown):
    lines = shown("--model=IMNNet", "--embedding_size=8", "--epochs=3")
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 100
    assert not re.search(r"[^ -~]|np\.", "".join(lines))
    assert re.fullmatch(
        r"toy: 300 events, 12 users, \d+ items, \d+\.\d% purchases, .* days", lines[1]
    )
    assert lines[2].startswith("rows: 228 for training, 30 for validation, 30 for the test; ranked")
    head, *epochs = epochs_of(lines)
    assert head[3] == "ndcg@5"
    assert [row[0] for row in epochs] == ["0", "1", "2"]
    assert epochs[0][-3:] == ["best", "so", "far"]
    (best,) = [line for line in lines if line.startswith("test, 30 rows")]
    assert best.split()[3:6] == ["IMNNet", "RecentHistory", "LastItem"]
    files = dict(
        line.split("  ", 1) for line in lines if re.match(r"(checkpoint|model card|log) ", line)
    )
    assert all(Path(text.split()[0]).is_file() for text in files.values())
    log = Path(files["log"].split()[0]).read_text()
    # RecBole's dump of settings, and its table of what it runs on.
    assert "train_neg_sample_args" in log
    assert "running environment" in log


def test_a_model_of_recbole_and_one_that_learns_nothing(shown):
    lines = shown("--model=SASRec", "--epochs=1", "--eval_step=0")
    assert epochs_of(lines)[0] == ["epoch", "train", "loss", "seconds"]
    assert "on validation" not in "".join(lines)
    lines = shown("--model=RecentHistory")
    assert epochs_of(lines)[0][:2] == ["epoch", "ndcg@5"]
    (best,) = [line for line in lines if line.startswith("test, ")]
    assert best.split()[3:5] == ["RecentHistory", "LastItem"]


def test_a_run_that_goes_on_says_what_was_done_before(shown, capsys, monkeypatch):
    options = ["--model=IMNNet", "--embedding_size=8", "--epochs=3"]
    whole = shown(*options)
    validate, seen = IMNNet.eval, []

    def stop(self):
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return validate(self)

    with monkeypatch.context() as patch:
        patch.setattr(IMNNet, "eval", stop)
        # What is shown changes nothing of a run.
        assert main([*SMALL, *options, "--screen=log"]) == 130
    assert "go on with" in capsys.readouterr().err
    lines = shown(*options, "--resume")
    (before,) = [line for line in lines if "done before" in line]
    assert re.fullmatch(
        r"epochs? 0.* done before; the best of them has ndcg@5 0\.\d+ on .*", before
    )
    assert epochs_of(lines)[-1][:-2] == epochs_of(whole)[-1][:-2]
    assert figures_of(lines) == figures_of(whole)


def test_the_log_is_there_where_it_is_asked_for(toy, capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert main([*SMALL, "--model=LastItem", "--screen=log"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0].split()[:3] == ["LastItem", "on", "toy"]
    for word in ("train_neg_sample_args", "running environment", "test result"):
        assert word in printed.err


def test_a_full_disk_is_told_with_the_command_that_goes_on(shown, capsys, monkeypatch):
    options = ["--model=IMNNet", "--embedding_size=8", "--epochs=3"]
    validate, seen = IMNNet.eval, []

    def fill(self):
        seen.append(1)
        if len(seen) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "saved/x.pth")
        return validate(self)

    with monkeypatch.context() as patch:
        patch.setattr(IMNNet, "eval", fill)
        assert main([*SMALL, *options]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    told = "error: saved/x.pth: No space left on device; free some space there, then go on with: "
    assert line.startswith(told)
    assert line.endswith(" --epochs=3 --resume")
    assert any("done before" in line for line in shown(*options, "--resume"))
