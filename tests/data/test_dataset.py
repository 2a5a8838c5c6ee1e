"""Rows and histories of the stream data set against RecBole's own augmentation."""

import numpy as np
import pytest
import torch

from recbole_imn.data.dataset import EVENT_INDEX, IMNNetDataset, StreamDataset
from recbole_imn.errors import DataError
from tests.conftest import random_rows, write_log
from tests.past.logs import look_at_log


def parts_of(config):
    from recbole.data import create_dataset

    return create_dataset(config).build()


@pytest.mark.parametrize("length", [5, 50])
def test_rows_and_histories_equal_recboles_augmentation(make_config, length):
    from recbole.data.dataset import SequentialDataset

    options = {"MAX_ITEM_LIST_LENGTH": length}
    ours = StreamDataset(make_config("SASRec", **options))
    theirs = SequentialDataset(
        make_config(
            "SASRec", event_stream=False, train_neg_sample_args=None, **TIME_SPLIT, **options
        )
    )
    ours._change_feat_format()
    theirs._change_feat_format()
    mine, upstream = ours[np.arange(len(ours))], theirs[np.arange(len(theirs))]
    assert len(mine) == len(upstream)
    # RecBole orders rows by user; times are exact here, so user and time find each row.
    found = np.lexsort((mine["item_length"], mine["user_id"]))
    wanted = np.lexsort((upstream["item_length"], upstream["user_id"]))
    if length == 5:  # lengths are cut, but both keep a user's rows in time order
        found = np.lexsort((mine[EVENT_INDEX], mine["user_id"]))
        wanted = np.argsort(upstream["user_id"], kind="stable")
    for field in upstream.columns:
        left, right = mine[field][torch.as_tensor(found)], upstream[field][torch.as_tensor(wanted)]
        assert left.dtype == right.dtype, field
        torch.testing.assert_close(left, right, rtol=0, atol=0, msg=lambda m, f=field: f + m)


TIME_SPLIT = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp", "behavior", "purchase"]},
    "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "TO", "group_by": None},
}


def test_a_shuffled_file_with_close_times_gives_the_same_rows(tmp_path, make_config):
    rows = [(u, i, 1_700_000_000 + t, b, p) for u, i, t, b, p in distinct_times()]
    shuffled = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
    write_log(tmp_path, "sorted", rows)
    write_log(tmp_path, "shuffled", shuffled)
    tokens = []
    for name in ("sorted", "shuffled"):
        dataset = StreamDataset(make_config("SASRec", dataset=name))
        dataset._change_feat_format()
        batch = dataset[np.arange(len(dataset))]
        items = dataset.field2id_token["item_id"]
        tokens.append(items[batch["item_id_list"].numpy()].tolist())
    assert tokens[0] == tokens[1]


def distinct_times():
    return [(u, i, place, b, p) for place, (u, i, _, b, p) in enumerate(random_rows())]


def test_parts_are_cut_once_in_time_on_events(make_config):
    train, valid, test = parts_of(make_config("GRU4Rec"))
    n = len(train.log)
    assert train.event_bounds == (0, n - 2 * (n // 10), n - n // 10, n)
    for part in (train, valid, test):
        events = part.inter_feat[EVENT_INDEX].numpy()
        inside = np.arange(part.event_start, part.event_stop)
        expected = inside[part.history_length[inside] > 0]
        assert events.tolist() == expected.tolist()


def test_every_model_gets_the_same_test_rows(make_config):
    rows = [
        parts_of(make_config(model))[2].inter_feat[EVENT_INDEX].tolist()
        for model in ("IMNNet", "SASRec", "GRU4Rec", "NextItNet", "FPMC")
    ]
    assert all(other == rows[0] for other in rows)


def test_elapsed_times_and_purchases_are_interaction_fields(make_config):
    dataset = IMNNetDataset(make_config("IMNNet"))
    dataset._change_feat_format()
    window = dataset.window(0, 50)
    facts, of_items = look_at_log(dataset.past, 50)
    for field, expected in (
        ("delta_user", facts.elapsed),
        ("delta_item", of_items.elapsed),
        ("delta_purchase", facts.since_purchase),
    ):
        torch.testing.assert_close(window[field], torch.from_numpy(expected).float())
    assert window["purchase"].tolist() == dataset.log.purchase[:50].astype(float).tolist()


def test_without_a_purchase_column_no_event_is_a_purchase(tmp_path, make_config):
    header = "user_id:token\titem_id:token\ttimestamp:float"
    write_log(tmp_path, "plain", [row[:3] for row in random_rows()], header)
    dataset = IMNNetDataset(make_config("IMNNet", dataset="plain"))
    dataset._change_feat_format()
    assert not dataset.log.purchase.any()
    assert (dataset.log.behaviour == 0).all()


def test_histories_are_not_stored(make_config):
    dataset = StreamDataset(make_config("SASRec"))
    dataset._change_feat_format()
    assert "item_id_list" not in dataset.inter_feat
    assert dataset[[0, 1]]["item_id_list"].shape == (2, 50)


def test_models_of_the_stream_refuse_other_splits(make_config):
    config = make_config(
        "IMNNet", eval_args={"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user"}
    )
    with pytest.raises(DataError, match="IMNNet learns from one global stream"):
        parts_of(config)


def test_built_in_models_may_use_other_splits(make_config):
    config = make_config(
        "SASRec", eval_args={"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user"}
    )
    train, valid, test = parts_of(config)
    assert len(valid) == len(test) == 12
    latest = [part.inter_feat[EVENT_INDEX].max() for part in (train, valid, test)]
    assert latest[0] < latest[2]


def test_item_attributes_become_features(tmp_path, make_config):
    write_log(tmp_path, "rich", random_rows())
    items = {row[1] for row in random_rows()}
    lines = ["item_id:token\tbrand:token\tprice:float\timage:float_seq"]
    lines += [f"{item}\tb{place % 3}\t{place}\t{place} 1.5" for place, item in enumerate(items)]
    (tmp_path / "rich" / "rich.item").write_text("\n".join(lines) + "\n")
    config = make_config(
        "IMNNet",
        dataset="rich",
        load_col={
            "inter": ["user_id", "item_id", "timestamp", "behavior", "purchase"],
            "item": ["item_id", "brand", "price", "image"],
        },
        item_features=["brand", "price", "image"],
    )
    dataset = IMNNetDataset(config)
    dataset._change_feat_format()
    assert dataset.item_features.shape == (dataset.item_num, 4 + 1 + 2)
    seen = np.unique(dataset.log.item[: dataset.event_bounds[1]])
    assert abs(dataset.item_features[seen].mean(dim=0)).max() < 1e-5
    assert (dataset.item_features[0] == 0).all()


@pytest.mark.parametrize("key", ["event_features", "item_features", "inventory_features"])
def test_unknown_features_are_named(make_config, key):
    dataset = IMNNetDataset(make_config("IMNNet", **{key: ["colour"]}))
    with pytest.raises(DataError, match="'colour'"):
        dataset._change_feat_format()


def test_a_missing_data_set_says_where_it_should_be(make_config):
    with pytest.raises(DataError, match=r"data set 'nowhere' not found: .*nowhere\.inter"):
        IMNNetDataset(make_config("IMNNet", dataset="nowhere"))


def test_a_log_too_short_to_split_is_refused(tmp_path, make_config):
    write_log(tmp_path, "short", [("u", "i", 1, "v", 0), ("u", "j", 2, "v", 0)])
    with pytest.raises(DataError, match="the training part has no rows"):
        parts_of(make_config("IMNNet", dataset="short"))
