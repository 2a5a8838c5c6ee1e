"""RecBole's settings of data, on a log that is read as one stream: they work, or are one line."""

import logging

import numpy as np
import pytest
import torch
from recbole.quick_start import run_recbole

from recbole_imn.errors import DataError, SettingsError
from tests.conftest import write_log
from tests.reliability.logs import (
    CE,
    COLUMNS,
    RICH,
    rich_items,
    rich_rows,
    train,
    write_rich,
)

SAMPLED = {
    "train_neg_sample_args": {
        "distribution": "uniform",
        "sample_num": 1,
        "alpha": 1.0,
        "dynamic": False,
        "candidate_num": 0,
    }
}
PAID = {"load_col": {"inter": [*COLUMNS, "paid"], "item": ["item_id", "price"]}}
BY_USER = {"order": "TO", "group_by": "user", "mode": "full"}


@pytest.fixture
def rich(toy):
    write_rich(toy, "rich")
    return toy


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"benchmark_filename": ["a", "b", "c"]}, "benchmark_filename is"),
        ({"threshold": {"paid": 1}}, "threshold is {'paid': 1}"),
        ({"LABEL_FIELD": "timestamp"}, "TIME_FIELD and LABEL_FIELD are both 'timestamp'"),
        ({"USER_ID_FIELD": None}, "USER_ID_FIELD is None"),
        ({"ITEM_ID_FIELD": "user_id"}, "USER_ID_FIELD and ITEM_ID_FIELD are both 'user_id'"),
        ({"repeatable": False}, "repeatable is False"),
        ({"rm_dup_inter": "all"}, "rm_dup_inter is 'all'"),
        ({"load_col": {"inter": "user_id"}}, "load_col.inter is 'user_id'; it must be a list"),
        ({"load_col": ["user_id"]}, "load_col is"),
        ({"unload_col": {"inter": ["timestamp"]}}, "but load_col says what is loaded"),
        ({"load_col": None, "unload_col": {"inter": ["item_id"]}}, r"leaves \['item_id'\]"),
        ({"unused_col": {"inter": ["item_id"]}}, r"unused_col names \['item_id'\]"),
        ({"unused_col": {"item": ["colour"]}}, r"unused_col names \['colour'\]"),
        ({"additional_feat_suffix": ["kg"]}, "there is no .*rich.kg"),
        ({"val_interval": {"colour": "[0,1]"}}, "val_interval names 'colour', which is no column"),
        ({"val_interval": {"paid": "much"}}, "'much' is no interval"),
        ({"val_interval": {"paid": "[5,1]"}}, "is no interval"),
        ({"val_interval": {"behavior": "buy"}}, "for a token, give a list"),
        ({"val_interval": {"paid": "[1e8,inf)"}}, "val_interval: .* leave nothing of .inter"),
        ({"val_interval": {"price": "[1e8,inf)"}}, "leave nothing of .i"),
        ({"user_inter_num_interval": "[1000,inf)"}, r"user_inter_num_interval: \[1000,inf\) leave"),
        ({"item_inter_num_interval": "[1000,inf)"}, r"item_inter_num_interval: \[1000,inf\) leave"),
        ({"user_inter_num_interval": 5}, "user_inter_num_interval is 5; it must be an interval"),
        ({"rm_dup_inter": "first", "val_interval": {"item_id": ["i1"]}}, "no user with two events"),
        ({"normalize_field": ["colour"]}, "normalize_field names 'colour'"),
        ({"normalize_field": ["user_id"]}, "is no number but token"),
        ({"normalize_field": ["paid"], "normalize_all": True}, "both set"),
        ({"seq_len": {"tgas": 1}}, "seq_len names 'tgas', which is no column of sequences"),
        ({"seq_len": {"paid": 1}}, "seq_len names 'paid', which is no column of sequences"),
        ({"numerical_features": ["colour"]}, "numerical_features names 'colour'"),
        ({"discretization": {"paid": {"method": "LD"}}}, "numerical_features does not name"),
        (
            {"numerical_features": ["paid"], "discretization": {"paid": {"method": "ED"}}},
            "discretization of paid is",
        ),
        (
            {"item_features": ["brand"]},
            "item_features names 'brand', which .*rich.item has, but load",
        ),
        ({"item_features": ["colour"]}, "item_features names 'colour', which .*does not have"),
        ({"event_features": ["kind"]}, "event_features names 'kind', which .*rich.inter has, but"),
        (
            {"inventory_features": ["kind"]},
            "inventory_features names 'kind', which .*has, but load",
        ),
        (
            {"item_features": ["price"], "load_col": {"inter": COLUMNS}},
            "but load_col does not name",
        ),
        ({"eval_args": {"order": "RO"}}, "eval_args.order is 'RO'; rows of a stream"),
        (
            {"eval_args": {"split": {"RS": [0.8, 0.2]}}},
            "RS is .* it must be three numbers above 0",
        ),
        (
            {"eval_args": {"split": {"RS": [0, 0, 0]}}},
            "RS is .* it must be three numbers above 0",
        ),
    ],
)
@pytest.mark.parametrize("model", ["IMNNetPlus", "SASRec"])
def test_settings_that_cannot_be_are_one_line(prepare, rich, model, settings, message):
    with pytest.raises((SettingsError, DataError), match=message) as error:
        prepare(model, **{"dataset": "rich", **PAID, **CE, **settings})
    assert "\n" not in str(error.value)


def test_features_without_their_file_are_named(prepare, toy):
    with pytest.raises(
        DataError, match=r"item_features names 'price', but there is no .*toy\.item"
    ):
        prepare("IMNNet", item_features=["price"])


@pytest.mark.parametrize(
    ("leave", "message"),
    [("valid_only", "it must be one of 'valid_and_test'"), ("test_only", "part has no rows")],
)
def test_splits_that_leave_a_part_empty_are_one_line(prepare, rich, leave, message):
    with pytest.raises((DataError, SettingsError), match=message):
        prepare("SASRec", dataset="rich", eval_args={**BY_USER, "split": {"LS": leave}}, **CE)


@pytest.mark.parametrize(
    "settings",
    [
        {"normalize_all": True},
        {"normalize_field": ["timestamp", "purchase"]},
        {"normalize_field": "timestamp"},
    ],
)
def test_times_and_flags_are_never_scaled(prepare, toy, caplog, settings):
    plain = prepare("IMNNet")[1].log
    log = prepare("IMNNet", **settings)[1].log
    assert np.array_equal(log.time, plain.time)
    assert np.array_equal(log.purchase, plain.purchase)
    assert "timestamp stays as it is" in caplog.text


def test_normalised_fields_are_0_to_1_over_the_training_part(prepare, rich):
    rows = rich_rows()
    rows[290][5] = "1e6"
    write_rich(rich, "later", rows)
    dataset = prepare("SASRec", dataset="later", **PAID, **CE, normalize_field=["paid"])[1]
    paid = dataset.events["paid"]
    assert paid[:240].min() == 0
    assert paid[:240].max() == 1
    assert paid[290] > 1000


def test_buckets_are_those_of_the_training_part(prepare, rich):
    rows = rich_rows()
    rows[290][5], rows[291][5] = "1e6", "-5"
    write_rich(rich, "later", rows)
    cut = {"paid": {"method": "ED", "bucket": 5}}
    options = {**PAID, **CE, "numerical_features": ["paid", "timestamp"], "discretization": cut}
    dataset = prepare("SASRec", dataset="later", **options)[1]
    buckets = dataset.events["paid"][:, 1]
    assert (buckets[:240].min(), buckets[:240].max()) == (1, 5)
    assert buckets[290:292].tolist() == [5, 1]
    assert dataset.num("paid") == 6
    # A bucket is a feature like any other number.
    options["event_features"] = ["paid"]
    features = prepare("IMNNet", dataset="later", **options)[1].log.features
    assert features.shape == (300, 1)
    assert len(np.unique(features[:240])) == len(buckets[:240].unique())


def test_filters_work_on_seconds_and_say_what_they_leave(prepare, rich, caplog):
    caplog.set_level(logging.INFO)
    limit = rich_rows()[150][2]
    dataset = prepare(
        "IMNNet", dataset="rich", val_interval={"timestamp": f"[0,{limit})"}, normalize_all=True
    )[1]
    assert len(dataset.log) == sum(row[2] < limit for row in rich_rows())
    assert f"leave {len(dataset.log)} of 300 events" in caplog.text


def test_events_of_items_that_a_filter_leaves_out_go_with_them(prepare, rich):
    dataset = prepare("IMNNet", dataset="rich", **PAID, val_interval={"price": "[15,inf)"})[1]
    dear = {item for item, cells in rich_items().items() if float(cells[1]) >= 15}
    assert len(dataset.log) == sum(row[1] in dear for row in rich_rows())
    assert set(dataset.field2id_token["item_id"][1:]) == dear


@pytest.mark.parametrize("keep", ["first", "last"])
def test_duplicates_are_removed_with_ties_in_file_order(prepare, toy, keep):
    rows = [(f"u{k % 7}", f"i{k % 3}", 5 * (k // 40), "view", 0) for k in range(200)]
    rows = [*rows, *[("x", f"j{k}", 100 + k, "view", 0) for k in range(40)]]
    write_log(toy, "ties", [(*row, place) for place, row in enumerate(rows)], TIED)
    options = {"load_col": {"inter": [*COLUMNS, "place"]}, "event_features": []}
    dataset = prepare("SASRec", dataset="ties", rm_dup_inter=keep, **options, **CE)[1]
    pairs = [row[:2] for row in rows]
    search = pairs if keep == "first" else pairs[::-1]
    places = sorted(search.index(pair) for pair in set(pairs))
    expected = places if keep == "first" else sorted(len(pairs) - 1 - place for place in places)
    assert dataset.events["place"].tolist() == expected


TIED = "user_id:token\titem_id:token\ttimestamp:float\tbehavior:token\tpurchase:float\tplace:float"


# -- models with a data set class of their own ------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("DIEN", SAMPLED),
        ("DIN", SAMPLED),
        ("FEARec", CE),
        ("BERT4Rec", CE),
        ("S3Rec", {**CE, "train_stage": "pretrain", "item_attribute": "genres"}),
    ],
)
def test_every_model_has_the_same_rows(prepare, rich, capsys, model, options):
    expected = prepare("IMNNetPlus", dataset="rich", **RICH)[2]
    loaders, network = prepare(model, dataset="rich", **RICH, **options)[2:]
    for ours, theirs in zip(expected, loaders, strict=True):
        fields = ("event_index", "item_id", "user_id")
        for field in fields:
            assert torch.equal(ours._dataset.inter_feat[field], theirs._dataset.inter_feat[field])
    assert np.isfinite(train(network, loaders[0])).all()
    capsys.readouterr()


VECTORS = {
    "load_col": {"inter": COLUMNS, "ent": ["ent_id", "ent_emb"]},
    "additional_feat_suffix": "ent",
    "alias_of_item_id": ["ent_id"],
    "preload_weight": {"ent_id": "ent_emb"},
}


@pytest.mark.parametrize("scaled", [[], ["ent_emb"]])
def test_vectors_of_an_additional_file_are_loaded_for_ids_of_items(prepare, toy, scaled):
    """As RecBole's users load them for models of their own (``get_preload_weight``)."""
    rows = [f"i{item}\t{item}.5 -{item}" for item in range(1, 21)]
    text = "\n".join(["ent_id:token\tent_emb:float_seq", *rows]) + "\n"
    (toy / "toy" / "toy.ent").write_text(text)
    settings = {**VECTORS, **CE, "normalize_field": scaled}
    dataset = prepare("SASRec", **settings)[2][0]._dataset
    weights = dataset.get_preload_weight("ent_id")
    assert weights.shape == (dataset.item_num, 2)
    # Scaled over all of them, -20 to 20.5.
    expected = [23.5 / 40.5, 17 / 40.5] if scaled else [3.5, -3.0]
    assert np.allclose(weights[dataset.token2id("item_id", "i3")], expected)
    with pytest.raises(SettingsError, match=r"names 'ent_emb', which is of \.ent alone"):
        prepare("SASRec", **settings, numerical_features=["ent_emb"])
    with pytest.raises(SettingsError, match="'ent_emb', which is no column of tokens"):
        prepare("SASRec", **{**settings, "alias_of_item_id": ["ent_emb"]})


def test_pretraining_draws_dynamic_negatives_and_is_tested_by_any_metric(rich):
    dynamic = {"dynamic": True, "candidate_num": 2}
    settings = {
        **{"data_path": str(rich), "event_stream": True, "show_progress": False, **RICH},
        **{"pretrain_epochs": 1, "item_attribute": "genres", "topk": [5]},
        **{"metrics": ["ItemCoverage"], "valid_metric": "ItemCoverage@5"},
        **{"loss_type": "BPR", "train_neg_sample_args": dynamic, "hidden_size": 8},
    }
    assert run_recbole("S3Rec", "rich", config_dict=settings)["test_result"]
    assert (rich / "saved" / "S3Rec-rich-1.pth").is_file()


def test_no_more_items_are_ranked_anew_than_there_are(prepare, toy):
    with pytest.raises(SettingsError, match="reranker_CAN_NUM of SASRecCPR is 100, but toy has"):
        prepare("SASRecCPR")
    dataset = prepare("SASRecCPR", reranker_CAN_NUM=5)[1]
    assert prepare("GRU4RecCPR", reranker_CAN_NUM=dataset.item_num)[3]
    network = prepare("SASRecCPR", reranker_CAN_NUM=(9, 5), n_facet_all=6)[3]
    assert network.reranker_CAN_NUM == [9, 5]


def test_histories_beside_those_of_dien_are_other_items(prepare, rich):
    dataset = prepare("DIEN", dataset="rich", **RICH, **SAMPLED)[2][0]._dataset
    batch = dataset[np.arange(len(dataset))]
    items, others = batch["item_id_list"], batch["neg_item_id_list"]
    assert ((items == 0) == (others == 0)).all()
    assert ((items != others) | (items == 0)).all()
    assert len(others.unique()) == 21


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("KSR", {}, "KSR reads data by a class of its own, KSRDataset"),
        ("GRU4RecKG", {}, "GRU4RecKG reads data by a class of its own"),
        ("S3Rec", {}, "S3Rec learns from item_attribute 'class', which must be a column"),
        ("S3Rec", {"item_attribute": "brand"}, "must be a column brand:token_seq"),
        (
            "S3Rec",
            {"item_attribute": "genres", "train_stage": "finetune"},
            "finetune needs pre_model_path",
        ),
    ],
)
def test_models_that_need_other_files_are_one_line(prepare, rich, model, settings, message):
    with pytest.raises(SettingsError, match=message):
        prepare(model, dataset="rich", **RICH, **CE, **settings)


def test_the_command_says_it_in_one_line(rich, capsys):
    from recbole_imn.command_line import main

    common = ["--dataset=rich", f"--data_path={rich}", "--model=IMNNet"]
    for option in ("--repeatable=False", "--benchmark_filename=['a']", "--rm_dup_inter=some"):
        assert main([*common, option]) == 2
        printed = capsys.readouterr().err
        assert printed.startswith("error: ")
        assert option[2:].partition("=")[0] in printed
        assert len(printed.splitlines()) == 1
