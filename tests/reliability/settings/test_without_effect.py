"""Settings that would do nothing, and errors of RecBole that say what is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
from recbole.config import Config

from recbole_imn.__main__ import main as command
from recbole_imn.command_line import main
from recbole_imn.errors import SettingsError
from recbole_imn.settings_files import read_settings
from tests.conftest import PRICED


def test_negatives_of_recbole_are_refused_for_models_of_the_stream(make_config):
    asked = {"distribution": "uniform", "sample_num": 5}
    with pytest.raises(SettingsError, match="IMNNet draws its own negatives: set n_negatives"):
        make_config("IMNNet", train_neg_sample_args=asked)
    with pytest.raises(SettingsError, match="LastItem draws no negatives"):
        make_config("LastItem", train_neg_sample_args=asked)
    for key in ("neg_sampling", "training_neg_sample_num"):
        with pytest.raises(SettingsError, match="set n_negatives"):
            make_config("IMNNetPlus", **{key: 5})
    usual = {"distribution": "uniform", "sample_num": 1, "alpha": 1.0}
    for default in (None, "None", usual, {"distribution": "none"}):
        make_config("IMNNet", train_neg_sample_args=default)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metrics": ["AUC"], "valid_metric": "AUC"}, "but eval_args mode is full; set it to such"),
        ({"metrics": ["NDCG", "AUC"]}, "AUC cannot be computed together with metrics of a ranking"),
        (
            {"metrics": ["LogLoss"], "valid_metric": "LogLoss", "eval_args": {"mode": "uni5"}},
            "gives scores, not probabilities",
        ),
        ({"log_wandb": True}, "log_wandb is True, but wandb is not installed"),
    ],
)
@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
def test_what_cannot_be_computed_is_told(make_config, monkeypatch, model, settings, message):
    monkeypatch.setattr("recbole_imn.run_checks.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=message):
        make_config(model, **settings)


def test_a_missing_hyperopt_is_told():
    code = (
        "import sys; sys.modules['hyperopt'] = None\n"
        "import recbole_imn\n"
        "from recbole.trainer.hyper_tuning import HyperTuning\n"
        "HyperTuning(print, params_dict={'choice': {'topk': [1]}})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "HyperTuning needs the package hyperopt, which is not installed" in found.stderr


def test_a_benchmark_refuses_sampled_candidates(toy, capsys):
    (toy / "mine.yaml").write_text("eval_args: {mode: uni5}\n")
    benchmark = ["benchmark", "--dataset=toy", "--data_path=.", "--models=LastItem"]
    assert command([*benchmark, "--config_files=mine.yaml"]) == 2
    assert "eval_args mode is 'uni5', but a benchmark ranks" in capsys.readouterr().err


def test_errors_of_recbole_that_say_what_is_wrong_are_one_line(toy, capsys):
    options = ["--model=SASRec", "--dataset=toy", "--data_path=.", "--hidden_size=7"]
    assert main(options) == 2
    assert "error: The hidden size (7) is not a multiple" in capsys.readouterr().err
    assert main([*options[:3], "--checkpoint_dir=toy/toy.inter/x"]) == 2
    assert "error: " in capsys.readouterr().err


def test_a_data_set_in_another_case_is_suggested(toy, capsys):
    assert main(["--model=IMNNet", "--dataset=TOY", "--data_path=."]) == 2
    assert "data set 'TOY' not found" in (error := capsys.readouterr().err)
    assert "did you mean toy?" in error


def test_feature_aware_models_of_recbole_see_item_features_in_every_run(toy):
    (toy / "dataset_configs").mkdir()
    (toy / "dataset_configs" / "priced.yaml").write_text(
        "load_col:\n  inter: [user_id, item_id, timestamp, behavior, purchase]\n"
        "  item: [item_id, brand, price]\nitem_features: [brand, price]\n"
    )
    read_settings(toy / "dataset_configs" / "priced.yaml")
    config = Config("GRU4RecF", "priced", config_dict={"data_path": "."})
    assert config["selected_features"] == PRICED["item_features"]
    assert config["numerical_features"] == config["normalize_field"] == ["price"]
    own = {"data_path": ".", "selected_features": ["brand"]}
    assert Config("GRU4RecF", "priced", config_dict=own)["selected_features"] == ["brand"]
