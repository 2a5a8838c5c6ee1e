"""Columns of one name in two files, names that nobody gave, and checkpoints on other data."""

import logging

import pytest
from recbole.quick_start import load_data_and_model

from recbole_imn.errors import CheckpointError, DataError, SettingsError
from recbole_imn.preparation import prepare as train_ready
from tests.conftest import random_rows, write_log

SMALL = {"epochs": 1, "embedding_size": 8, "hidden_size": 8, "train_batch_size": 64}


def with_column(folder, suffix, column, cells):
    """Add a column to an atomic file of the toy log; make an item file where there is none."""
    path = folder / "toy" / f"toy.{suffix}"
    if not path.exists():
        items = sorted({row[1] for row in random_rows()})
        path.write_text("\n".join(["item_id:token", *items]) + "\n")
    head, *lines = path.read_text().splitlines()
    lines = [f"{line}\t{cells[number % len(cells)]}" for number, line in enumerate(lines)]
    path.write_text("\n".join([f"{head}\t{column}", *lines]) + "\n")


def columns(*names):
    return {
        "inter": ["user_id", "item_id", "timestamp", "purchase", *names],
        "item": ["item_id", *names],
    }


def test_a_token_of_two_files_is_refused(prepare, toy):
    for suffix in ("inter", "item"):
        with_column(toy, suffix, "city:token", ["a", "b"])
    with pytest.raises(DataError, match=r"both \.\w+ and \.\w+ have a column 'city'"):
        prepare("SASRec", load_col=columns("city"))


def test_a_number_of_two_files_is_refused_where_the_logs_is_read(prepare, toy):
    for suffix in ("inter", "item"):
        with_column(toy, suffix, "price:float", ["1", "2", "7"])
    prepare("IMNNet", load_col=columns("price"), item_features=["price"])
    with pytest.raises(DataError, match="have a column 'price'"):
        prepare("IMNNet", load_col=columns("price"), event_features=["price"])


def test_names_that_nobody_gave_are_not_taken_for_slips(prepare, toy):
    """A column that is nearly called as an optional one is another one."""
    rows = [(*row[:3], row[3]) for row in random_rows()]
    write_log(toy, "toy", rows, "user_id:token\titem_id:token\ttimestamp:float\tbehaviors:token")
    prepare("LastItem")
    inter = ["user_id", "item_id", "timestamp", "behavior"]
    with pytest.raises(SettingsError, match="load_col names 'behavior', which"):
        prepare("LastItem", load_col={"inter": inter})


def test_models_with_histories_have_no_first_events(prepare):
    prepare("LastItem", first_events=True)
    with pytest.raises(SettingsError, match="first_events is True, but SASRec cannot score"):
        prepare("SASRec", first_events=True)


def test_an_item_file_that_nobody_reads_costs_no_figures(make_config, toy, caplog):
    with_column(toy, "item", "price:float", ["unknown"])
    config = make_config("IMNNet", **SMALL)
    _, (train, valid, test), trainer = train_ready(config)
    trainer.fit(train, valid, show_progress=False)
    with caplog.at_level(logging.WARNING):
        assert trainer.evaluate(test)
    (told,) = [text for text in caplog.messages if "nothing to be used without its data" in text]
    assert "price is 'unknown', not a number" in told


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_a_checkpoint_is_no_one_of_data_with_other_numbers(make_config, toy, model):
    """Tables have the same shapes, and their rows are of others."""
    config = make_config(model, **SMALL)
    _, (train, valid, _), trainer = train_ready(config)
    trainer.fit(train, valid, show_progress=False)
    load_data_and_model(trainer.saved_model_file)
    rows = random_rows()
    first = next(row for row in rows if row[1] != rows[0][1])
    write_log(toy, "toy", [(*first[:2], -1, *first[3:]), *rows])
    with pytest.raises(CheckpointError, match="users or items have other numbers there"):
        load_data_and_model(trainer.saved_model_file)


@pytest.mark.parametrize("column", ["purchase", "behavior"])
def test_an_unused_column_of_the_log_is_not_used(prepare, column):
    dataset = prepare("IMNNet", unused_col={"inter": [column]})[1]
    assert dataset.log.purchase.any() == (column != "purchase")
    assert (dataset.log.n_behaviours > 1) == (column != "behavior")
