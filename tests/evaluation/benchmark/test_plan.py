"""Settings and identities of runs."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from recbole_imn import registry
from recbole_imn.data.item_fields import selected_features
from recbole_imn.errors import SettingsError, UnknownModelError
from recbole_imn.evaluation.benchmark.plan import (
    Conditions,
    Run,
    all_models,
    check_models,
    make_run,
)
from recbole_imn.evaluation.report.gather import Board

CONFIG = "item_features: [kind, price, image, absent]\n"
HEADER = "item_id:token\tkind:token\tprice:float\timage:float_seq\n"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A data set with item features, as working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset_configs").mkdir()
    (tmp_path / "dataset_configs" / "shop.yaml").write_text(CONFIG)
    (tmp_path / "data" / "shop").mkdir(parents=True)
    (tmp_path / "data" / "shop" / "shop.item").write_text(HEADER)
    return tmp_path / "data" / "shop"


def planned(shop, model, seed=1, **options):
    values = {
        "dataset": "shop",
        "folder": shop,
        "fingerprint": "f",
        "epochs": 5,
        "candidates": "both",
        "common": {},
    }
    return make_run(model, seed, Conditions(**{**values, **options}))


def test_every_model_of_the_registry_takes_part(shop):
    models = all_models("shop", shop)
    assert set(registry.MODELS) <= set(models)
    assert len(models) == len(set(models))
    assert {"GRU4RecF", "SASRecF"} <= set(models)
    assert "SASRecF" not in all_models("other", shop)


def test_feature_aware_models_see_the_categories_and_numbers_of_ours(shop):
    assert selected_features("shop", shop) == {"kind": "token", "price": "float"}
    settings = planned(shop, "SASRecF").settings
    assert settings["selected_features"] == ["kind", "price"]
    assert settings["normalize_field"] == settings["numerical_features"] == ["price"]
    assert "selected_features" not in planned(shop, "SASRec").settings


def test_built_in_models_get_the_papers_settings_and_ours_their_files(shop):
    built_in = planned(shop, "SASRec").settings
    assert (built_in["hidden_size"], built_in["learning_rate"]) == (128, 1e-3)
    assert "learning_rate" not in planned(shop, "IMNNet").settings
    assert planned(shop, "IMNNet").settings["epochs"] == 5
    assert "epochs" not in planned(shop, "LastItem").settings


def test_tuned_settings_win_over_the_papers_and_common_ones_over_all(shop):
    file = Path("tuned") / "shop" / "SASRec.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("learning_rate: 0.01\nhidden_size: 32\n")
    run = planned(shop, "SASRec", common={"hidden_size": 8})
    assert run.tuned == str(file)
    assert (run.settings["learning_rate"], run.settings["hidden_size"]) == (0.01, 8)
    assert planned(shop, "GRU4Rec").tuned == ""
    assert run.settings["MAX_ITEM_LIST_LENGTH"] == 50
    assert planned(shop, "SASRec", tuned_folder=None).settings["hidden_size"] == 128
    file.write_text("- a list\n")
    with pytest.raises(ValueError, match="holds list, not settings"):
        planned(shop, "SASRec")


def test_what_is_told_of_a_search_is_kept_beside_the_settings(shop):
    file = Path("mine") / "shop" / "FPMC.yaml"
    file.parent.mkdir(parents=True)
    told = {"minutes": 20, "trials": 7, "data": "f"}
    file.write_text(f"learning_rate: 0.01\ntuning: {told}\n")
    run = planned(shop, "FPMC", tuned_folder=Path("mine"))
    assert (run.tuned, run.tuning, run.settings["learning_rate"]) == (str(file), told, 0.01)
    assert "tuning" not in run.settings
    # A longer search that found the same settings is the same run.
    assert replace(run, tuning={}).identity == run.identity
    assert planned(shop, "FPMC").tuning == {}


def test_settings_that_were_tuned_on_other_data_are_refused_unless_told(shop):
    from pathlib import Path

    file = Path("tuned") / "shop" / "FPMC.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("learning_rate: 0.01\ntuning: {data: other}\n")
    with pytest.raises(ValueError, match=r"was tuned on other data \(other, not f\); tune again"):
        planned(shop, "FPMC")
    assert planned(shop, "FPMC", other_data=True).settings["learning_rate"] == 0.01


def test_tuned_settings_cannot_say_what_an_option_says(shop):
    file = Path("tuned") / "shop" / "FPMC.yaml"
    file.parent.mkdir(parents=True)
    for key, option in (("seed", "--seeds"), ("epochs", "--epochs"), ("user_share", "--users")):
        file.write_text(f"{key}: 1\n")
        with pytest.raises(SettingsError, match=f"{key} to 1; use {option} instead"):
            planned(shop, "FPMC")


@pytest.mark.parametrize(
    ("eval_args", "message"),
    [
        ("{split: {LS: valid_and_test}}", "a benchmark cuts the log in time, at one moment"),
        ("{group_by: user}", "a benchmark cuts the log in time, at one moment"),
        ("{mode: uni10}", "a benchmark ranks the catalogue"),
        ("{mode: {test: pop5}}", "a benchmark ranks the catalogue"),
    ],
)
def test_a_benchmark_has_one_cut_and_ranks_everything(shop, eval_args, message):
    config = Path("dataset_configs") / "shop.yaml"
    config.write_text(f"{CONFIG}eval_args: {eval_args}\n")
    with pytest.raises(SettingsError, match=f"the settings of shop: .*{message}"):
        planned(shop, "FPMC")
    config.write_text(f"{CONFIG}eval_args: {{split: {{RS: [0.6, 0.2, 0.2]}}}}\n")
    assert planned(shop, "FPMC").dataset_settings["eval_args"] == {"split": {"RS": [0.6, 0.2, 0.2]}}
    with pytest.raises(SettingsError, match=r"the system .FPMC eval_args"):
        planned(shop, 'FPMC eval_args={"mode":"uni10"}')


def test_validation_ranks_what_the_test_ranks_first(shop):
    both = planned(shop, "SASRec")
    assert (both.protocols, both.settings["candidates"]) == (("all", "on_shelf"), "all")
    shelf = planned(shop, "SASRec", candidates="on_shelf")
    assert (shelf.protocols, shelf.settings["candidates"]) == (("on_shelf",), "on_shelf")


def test_the_identity_changes_with_settings_and_data_only(shop):
    run = planned(shop, "SASRec")
    assert run.identity == planned(shop, "SASRec").identity
    others = [
        planned(shop, "SASRec", seed=2),
        planned(shop, "SASRec", epochs=6),
        planned(shop, "SASRec", candidates="all"),
        replace(run, fingerprint="g"),
    ]
    assert len({run.identity, *(other.identity for other in others)}) == 5
    (shop.parents[1] / "dataset_configs" / "shop.yaml").write_text("item_features: []\n")
    assert planned(shop, "SASRec").identity != run.identity
    moved = replace(run, settings={**run.settings, "data_path": "elsewhere"})
    assert moved.identity == run.identity


def test_a_system_is_a_model_with_settings_switched(shop):
    common = {"fusion": "gate", "embedding_size": 8}
    run = planned(shop, "IMNNet fusion=concat n_negatives=31", common=common)
    assert (run.model, run.system) == ("IMNNet", "IMNNet fusion=concat n_negatives=31")
    assert run.name == "IMNNet_fusion=concat_n_negatives=31-1"
    assert run.settings["fusion"] == "concat"
    assert (run.settings["n_negatives"], run.settings["embedding_size"]) == (31, 8)
    again = json.loads(json.dumps(asdict(run)))
    again["protocols"] = tuple(again["protocols"])
    assert Run(**again) == run
    assert run.identity != replace(run, variant="").identity


def test_a_system_has_what_was_tuned_of_its_model(shop):
    file = Path("tuned") / "shop" / "IMNNet.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("learning_rate: 0.01\nfusion: gate\n")
    run = planned(shop, "IMNNet fusion=product")
    assert run.tuned == str(file)
    assert (run.settings["learning_rate"], run.settings["fusion"]) == (0.01, "product")


def test_a_model_without_switches_has_the_identity_that_it_always_had(shop):
    """Finished runs of older versions stay finished."""
    run = planned(shop, "SASRec")
    parts = asdict(run)
    for name in ("variant", "tuning", "common", "common_tuning"):
        parts.pop(name, None)
    del parts["settings"]["data_path"]
    text = json.dumps(parts, sort_keys=True, default=str)
    assert run.identity == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("system", "message"),
    [
        ("IMNNet fusionn=concat", "the system 'IMNNet fusionn=concat' has the unknown key"),
        ("IMNNet in_batch", "the system 'IMNNet in_batch' has 'in_batch'; write MODEL KEY=VALUE"),
        ("IMNNetPlus hidden_size=32", "hidden_size=32' has the unknown key 'hidden_size'"),
        ("RecentHistory fusion=concat", "has the unknown key 'fusion'"),
        ("IMNet fusion=concat", "--models names IMNet, which nobody knows"),
        ("BPR fusion=concat", "BPR is no sequential model"),
    ],
)
def test_systems_that_cannot_be_are_refused_before_anything_runs(system, message):
    with pytest.raises(ValueError, match=message):
        check_models(["SASRec", system], "toy")


def test_models_that_see_no_sequences_are_refused():
    with pytest.raises(ValueError, match="BPR is no sequential model"):
        check_models(["IMNNet", "BPR"], "toy")


def test_any_model_of_recbole_is_a_baseline():
    def results(value):
        return [{"protocols": {"all": {"metrics": {"ndcg@10": value}}}}]

    figures = {"NARM": results(0.5), "LastItem": results(0.1), "IMNNetPlus": results(0.9)}
    board = Board("toy", ("all",), figures, {}, np.empty(0, object), {})
    assert board.best_baseline("all") == "NARM"


def test_unknown_models_are_refused_before_anything_runs():
    check_models(["SASRec", "IMNNet"], "toy")
    with pytest.raises(UnknownModelError, match="--models names SASReck, which nobody knows"):
        check_models(["IMNNet", "SASReck"], "toy")
