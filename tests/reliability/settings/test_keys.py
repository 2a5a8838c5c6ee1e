"""Keys that nobody knows, and files of settings."""

from __future__ import annotations

import sys

import pytest
from recbole.config import Config
from recbole.quick_start import run_recbole

from recbole_imn.errors import SettingsError, UnknownModelError
from recbole_imn.registry import is_sequential
from recbole_imn.settings_files import all_keys
from recbole_imn.validation import nearest, nearest_names


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


@pytest.mark.parametrize("model", ["lightgbm", "xgboost"] * 2)
def test_a_model_of_recbole_that_lacks_a_package_is_one_line(monkeypatch, model):
    """The second time as well, when Python knows half of RecBole's module."""
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(UnknownModelError, match="needs the packages lightgbm and xgboost") as error:
        is_sequential(model)
    assert "\n" not in str(error.value)
