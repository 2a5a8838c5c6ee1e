"""Catalogues and features at the edges: nothing for sale, nothing known, nothing learnt."""

import numpy as np
import pytest
from recbole.utils import get_trainer

from recbole_imn.__main__ import main
from recbole_imn.errors import DataError, SettingsError
from tests.reliability.logs import CE, COLUMNS, RICH, rich_items, rich_rows, write_items, write_rich

STAYS = "item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq"
ON_SHELF = {
    "dataset": "shop",
    "load_col": {"inter": COLUMNS, "item": ["item_id", "listed_at", "delisted_at"]},
    "candidates": "on_shelf",
    "topk": [5],
    "metrics": ["Recall", "NDCG", "MRR", "Hit"],
    **CE,
}


def shop(toy, stays):
    write_rich(toy, "shop")
    write_items(toy, "shop", stays, STAYS)


def results(prepare, model, **options):
    config, _, (_, _, test), network = prepare(model, **{**ON_SHELF, **options})
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, network)
    return test, trainer.evaluate(test, load_best_model=False)


@pytest.mark.parametrize("model", ["IMNNetPlus", "SASRec", "Popularity"])
def test_an_item_that_is_not_for_sale_is_never_found(prepare, toy, model):
    # Where fewer items than k are for sale, others fill RecBole's first k.
    shop(toy, {item: ["0", "inf"] for item in ("i1", "i2")})
    test, found = results(prepare, model)
    for_sale = ["i1", "i2"]
    dataset = test._dataset
    wanted = dataset.id2token("item_id", dataset.inter_feat["item_id"].numpy())
    reachable = np.isin(wanted, for_sale).mean()
    assert 0 < reachable < 1
    # Two candidates fit into the first five, so that all that can be found is.
    assert found["recall@5"] == found["hit@5"] == pytest.approx(reachable, abs=1e-4)
    assert 0.5 * reachable <= found["mrr@5"] + 1e-4


def test_a_shelf_that_is_empty_at_all_times_finds_nothing(prepare, toy):
    shop(toy, {item: ["-10", "-5"] for item in rich_items()})
    assert set(results(prepare, "SASRec")[1].values()) == {0.0}


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_stays_of_no_item_are_one_line(prepare, toy, model):
    shop(toy, {item: ["", ""] for item in rich_items()})
    with pytest.raises(DataError, match=r"shop\.item has no stay in listed_at and delisted_at"):
        prepare(model, **ON_SHELF)


@pytest.mark.parametrize("model", ["GRU4RecF", "SASRecF", "FDSA"])
@pytest.mark.parametrize("field", ["price", "image"])
def test_selected_numbers_that_would_be_left_out_are_refused(prepare, toy, model, field):
    write_rich(toy, "rich")
    options = {**RICH, **CE, "dataset": "rich", "selected_features": ["brand", field]}
    with pytest.raises(SettingsError, match=f"{field}.*numerical_features names as well"):
        prepare(model, **options)


def test_selected_vectors_work_where_recbole_can_take_them(prepare, toy):
    write_rich(toy, "rich")
    options = {"selected_features": ["brand", "image"], "numerical_features": ["image"], **CE}
    with pytest.raises(SettingsError, match="'image', of type float_seq, which SASRecF"):
        prepare("SASRecF", dataset="rich", **{**RICH, **options})
    prepare("GRU4RecF", dataset="rich", **{**RICH, **options})


@pytest.mark.parametrize("known", ["", "7"])
def test_numbers_that_never_change_in_training_have_no_scale_later(prepare, toy, caplog, known):
    items, rows = rich_items(), rich_rows()
    seen = {row[1] for row in rows[:240]}
    for row in rows[270:]:
        row[1] = "newest"
    for item, cells in items.items():
        cells[1] = known if item in seen else "30000"
    items["newest"] = ["b1", "30000", "g1", "1 2"]
    for place, row in enumerate(rows):
        row[5] = "1" if place < 240 else "50000"
    write_rich(toy, "rich", rows, items)
    dataset = prepare("IMNNetPlus", dataset="rich", **RICH)[1]
    assert dataset.item_features.abs().max() < 30
    assert np.abs(dataset.log.features).max() < 30
    assert "paid is 1 in all of the training part" in caplog.text
    assert f"price is {known or 0} in all of the training part" in caplog.text


def test_a_row_with_other_attributes_is_counted_once(tmp_path, capsys):
    log, items = tmp_path / "log.csv", tmp_path / "items.csv"
    log.write_text("user,item,time\na,x,0\na,y,1\nb,x,2\nb,y,3\n")
    items.write_text("item,price\nx,1\ny,2\nx,9\ny,2\n")
    columns = ["--user=user", "--item=item", "--time=time"]
    tables = [f"--input={log}", f"--items={items}", "--name=c", f"--output={tmp_path}"]
    assert main(["convert", "csv", *tables, *columns]) == 0
    told = capsys.readouterr().out
    assert " 1 rows of the table of items told nothing new of an item" in told
    assert " 1 rows of the table of items told other attributes" in told
