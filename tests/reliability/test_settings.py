"""No setting is silently wrong, executed, or met by a bare error, whatever door it comes by."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recbole.config import Config
from recbole.quick_start import run_recbole
from recbole.trainer.hyper_tuning import HyperTuning

from recbole_imn.__main__ import main as command
from recbole_imn.command_line import main
from recbole_imn.data.atomic import DataError, check_name
from recbole_imn.data.market import MarketConfig, read_config
from recbole_imn.literals import read_literal
from recbole_imn.model.settings import SETTINGS, NetworkSettings, SettingsError
from recbole_imn.settings_files import all_keys, read_settings
from recbole_imn.validation import nearest, nearest_names
from tests.conftest import PRICED

CODE = "[5][:__import__('pathlib').Path('owned').touch() or 1]"

# -- types and ranges ---------------------------------------------------------------------------

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
    ({"weight_decay": -1}, "weight_decay is -1; it must be 0 or above"),
    ({"repeatable": False}, "repeatable is False"),
    ({"data_path": 5}, "data_path is 5; it must be a folder"),
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


@pytest.mark.parametrize("model", ["IMNNet", "SASRec"])
@pytest.mark.parametrize(
    ("settings", "message"), WRONG + [({"eval_args": e}, m) for e, m in EVALUATION]
)
def test_a_wrong_setting_is_one_line(make_config, model, settings, message):
    own = set(SETTINGS)
    if model == "SASRec" and own & settings.keys():
        pytest.skip("a setting of our networks")
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
    ({"neg_sampling": {"uniform": 1}}, "neg_sampling is ignored by RecBole 1.2.1"),
    ({"transform": "crop_itemseq"}, "transform is 'crop_itemseq', which needs eta"),
    ({"transform": "user_defined"}, "which RecBole 1.2.1 leaves empty"),
]


@pytest.mark.parametrize(("settings", "message"), SASREC)
def test_a_wrong_setting_of_a_model_of_recbole_is_one_line(make_config, settings, message):
    with pytest.raises(SettingsError, match=message):
        make_config("SASRec", **settings)


def test_settings_as_text_are_read_as_what_they_say(make_config):
    config = make_config(
        "IMNNet", static_features="False", mse_weight="1e-1", n_negatives=np.int64(9)
    )
    assert config["static_features"] is False
    assert config["mse_weight"] == 0.1
    assert type(config["n_negatives"]) is int


def test_recboles_own_defaults_pass_for_every_sequential_model(toy):
    from recbole_imn.compat import UnknownModelError, model_names
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


# -- unknown keys -------------------------------------------------------------------------------


def test_unknown_settings_are_refused_through_quick_start(toy):
    with pytest.raises(SettingsError, match="unknown setting 'epoch'; did you mean epochs"):
        run_recbole("IMNNet", "toy", config_dict={"data_path": str(toy), "epoch": 3})
    (toy / "mine.yaml").write_text("lerning_rate: 3\n")
    with pytest.raises(SettingsError, match="unknown setting 'lerning_rate'"):
        run_recbole("IMNNet", "toy", config_file_list=["mine.yaml"], config_dict={"data_path": "."})


def test_names_of_recboles_data_sets_are_no_settings(make_config):
    assert "ml-100k" not in all_keys()
    with pytest.raises(SettingsError, match="unknown setting 'ml-100k'"):
        make_config("IMNNet", **{"ml-100k": 5})


def test_what_no_file_of_recbole_names_is_a_setting(make_config):
    assert {"tail_ratio", "encoding"} <= all_keys()
    assert make_config("IMNNet", tail_ratio=0.2)["tail_ratio"] == 0.2


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ("a.yaml", "config_file_list is 'a.yaml'; it must be a list of files"),
        (["gone.yaml"], r"config_file_list names gone\.yaml, which does not exist"),
        (["broken.yaml"], r"broken\.yaml is not valid yaml"),
        (["list.yaml"], r"list\.yaml holds list, not settings"),
        (["code.yaml"], r"code\.yaml is not valid yaml"),
    ],
)
def test_settings_files_of_a_program_are_read_strictly(toy, files, message):
    (toy / "broken.yaml").write_text("a: [1,\n")
    (toy / "list.yaml").write_text("- 1\n")
    (toy / "code.yaml").write_text("state: !!python/name:os.system\n")
    with pytest.raises(SettingsError, match=message):
        Config("IMNNet", "toy", config_file_list=files, config_dict={"data_path": "."})


def test_an_empty_settings_file_says_nothing(toy):
    (toy / "empty.yaml").write_text("# nothing\n")
    Config("IMNNet", "toy", config_file_list=["empty.yaml"], config_dict={"data_path": "."})


def test_hints_do_not_depend_on_case():
    assert nearest("imnnet", {"IMNNet", "SASRec"}) == "; did you mean IMNNet?"
    assert nearest("CZB", {"czb", "czb-mini"}) == "; did you mean czb?"
    assert nearest_names("sasrec", {"SASRec", "SASRecF", "GRU4Rec"})[0] == "SASRec"
    assert nearest("x" * 10**6, {"epochs"}) == ""


# -- nothing is executed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("adam", "adam"), ("None", None), ("true", True), ("FALSE", False), ("1e-3", 0.001),
        ("[10, 20]", [10, 20]), ("{'RS': [0.8, 0.1, 0.1]}", {"RS": [0.8, 0.1, 0.1]}),
        ("'text'", "text"), ("(1, 2)", (1, 2)), ("[a, b]", "[a, b]"), ("", ""), ("-5", -5),
        ("max", "max"), ("9**9**9", "9**9**9"), ("1/0", "1/0"), ("os.system", "os.system"),
        ("[" * 10**5, "[" * 10**5), ("-" * 10**4 + "1", "-" * 10**4 + "1"), (CODE, CODE),
        ("b'x'", "b'x'"), ("saved/best", "saved/best"), ("0x" + "f" * 10**6, "0x" + "f" * 10**6),
    ],
)  # fmt: skip
def test_literals_are_read_and_nothing_else(text, value):
    assert read_literal(text) == value


def test_nothing_is_executed_through_any_door(toy, make_config, monkeypatch, capsys):
    (toy / "mine.yaml").write_text(f'topk: "{CODE}"\n')
    with pytest.raises(SettingsError, match="topk"):
        make_config("IMNNet", topk=CODE)
    with pytest.raises(SettingsError, match="topk"):
        Config("IMNNet", "toy", config_file_list=["mine.yaml"], config_dict={"data_path": "."})
    assert main(["--model=IMNNet", "--dataset=toy", "--data_path=.", f"--topk={CODE}"]) == 2
    monkeypatch.setattr(sys, "argv", ["program", f"--topk={CODE}"])
    with pytest.raises(SettingsError, match="topk"):
        make_config("IMNNet")
    monkeypatch.setattr(sys, "argv", ["program"])
    tune = ["tune", "--model=IMNNet", "--dataset=toy", "--data_path=.", "--trials=1", "--epochs=1"]
    assert command([*tune, "--config_files=mine.yaml"]) == 2
    assert not (toy / "owned").exists()
    assert "error: " in capsys.readouterr().err


def test_search_spaces_of_recbole_are_literals(toy):
    space = Path("space.hyper")
    space.write_text(f"topk choice {CODE}\n")
    with pytest.raises((ValueError, ModuleNotFoundError), match=r"literals|hyperopt"):
        HyperTuning(print, params_file=str(space), algo="random")
    assert not (toy / "owned").exists()


@pytest.mark.parametrize("value", ["1/0", "9**9**9", "[" * 3000, "x" * 10**5, "\x00"])
def test_odd_values_of_options_are_one_short_line(toy, capsys, value):
    assert main(["--model=IMNNet", "--dataset=toy", "--data_path=.", f"--epochs={value}"]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: epochs is ")
    assert "\n" not in error
    assert len(error) < 500


# -- names stay in their folder -----------------------------------------------------------------

NAMES = ["../x", "/abs", "a/b", "..", ".", "", "a\0b", "a\nb", ".hidden", "a\\b", "x" * 300, " x"]


@pytest.mark.parametrize("name", [*NAMES, None, 5])
def test_a_name_that_leaves_its_folder_is_refused(name):
    with pytest.raises(DataError, match="it must be a plain name such as my-log"):
        check_name(name, "NAME")


@pytest.mark.parametrize("name", NAMES)
def test_every_command_refuses_such_names(toy, capsys, name):
    run = main(["--model=IMNNet", f"--dataset={name}", "--data_path=."])
    others = [
        ["describe", "--data_path=.", name],
        ["benchmark", "--data_path=.", f"--dataset={name}"],
        ["tune", "--model=IMNNet", "--data_path=.", f"--dataset={name}"],
    ]
    if name:  # else the market's own name is taken
        others.append(["simulate", "czb-mini", "--output=.", f"--save-as={name}"])
    before = sorted(Path().rglob("*"))
    assert run == 2
    for arguments in others:
        assert command(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 + len(others)
    assert all(line.startswith("error: ") for line in lines)
    with pytest.raises(DataError, match="it must be a plain name"):
        run_recbole("IMNNet", config_dict={"data_path": ".", "dataset": name})
    assert sorted(Path().rglob("*")) == before


def test_model_names_cannot_be_paths(toy, capsys):
    for name in ("../IMNNet", "/IMNNet", "a/b", "IMNNet\0", ".."):
        assert main([f"--model={name}", "--dataset=toy", "--data_path=."]) == 2
        assert "there is no model" in capsys.readouterr().err


# -- what would do nothing ----------------------------------------------------------------------


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
