"""Text is a literal and never code; names stay in their folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from recbole.config import Config
from recbole.quick_start import run_recbole
from recbole.trainer.hyper_tuning import HyperTuning

from recbole_imn.__main__ import main as command
from recbole_imn.command_line import main
from recbole_imn.data.atomic import check_name
from recbole_imn.errors import DataError, SettingsError
from recbole_imn.literals import read_literal

CODE = "[5][:__import__('pathlib').Path('owned').touch() or 1]"


# -- nothing is executed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("adam", "adam"), ("None", None), ("true", True), ("FALSE", False), ("1e-3", 0.001),
        ("[10, 20]", [10, 20]), ("{'RS': [0.8, 0.1, 0.1]}", {"RS": [0.8, 0.1, 0.1]}),
        ("'text'", "text"), ("(1, 2)", (1, 2)), ("[a, b]", ["a", "b"]), ("[a,]", ["a"]),
        ("[价格]", ["价格"]), ("[5,inf]", "[5,inf]"),
        ("", ""), ("-5", -5),
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
