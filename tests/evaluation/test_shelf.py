"""Only what is for sale at a row's own time is ranked, whatever comes later."""

from pathlib import Path

import numpy as np
import pytest
import torch
from recbole.data import data_preparation
from recbole.utils import get_trainer

from recbole_imn.errors import DataError, SettingsError
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.evaluation.shelf import Shelf, ShelfEvalDataLoader, misses
from tests.conftest import random_rows

ITEMS = sorted({row[1] for row in random_rows()})
LAST = max(row[2] for row in random_rows())


def write_items(toy: Path, stays: dict) -> None:
    """Write toy.item with the stays of some items; the others are there all the time."""
    lines = ["item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq"]
    for item in ITEMS:
        start, end = stays.get(item, ("0", "inf"))
        lines.append(f"{item}\t{start}\t{end}")
    (toy / "toy" / "toy.item").write_text("\n".join(lines) + "\n", encoding="utf-8")


def masks(loader) -> torch.Tensor:
    return torch.cat([mask for _, mask, _, _ in loader])


def test_stays_of_a_small_shelf():
    shelf = Shelf(
        item=np.array([1, 1, 2]),
        start=np.array([0.0, 20.0, 5.0]),
        end=np.array([10.0, 30.0, np.inf]),
        n_items=4,
    )
    found = shelf.on_shelf(np.array([0.0, 5.0, 10.0, 11.0, 25.0, 31.0]))
    assert found[:, 1].tolist() == [True, True, True, False, True, False]
    assert found[:, 2].tolist() == [False, True, True, True, True, True]
    assert not found[:, [0, 3]].any()  # padding, and an item without a stay


def test_what_ends_or_begins_later_does_not_matter():
    rng = np.random.default_rng(0)
    item, start = rng.integers(1, 9, 50), rng.uniform(0, 100, 50)
    end, times = start + rng.uniform(0, 50, 50), np.sort(rng.uniform(0, 120, 30))
    before = Shelf(item, start, end, 9).on_shelf(times)
    now = times[10]
    later_start = np.where(start > now, start + 1e3, start)
    later_end = np.where(end > now, later_start + 1e6, end)
    after = Shelf(item, later_start, np.maximum(later_end, later_start), 9).on_shelf(times)
    assert (before[:11] == after[:11]).all()
    assert (before[11:] != after[11:]).any()


def test_a_stay_that_ends_before_it_begins_is_refused():
    with pytest.raises(DataError, match="begins at 5 and ends at 4"):
        Shelf(np.array([1]), np.array([5.0]), np.array([4.0]), 2)


@pytest.mark.parametrize("model", ["IMNNet", "SASRec", "LastItem"])
def test_recboles_evaluator_ranks_the_shelf_only(toy, prepare, model):
    gone, returned = ITEMS[0], ITEMS[1]
    write_items(toy, {gone: ("0", "1"), returned: ("0 5", f"1 {LAST + 1}")})
    config, dataset, (_, _, test), network = prepare(model, candidates="on_shelf", topk=[10, 20],
                                                     hidden_size=8, inner_size=8)  # fmt: skip
    assert type(test) is ShelfEvalDataLoader
    ids = [dataset.token2id("item_id", token) for token in (gone, returned)]
    assert masks(test)[:, ids].tolist() == [[True, False]] * len(test._dataset)
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    recorder = RankRecorder(trainer)
    trainer.evaluate(test, load_best_model=False)
    table = recorder.table()
    assert misses(test.shelf, test._dataset) == np.isinf(table["rank"]).sum()
    # A row whose true item is off the shelf stays, and is a miss.
    assert (np.isinf(table["rank"]) == (table["item"] == gone)).all()
    assert (table["item"] == gone).any()


def test_everything_on_the_shelf_is_the_whole_catalogue(toy, prepare):
    write_items(toy, {})
    results = []
    for candidates in ("all", "on_shelf"):
        config, _, (_, _, test), network = prepare("IMNNet", candidates=candidates)
        trainer = get_trainer(config["MODEL_TYPE"], "IMNNet")(config, network)
        results.append(trainer.evaluate(test, load_best_model=False))
    assert results[0] == results[1]


def test_rows_that_nobody_can_find_are_told_before_training(toy, prepare, caplog):
    write_items(toy, {})
    with caplog.at_level("INFO"):
        prepare("LastItem", candidates="on_shelf")
        assert "not for sale then" not in caplog.text
        write_items(toy, dict.fromkeys(ITEMS, ("0", "1")))
        _, _, (_, _, test), _ = prepare("LastItem", candidates="on_shelf")
    n_rows = len(test._dataset)
    assert f"{n_rows} of {n_rows} rows are of items not for sale then" in caplog.text


def test_a_data_set_without_intervals_is_refused(prepare):
    with pytest.raises(DataError, match=r"toy\.item has no columns listed_at:float_seq"):
        prepare("IMNNet", candidates="on_shelf")


@pytest.mark.parametrize(
    ("stays", "message"),
    [
        (("0 5", "1"), "listed_at is '0 5' and delisted_at '1'"),
        (("soon", "1"), "line 2: listed_at is 'soon', not numbers"),
    ],
)
def test_bad_intervals_are_refused_with_their_value(toy, prepare, stays, message):
    write_items(toy, {ITEMS[0]: stays})
    with pytest.raises(DataError, match=message):
        prepare("IMNNet", candidates="on_shelf")


def test_unknown_candidates_and_sampled_ones_are_refused(prepare):
    with pytest.raises(SettingsError, match="candidates is 'shelf'"):
        prepare("IMNNet", candidates="shelf")
    mode = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": "none", "mode": "uni5"}
    with pytest.raises(SettingsError, match="needs eval_args mode: full"):
        prepare("IMNNet", candidates="on_shelf", eval_args=mode)


def test_models_that_read_no_stream_are_refused(make_config):
    from recbole.data import create_dataset

    config = make_config("BPR", candidates="on_shelf", event_stream=False)
    config["load_col"] = {"inter": ["user_id", "item_id", "timestamp"]}
    with pytest.raises(SettingsError, match="BPR does not read the data set as a stream"):
        data_preparation(config, create_dataset(config))
