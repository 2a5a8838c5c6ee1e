"""Items, users and categories of a shop, listed or not."""

import json
import logging

import numpy as np
import pytest
import torch

from recbole_imn.__main__ import main
from recbole_imn.data.field_maps import MAX_CATEGORIES
from recbole_imn.errors import DataError
from tests.conftest import write_log
from tests.reliability.logs import (
    CE,
    COLUMNS,
    RICH,
    rich_items,
    rich_rows,
    scores_of,
    train,
    write_items,
    write_rich,
)

SWITCHES = [
    ("IMNNetPlus", {}),
    ("IMNNetPlus", {"terms": ["taste"]}),
    ("IMNNetPlus", {"sources": [], "calibrate": False}),
    ("IMNNetPlus", {"terms": ["freshness"]}),
    ("IMNNetPlus", {"static_features": False, "sources": ["own_items"]}),
    ("IMNNet", {}),
    ("IMNNet", {"resource_branch": "full", "inventory_features": ["paid"], "fusion": "gate"}),
    ("JODIE", {"online_updates": True}),
    ("RecentHistory", {}),
    ("GRU4RecF", {**CE, "selected_features": ["brand", "genres"]}),
]


# -- a shop's catalogue -----------------------------------------------------------------------


@pytest.mark.parametrize("n_idle", [0, 1, 2, 3000])
@pytest.mark.parametrize(("name", "options"), SWITCHES)
def test_items_without_events_are_ranked_like_others(prepare, toy, name, options, n_idle):
    idle = {f"idle{place}": ["b0", str(place), "g1", "1 2"] for place in range(n_idle)}
    write_rich(toy, "shop", items={**rich_items(), **idle})
    _, dataset, (training, _, test), model = prepare(name, dataset="shop", **{**RICH, **options})
    assert dataset.item_num == 1 + 20 + n_idle
    assert np.isfinite(train(model, training)).all()
    scores = scores_of(model, test._dataset, 3)
    assert scores.shape == (3, dataset.item_num)
    assert torch.isfinite(scores[:, 1:]).all()


def test_the_shelf_may_have_items_without_events(prepare, toy):
    items = {item: ["0", "inf"] for item in [*rich_items(), "idle1", "idle2"]}
    write_rich(toy, "shop")
    write_items(toy, "shop", items, "item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq")
    columns = {"inter": COLUMNS, "item": ["item_id", "listed_at", "delisted_at"]}
    options = {"load_col": columns, "candidates": "on_shelf"}
    loaders = prepare("IMNNetPlus", dataset="shop", **options)[2]
    mask = next(iter(loaders[2]))[1]
    assert mask.shape[1] == 23
    assert not mask[:, 1:].any()


@pytest.mark.parametrize("model", ["IMNNetPlus", "SASRec"])
def test_events_whose_item_is_not_listed_are_kept_and_told(prepare, toy, caplog, model):
    write_rich(toy, "part", items={item: rich_items()[item] for item in ("i1", "i2")})
    dataset = prepare(model, dataset="part", **RICH, **CE)[1]
    assert len(dataset.log) == 300
    assert "events have items that part.item does not list, such as 'i" in caplog.text
    brand = dataset.item_features[:, :3]
    missing = dataset.field2token_id["item_id"]["i7"]
    # No brand is a column of its own; an unknown price is the usual one.
    assert brand[missing, 0] == brand[:, 0].max()
    assert abs(dataset.item_features[missing, 3]) < 1e-6


def test_who_asks_for_it_leaves_out_events_and_is_told(prepare, toy, caplog):
    write_rich(toy, "part", items={item: rich_items()[item] for item in ("i1", "i2", "i3")})
    caplog.set_level(logging.INFO)
    options = {**RICH, "filter_inter_by_user_or_item": True, "topk": [3], "valid_metric": "MRR@3"}
    dataset = prepare("IMNNet", dataset="part", **options)[1]
    assert dataset.item_num == 4
    n_left = sum(row[1] in ("i1", "i2", "i3") for row in rich_rows())
    assert f"filter_inter_by_user_or_item: True leave {n_left} of 300 events" in caplog.text


def test_users_that_are_not_listed_are_kept_and_told(prepare, toy, caplog):
    (toy / "toy" / "toy.user").write_text("user_id:token\tage:float\nu1\t30\n")
    columns = {"inter": COLUMNS, "user": ["user_id", "age"]}
    assert len(prepare("IMNNet", load_col=columns)[1].log) == 300
    assert "events have users that toy.user does not list" in caplog.text


def test_repeated_rows_of_an_item_are_counted(prepare, toy, caplog):
    write_rich(toy, "twice")
    with (toy / "twice" / "twice.item").open("a") as file:
        file.write("i3\tb9\t1\tg1\t1 2\ni4\tb9\t1\tg1\t1 2\n")
    prepare("IMNNet", dataset="twice", **RICH)
    assert "2 rows of twice.item repeat an earlier item_id" in caplog.text
    assert "(line 22: 'i3')" in caplog.text


def test_describe_says_what_is_odd(toy, capsys):
    rows = [[*row[:2], row[2] * 1000 + 1.5e12, *row[3:]] for row in rich_rows()]
    write_rich(toy, "odd", rows, {"i1": rich_items()["i1"], "idle": rich_items()["i2"]})
    assert main(["describe", "odd", f"--data_path={toy}"]) == 0
    report = json.loads((toy / "odd" / "odd.report.json").read_text())
    assert report["size"]["actions"] == 300
    notes = "\n".join(report["notes"])
    assert "as milliseconds they are 2017-07-14" in notes
    assert "events have no row in odd.item for their item_id, such as 'i" in notes
    assert "1 of 2 ids of odd.item have no event" in notes
    assert notes.splitlines()[0] in capsys.readouterr().out
    assert "as milliseconds" in (toy / "odd" / "odd.report.html").read_text()


# -- categories -------------------------------------------------------------------------------


def test_sequences_of_categories_are_columns_of_0_and_1(prepare, toy, caplog):
    caplog.set_level(logging.INFO)
    write_rich(toy, "rich")
    dataset = prepare("IMNNetPlus", dataset="rich", **RICH)[1]
    assert "Columns of item_features: brand 4, price 1, genres 5, image 2" in caplog.text
    assert "Columns of event_features: paid 1, kind 4, tags 4" in caplog.text
    genres = dataset.item_features[1:, 5:10]
    names = dataset.field2id_token["genres"][1:]
    for column, name in zip(genres.T, names, strict=True):
        has = [
            name in rich_items()[item][2].split() for item in dataset.field2id_token["item_id"][1:]
        ]
        assert len(column.unique()) == 2
        assert (column == column.max()).tolist() == has
    empty = [
        cells[2] == "" for cells in map(rich_items().get, dataset.field2id_token["item_id"][1:])
    ]
    assert (genres[empty] == genres.min(dim=0).values).all()
    tags = dataset.log.features[:, 5:]
    assert tags.shape == (300, 4)
    assert (tags > 0).any(axis=1).tolist() == [row[-1] != "" for row in rich_rows()]


@pytest.mark.parametrize("kind", ["token", "token_seq"])
def test_too_many_categories_are_one_line(prepare, toy, kind):
    items = {f"x{place}": [f"c{place}"] for place in range(MAX_CATEGORIES + 1)}
    rows = [
        (f"u{place % 9}", item, place + 1000 * turn, "view", 0)
        for turn in range(9)
        for place, item in enumerate(items)
    ]
    write_log(toy, "many", rows)
    write_items(toy, "many", items, f"item_id:token\tcode:{kind}")
    columns = {"inter": COLUMNS, "item": ["item_id", "code"]}
    with pytest.raises(DataError, match=r"'code' has 51\d categories; at most 512"):
        prepare("IMNNetPlus", dataset="many", load_col=columns, item_features=["code"])
