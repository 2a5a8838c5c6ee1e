"""The table of epochs: a line an epoch, the best so far marked."""

import pytest

from recbole_imn.screen.epochs import EpochTable, fitting, metric_names
from recbole_imn.screen.terminal import Screen

CONFIG = {
    "valid_metric": "NDCG@10",
    "metrics": ["Recall", "NDCG", "FullMRR"],
    "topk": [5, 10],
    "loss_decimal_place": None,
    "metric_decimal_place": 3,
}


@pytest.fixture
def lines(capsys):
    """Give a function that takes the lines that were shown."""
    return lambda: capsys.readouterr().out.splitlines()


def test_the_metric_that_chooses_comes_first():
    names = ["ndcg@10", "recall@5", "recall@10", "ndcg@5", "fullmrr"]
    assert metric_names(CONFIG) == names
    assert fitting(names, 19) == names[:2]
    assert fitting(names, 1) == names[:1]


def test_it_grows_by_a_line_an_epoch(lines):
    table = EpochTable(Screen(), CONFIG, validates=True)
    assert lines() == []
    result = dict.fromkeys(metric_names(CONFIG), 0.25)
    table.add(0, (3.5,), 1.25, result, is_best=True)
    head, row = lines()
    assert head.split() == ["epoch", "train", "loss", *metric_names(CONFIG), "seconds"]
    assert row.split() == ["0", "3.5000", *["0.250"] * 5, "1.2", "best", "so", "far"]
    table.add(1, (2.0,), 1.0, result)
    (row,) = lines()
    assert row.endswith(" 1.0")
    assert len(row) == len(head)
    assert table.best_epoch == 0


def test_parts_of_a_loss_and_epochs_without_validation(lines):
    table = EpochTable(Screen(), CONFIG, validates=True)
    table.add(0, (1.0, 2.0), 1.0)
    head, row = lines()
    assert head.split()[1:5] == ["loss", "1", "loss", "2"]
    assert row.split() == ["0", "1.0000", "2.0000", *"-" * (len(head.split()) - 6), "1.0"]
    EpochTable(Screen(), CONFIG, validates=False).add(0, (), 1.0)
    assert lines() == ["epoch   seconds", "    0       1.0"]


def test_it_fits_however_many_metrics_there_are(lines):
    config = {**CONFIG, "topk": [1, 5, 10, 20, 50, 100]}
    table = EpochTable(Screen(), config, validates=True)
    table.add(0, (1e5,), 99_999.9, dict.fromkeys(metric_names(config), 0.5), is_best=True)
    assert max(map(len, lines())) <= 100
