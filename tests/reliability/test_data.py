"""Ordinary data of shops, and data that nobody can compute with."""

import json
import logging

import numpy as np
import pytest
import torch

from recbole_imn.__main__ import main
from recbole_imn.data.atomic import DataError
from recbole_imn.data.feature_maps import Scale
from recbole_imn.data.field_maps import MAX_CATEGORIES
from tests.conftest import random_rows, write_log
from tests.reliability.logs import (
    COLUMNS,
    HEADER,
    RICH,
    RICH_HEADER,
    rich_items,
    rich_rows,
    scores_of,
    train,
    write_items,
    write_rich,
)

CE = {"train_neg_sample_args": None}
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
    assert "2 rows repeat an earlier item_id" in caplog.text
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


# -- numbers ----------------------------------------------------------------------------------

BAD = ["inf", "-inf", "nan", "NaN", "1e300", "1e39", "ten"]


def log_with(toy, value, place=200):
    rows = rich_rows()
    rows[place][5] = value
    write_rich(toy, "bad", rows)
    return {**RICH, "dataset": "bad"}


def items_with(toy, place, value):
    items = rich_items()
    items["i9"][place] = value
    write_rich(toy, "bad", items=items)
    return {**RICH, "dataset": "bad"}


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("key", ["event_features", "inventory_features"])
def test_bad_numbers_of_events_are_refused_with_their_line(prepare, toy, value, key):
    options = log_with(toy, value)
    with pytest.raises(DataError, match=r"bad\.inter, line 202: paid is '?[-+.\w]+'?[,;]"):
        prepare("IMNNetPlus", **{**options, "event_features": [], key: ["paid"]})


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(("place", "field", "text"), [(1, "price", "{}"), (3, "image", "1 {}")])
def test_bad_numbers_of_items_are_refused_with_their_line(prepare, toy, value, place, field, text):
    options = items_with(toy, place, text.format(value))
    with pytest.raises(DataError, match=rf"bad\.item, line 10: {field} is ") as error:
        prepare("IMNNetPlus", **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", BAD)
def test_bad_numbers_of_users_are_refused_with_their_line(prepare, toy, value):
    (toy / "toy" / "toy.user").write_text(f"user_id:token\tage:float\nu1\t30\nu2\t{value}\n")
    with pytest.raises(DataError, match=r"toy\.user, line 3: age is "):
        prepare("SASRec", load_col={"inter": COLUMNS, "user": ["user_id", "age"]}, **CE)


@pytest.mark.parametrize("value", [*BAD, "-inf"])
@pytest.mark.parametrize("place", [0, 1])
def test_only_the_end_of_a_stay_may_be_open(prepare, toy, capsys, value, place):
    items = {"i1": ["0", "5"], "i2": ["0", "5"]}
    items["i2"][place] = value
    write_rich(toy, "stays")
    write_items(toy, "stays", items, "item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq")
    columns = {"inter": COLUMNS, "item": ["item_id", "listed_at", "delisted_at"]}
    status = main(["describe", "stays", f"--data_path={toy}"])
    if (value, place) == ("inf", 1):
        assert status == 0
        prepare("IMNNet", dataset="stays", load_col=columns)
        return
    assert status == 2
    field = ("listed_at", "delisted_at")[place]
    assert f"stays.item, line 3: {field} is" in capsys.readouterr().err
    with pytest.raises(DataError, match=rf"stays\.item, line 3: {field} is"):
        prepare("IMNNet", dataset="stays", load_col=columns)


def test_numbers_too_far_from_training_are_refused_with_their_line(prepare, toy):
    with pytest.raises(DataError, match=r"bad\.inter, line 292: paid is 1e\+30, too far"):
        prepare("IMNNetPlus", **log_with(toy, "1e30", place=290))
    write_rich(toy, "bad", items={**rich_items(), "idle": ["b1", "1", "", "1 3e38"]})
    with pytest.raises(DataError, match=r"bad\.item, line 22: image is 3e\+38, too far"):
        prepare("IMNNetPlus", dataset="bad", **RICH)


@pytest.mark.parametrize("scale", [0.0, 1e-300, 1e-30, 1e30])
def test_constant_and_huge_columns_are_finite(prepare, toy, scale):
    rows = rich_rows()
    for place, row in enumerate(rows):
        row[5] = repr(0.1 + scale if scale < 1 else scale * (place % 7))
    rows[295][5] = repr(5.0)
    write_rich(toy, "flat", rows)
    _, dataset, (training, _, test), model = prepare("IMNNetPlus", dataset="flat", **RICH)
    assert np.isfinite(train(model, training)).all()
    assert torch.isfinite(scores_of(model, test._dataset)[:, 1:]).all()
    assert np.abs(dataset.log.features).max() < 100


def test_equal_numbers_stay_equal_whatever_rounding_does():
    # 0.1 as a mean of 0.1s is off by a bit.
    values = np.full((1001, 1), 0.1)
    scale = Scale.fit(values)
    assert (scale(values) == 0).all()
    assert scale(np.array([[5.0]]))[0, 0] == pytest.approx(4.9)


# -- times ------------------------------------------------------------------------------------

SHIFTS = [-(2.0**20), -(2.0**31), 2.0**31, 2.0**40]


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("IMNNetPlus", RICH),
        ("IMNNet", {**RICH, "resource_branch": "full", "inventory_features": ["paid"]}),
        ("JODIE", {"elapsed_scale": "linear"}),
        ("RecentHistory", {}),
        ("SASRec", CE),
    ],
)
def test_times_count_from_anywhere(prepare, toy, name, options, shift):
    found = []
    for data, add in (("zero", 0.0), ("moved", shift)):
        rows = [[*row[:2], row[2] + add, *row[3:]] for row in rich_rows()]
        write_rich(toy, data, rows)
        _, _, (training, _, test), model = prepare(name, dataset=data, **options)
        found.append((train(model, training), scores_of(model, test._dataset)))
    assert np.isfinite(found[0][0]).all()
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


def test_candidates_on_the_shelf_are_those_of_any_origin(prepare, toy):
    masks = []
    for data, add in (("zero", 0), ("moved", -(2**31))):
        rows = [[*row[:2], row[2] + add, *row[3:]] for row in rich_rows()]
        write_rich(toy, data, rows)
        stays = {f"i{k}": [f"{k * 3000 + add}", f"{k * 3000 + 50000 + add}"] for k in range(1, 21)}
        write_items(toy, data, stays, "item_id:token\tlisted_at:float_seq\tdelisted_at:float_seq")
        loader = prepare("IMNNet", dataset=data, candidates="on_shelf")[2][2]
        masks.append(next(iter(loader))[1])
    assert masks[0].any()
    assert torch.equal(*masks)


def test_times_in_another_unit_are_told(prepare, toy, caplog):
    rows = [[*row[:2], row[2] * 1000 + 1.5e12, *row[3:]] for row in rich_rows()]
    rows[7][2] = 1_500_000_000
    write_rich(toy, "mixed", rows)
    prepare("IMNNet", dataset="mixed")
    assert "timestamp must be in seconds, but times reach 15000" in caplog.text
    assert "but 1 of 300 are not, 1500000000 (2017-07-14 if counted from 1970)" in caplog.text


def test_times_of_no_unit_are_refused(prepare, toy, capsys):
    rows = rich_rows()
    rows[4][2] = "1e300"
    write_rich(toy, "bad", rows)
    with pytest.raises(DataError, match=r"bad\.inter, line 6: timestamp is 1e\+300"):
        prepare("IMNNet", dataset="bad")
    assert main(["describe", "bad", f"--data_path={toy}"]) == 2
    assert "bad.inter, line 6: timestamp is 1e+300" in capsys.readouterr().err


# -- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id:token\tprice:float\ni1\t1\n", r"no column item_id; the header has \['id', 'price'\]"),
        ("item_id:float\tprice:float\n1\t1\n", "item_id must be a column item_id:token, not item_"),
        ("item_id:token\tprice:float\ni1\t1\n\t2\n", "line 3: item_id is empty"),
        ("item_id:token\tprice:float\n", "a header but no rows"),
        ("item_id:token\tprice:float\ni1\n", "line 2: 1 columns, but the header has 2"),
    ],
)
def test_item_files_that_say_nothing_are_refused(prepare, toy, text, message):
    (toy / "toy" / "toy.item").write_text(text)
    columns = {"inter": COLUMNS, "item": ["item_id", "price"]}
    with pytest.raises(DataError, match=message) as error:
        prepare("IMNNet", load_col=columns, item_features=["price"])
    assert "toy.item" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("purchase:float", "purchase:token", "purchase must be a column purchase:float of 0 and 1"),
        ("behavior:token", "behavior:token_seq", "behavior must be a column behavior:token, not"),
        ("timestamp:float", "timestamp:token", "timestamp must be a column timestamp:float"),
        ("user_id:token", "session_id:token", r"no column user_id; the header has \['session_id'"),
    ],
)
def test_columns_of_a_wrong_type_are_named_with_it(prepare, toy, capsys, old, new, message):
    write_log(toy, "typed", random_rows(), HEADER.replace(old, new))
    with pytest.raises(DataError, match=message):
        prepare("IMNNet", dataset="typed")
    assert main(["describe", "typed", f"--data_path={toy}"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_columns_may_have_other_names_everywhere(prepare, toy, capsys):
    header, listed = (
        RICH_HEADER,
        "item_id:token\tbrand:token\tprice:float\tgenres:token_seq\timage:float_seq",
    )
    for old, new in (("user_id", "session_id"), ("item_id", "sku"), ("timestamp", "when")):
        header, listed = header.replace(old, new), listed.replace(old, new)
    write_rich(toy, "usual")
    write_log(toy, "renamed", [tuple(row) for row in rich_rows()], header)
    write_items(toy, "renamed", rich_items(), listed)
    names = {"USER_ID_FIELD": "session_id", "ITEM_ID_FIELD": "sku", "TIME_FIELD": "when"}
    # What is needed is loaded, whatever load_col says.
    columns = {"inter": RICH["load_col"]["inter"], "item": ["brand", "price", "genres", "image"]}
    losses = []
    for data, options in (("usual", RICH), ("renamed", {**RICH, **names, "load_col": columns})):
        _, _, (training, _, test), model = prepare("IMNNetPlus", dataset=data, **options)
        losses.append((train(model, training), scores_of(model, test._dataset).tolist()))
    assert losses[0] == losses[1]
    settings = toy / "names.yaml"
    settings.write_text("".join(f"{key}: {value}\n" for key, value in names.items()))
    command = ["describe", "renamed", f"--data_path={toy}", f"--config_files={settings}"]
    assert main(command) == 0
    report = json.loads((toy / "renamed" / "renamed.report.json").read_text())
    assert report["size"]["actions"] == 300
    capsys.readouterr()
