"""Types and ranges of settings."""

from __future__ import annotations

import numpy as np
import pytest
from recbole.config import Config
from recbole.model.sequential_recommender.sasrec import SASRec

from recbole_imn.data.market import MarketConfig, read_config
from recbole_imn.errors import DataError, SettingsError
from recbole_imn.model.settings import SETTINGS, NetworkSettings
from tests.registered import forgotten_afterwards

WRONG = [
    ({"static_features": "maybe"}, "static_features is 'maybe'; it must be True or False"),
    ({"terms": [1]}, r"terms\[0\] is 1; it must be"),
    ({"purchase_reach": 0.5}, "purchase_reach is 0.5; it must be a whole number"),
    ({"unseen_ids": "none"}, "unseen_ids is 'none'; it must be one of"),
    ({"n_negatives": 1.5}, "n_negatives is 1.5; it must be a whole number"),
    ({"mse_weight": "abc"}, "mse_weight is 'abc'; it must be a number"),
    ({"mse_weight": float("nan")}, "mse_weight is nan; it must be a finite number"),
    ({"temperature": 0}, "temperature is 0; it must be above 0"),
    ({"cell": "rnn"}, "cell is 'rnn'; it must be one of"),
    ({"embedding_size": 10**9}, "embedding_size is 1000000000; it must be"),
    ({"epochs": 0}, "epochs is 0; it must be above 0"),
    ({"epochs": True}, "epochs is True; it must be a whole number"),
    ({"train_batch_size": "1/0"}, "train_batch_size is '1/0'; it must be a whole number"),
    ({"learning_rate": "inf"}, "learning_rate is 'inf'; it must be a number"),
    ({"table_learning_rate": 0}, "table_learning_rate is 0; it must be above 0"),
    ({"pointer_learning_rate": 0}, "pointer_learning_rate is 0; it must be above 0"),
    ({"average_share": -1}, "average_share is -1; it must be 0 or above"),
    ({"learner": "adamx"}, "learner is 'adamx'; it must be one of"),
    ({"topk": []}, r"topk is \[\]; it must be a list that is not empty"),
    ({"topk": [5, "a"]}, r"topk\[1\] is 'a'; it must be a whole number"),
    ({"metrics": ["ndcgg"]}, "There is no metric named 'ndcgg'; did you mean NDCG"),
    ({"seed": 2**40}, "seed is 1099511627776; it must be below"),
    ({"MAX_ITEM_LIST_LENGTH": 0}, "MAX_ITEM_LIST_LENGTH is 0; it must be above 0"),
    ({"candidates": "shelf"}, "candidates is 'shelf'; it must be one of"),
    ({"online_updates": 1}, "online_updates is 1; it must be True or False"),
    ({"first_events": "yes"}, "first_events is 'yes'; it must be True or False"),
    ({"state": "loud"}, "state is 'loud'; it must be one of debug"),
    ({"encoding": "utf-16"}, "encoding is 'utf-16'; it must be a text encoding that keeps ASCII"),
    (
        {"user_inter_num_interval": "[5"},
        r"user_inter_num_interval is '\[5'; it must be an interval",
    ),
    ({"load_col": "all"}, "load_col is 'all'; it must be a list of NAME: VALUE"),
    ({"load_col": {"inter": "user_id"}}, r"load_col.inter is 'user_id'; it must be a list"),
    ({"load_col": {"iter": ["a"]}}, "load_col names the file 'iter'; did you mean inter"),
    ({"load_col": {"inter": []}}, "load_col names no columns of inter"),
    ({"unload_col": {"inter": ["purchase"]}}, "unload_col is .* but load_col says what is loaded"),
    ({"USER_ID_FIELD": "item_id"}, "USER_ID_FIELD and ITEM_ID_FIELD are both 'item_id'"),
    ({"clip_grad_norm": 5}, "clip_grad_norm is 5; it must be a list of NAME: VALUE"),
    (
        {"clip_grad_norm": {"max_norm": 5, "foo": 1}},
        "'clip_grad_norm.foo'; there are error_if_nonfinite, max_norm, norm_type",
    ),
    ({"clip_grad_norm": {"maxnorm": 5}}, "'clip_grad_norm.maxnorm'; did you mean max_norm"),
    (
        {"valid_metric_bigger": False},
        "valid_metric_bigger is False, but of NDCG@5 the larger value is better",
    ),
    (
        {
            "valid_metric": "AveragePopularity@5",
            "metrics": ["AveragePopularity"],
            "valid_metric_bigger": True,
        },
        "valid_metric_bigger is True, but of AveragePopularity@5 the smaller",
    ),
    ({"alias_of_entity_id": ["nothere"]}, "sequential models are given no knowledge graph"),
    ({"alias_of_relation_id": ["nothere"]}, "sequential models are given no knowledge graph"),
    ({"kg_reverse_r": True}, "kg_reverse_r is True, but sequential models are given no knowledge"),
    ({"entity_kg_num_interval": "[1,inf)"}, "sequential models are given no knowledge graph"),
    ({"weight_decay": -1}, "weight_decay is -1; it must be 0 or above"),
    ({"repeatable": False}, "repeatable is False"),
    ({"data_path": 5}, r"data_path is 5; it must be a folder; .* is written as \./5"),
    ({"checkpoint_dir": 2024}, r"checkpoint_dir is 2024; it must be a folder; .*\./2024"),
]
EVALUATION = [
    ({"mode": "labeled"}, "eval_args.mode.valid is 'labeled'; rows of a stream are next events"),
    ({"mode": "uni"}, "eval_args.mode.valid is 'uni'; it must be full, or such as uni100"),
    ({"mode": "uni0"}, "eval_args.mode.valid is 'uni0'"),
    ({"mode": 5}, "eval_args.mode is 5"),
    ({"order": "RO"}, "eval_args.order is 'RO'; rows of a stream are told apart by time"),
    (
        {"split": {"RS": [1, 2]}},
        r"eval_args.split.RS is \[1, 2\]; it must be three numbers above 0",
    ),
    ({"split": {"RS": [0.9, 0.1, 0]}}, "it must be three numbers above 0"),
    ({"split": {"LS": "valid_only"}}, "eval_args.split.LS is 'valid_only'; it must be one of"),
    ({"split": {"XS": 1}}, "unknown key 'eval_args.split.XS'"),
    ({"split": 5}, "eval_args.split is 5"),
    ({"group": "user"}, "unknown key 'eval_args.group'; did you mean group_by"),
]


ALL_WRONG = WRONG + [({"eval_args": changed}, message) for changed, message in EVALUATION]


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [("IMNNet", *case) for case in ALL_WRONG]
    # Others have no settings of our networks.
    + [("SASRec", *case) for case in ALL_WRONG if not set(SETTINGS) & case[0].keys()],
)
def test_a_wrong_setting_is_one_line(make_config, model, settings, message):
    with pytest.raises(SettingsError, match=message) as error:
        make_config(model, **settings)
    assert "\n" not in str(error.value)


SASREC = [
    ({"n_layers": 1.5}, "n_layers of SASRec is 1.5; it must be a whole number, such as 2"),
    ({"n_heads": 0}, "n_heads of SASRec is 0; it must be above 0"),
    ({"hidden_size": "a"}, "hidden_size of SASRec is 'a'; it must be a number, such as 64"),
    ({"hidden_dropout_prob": 2}, "hidden_dropout_prob of SASRec is 2; it must be in 0..1"),
    ({"hidden_act": "foo"}, "hidden_act is 'foo'; it must be one of"),
    ({"loss_type": "X"}, "loss_type is 'X'; it must be CE or BPR"),
    ({"learner": "sparse_adam"}, "learner is 'sparse_adam', but only id tables"),
    ({"train_neg_sample_args": {"sample_num": 2}}, "but the loss CE is over the whole catalogue"),
    ({"loss_type": "BPR", "train_neg_sample_args": None}, "compares each item with a negative one"),
    (
        {"loss_type": "BPR", "train_neg_sample_args": {"dynamic": True}},
        "dynamic: True with candidate_num 0",
    ),
    (
        {"loss_type": "BPR", "train_neg_sample_args": {"foo": 1}},
        "'train_neg_sample_args.foo'; there are alpha, candidate_num, distribution, dynamic",
    ),
    ({"neg_sampling": {"uniform": 1}}, "neg_sampling is ignored by RecBole 1.2.1"),
    ({"transform": "user_defined"}, "which RecBole 1.2.1 leaves empty"),
    *[
        ({"transform": f"{kind}_itemseq"}, "but SASRec reads no changed sequences; leave it out")
        for kind in ("mask", "crop", "reorder", "inverse")
    ],
]


@pytest.mark.parametrize(("settings", "message"), SASREC)
def test_a_wrong_setting_of_a_model_of_recbole_is_one_line(make_config, settings, message):
    with pytest.raises(SettingsError, match=message):
        make_config("SASRec", **settings)


OTHERS = [
    ("SASRecCPR", {"loss_type": "BPR"}, "loss_type is 'BPR'; it must be CE for SASRecCPR"),
    ("GRU4RecCPR", {"loss_type": "BPR"}, "it must be CE for GRU4RecCPR"),
    ("CORE", {"loss_type": "BPR"}, "it must be CE for CORE"),
    ("FPMC", {"loss_type": "CE"}, "it must be BPR for FPMC"),
    ("SINE", {"loss_type": "X"}, "it must be CE or BPR or NLL for SINE"),
    ("RepeatNet", {"loss_type": "BPR"}, "it must be CE for RepeatNet"),
    ("RepeatNet", {"loss_type": "nonsense"}, "it must be CE for RepeatNet"),
    ("RepeatNet", {"train_neg_sample_args": {"sample_num": 1}}, "the loss CE is over the whole"),
    ("SINE", {"train_neg_sample_args": {"sample_num": 1}}, "the loss CE is over the whole"),
    *[
        (model, {"loss_type": "nonsense"}, f"'nonsense', but {model} reads none; leave it out")
        for model in ("DIN", "DIEN", "TransRec")
    ],
    *[
        (model, {"train_neg_sample_args": None}, f"the loss of {model} compares each item")
        for model in ("DIN", "DIEN", "TransRec", "FPMC")
    ],
    ("BERT4Rec", {"transform": None}, "BERT4Rec learns from what mask_itemseq makes"),
    ("BERT4Rec", {"transform": "inverse_itemseq"}, "learns from what mask_itemseq makes"),
    ("SHAN", {"transform": None}, "SHAN learns from what inverse_itemseq makes"),
    ("BERT4Rec", {"mask_ratio": 2}, "which needs mask_ratio, a share in 0..1; it is 2"),
    ("BERT4Rec", {"MAX_ITEM_LIST_LENGTH": 4}, "no item of a history would ever be masked"),
    ("BERT4Rec", {"mask_ratio": 0}, "no item of a history would ever be masked"),
    ("SASRecCPR", {"reranker_CAN_NUM": 0}, "reranker_CAN_NUM of SASRecCPR is 0; it must be"),
    ("SASRecCPR", {"reranker_CAN_NUM": "5,x"}, "is '5,x'; it must be a whole number above 0"),
    ("GRU4RecCPR", {"reranker_CAN_NUM": "9,5"}, "n_facet_all of GRU4RecCPR is 5; it must be 6"),
    ("S3Rec", {"train_stage": "scratch"}, "train_stage is 'scratch'; it must be pretrain or"),
]


@pytest.mark.parametrize(("model", "settings", "message"), OTHERS)
def test_what_a_model_cannot_be_trained_with_is_one_line(make_config, model, settings, message):
    with pytest.raises(SettingsError, match=message):
        make_config(model, **settings)


@pytest.mark.parametrize("model", ["DIN", "DIEN", "TransRec"])
def test_a_loss_for_other_models_takes_no_negatives_away(make_config, model):
    assert make_config(model, loss_type="CE")["train_neg_sample_args"]["sample_num"] == 1


def test_a_class_of_ones_own_may_read_changed_sequences(make_config):
    with forgotten_afterwards():

        class Cropping(SASRec):
            pass

        assert make_config(Cropping, transform="crop_itemseq", eta=0.5)["eta"] == 0.5
        assert make_config(Cropping, transform="inverse_itemseq")["transform"] == "inverse_itemseq"
        with pytest.raises(SettingsError, match="which needs eta, a share in"):
            make_config(Cropping, transform="crop_itemseq")


@pytest.mark.parametrize("mode", [{"valid": "uni5"}, {"test": "uni5"}])
def test_a_mode_of_one_part_stands_for_the_other(make_config, mode):
    config = make_config("SASRec", metrics=["AUC"], valid_metric="AUC", eval_args={"mode": mode})
    assert config["eval_args"]["mode"] == {"valid": "uni5", "test": "uni5"}
    with pytest.raises(SettingsError, match="mode is uni5, but SASRecCPR ranks the whole"):
        make_config("SASRecCPR", eval_args={"mode": mode})


@pytest.mark.parametrize("model", ["SASRecCPR", "GRU4RecCPR"])
def test_models_that_score_no_single_items_rank_no_samples(make_config, model):
    make_config(model)
    with pytest.raises(SettingsError, match=f"mode is uni100, but {model} ranks the whole"):
        make_config(model, eval_args={"mode": "uni100"})


def test_settings_as_text_are_read_as_what_they_say(make_config):
    config = make_config(
        "IMNNet", static_features="False", mse_weight="1e-1", n_negatives=np.int64(9)
    )
    assert config["static_features"] is False
    assert config["mse_weight"] == 0.1
    assert type(config["n_negatives"]) is int


def test_recboles_own_defaults_pass_for_every_sequential_model(toy):
    from recbole_imn.compat import model_names
    from recbole_imn.errors import UnknownModelError
    from recbole_imn.registry import is_sequential

    checked = 0
    for model in sorted(model_names()):
        try:
            sequential = is_sequential(model)
        except (UnknownModelError, ImportError):
            continue  # needs a package that is not installed
        if sequential:
            Config(model, "toy", config_dict={"data_path": str(toy), "event_stream": True})
            checked += 1
    assert checked > 30


def test_settings_of_networks_and_markets_are_frozen_and_known():
    with pytest.raises(SettingsError, match="unknown key 'nce_wait'; did you mean nce_weight"):
        NetworkSettings(nce_wait=1.0)
    with pytest.raises(AttributeError):
        NetworkSettings().cell = "gru"
    with pytest.raises(ValueError, match=r"dealer_share is 1.5; it must be in 0..1"):
        MarketConfig(dealer_share=1.5)
    with pytest.raises(ValueError, match=r"n_cars is 2.5; it must be a whole number"):
        MarketConfig(n_cars=2.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is damaged, or no json file"),
        ("[]", "is damaged: it holds list"),
        ('{"market": {"seeds": 1}}', "is no record of a simulated market"),
        ('{"market": 5}', "is no record of a simulated market"),
    ],
)
def test_a_damaged_market_file_is_one_line(tmp_path, text, told):
    (tmp_path / "m.market.json").write_text(text)
    with pytest.raises(DataError, match=rf"m\.market\.json {told}") as error:
        read_config(tmp_path, "m")
    assert "\n" not in str(error.value)
