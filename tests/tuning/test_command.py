"""``python -m recbole_imn tune`` on a toy log."""

import sys
from pathlib import Path

import pytest
import yaml

from recbole_imn.__main__ import main
from recbole_imn.command_line import main as train
from recbole_imn.options import check
from recbole_imn.provenance import fingerprint
from recbole_imn.tuning import study as study_module
from tests.tuning.trials import interrupt


def test_a_study_writes_settings_that_training_reads(arguments, toy, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["recbole_imn", *arguments])
    assert main(arguments) == 0
    assert "best validation NDCG@5" in capsys.readouterr().out
    file = toy / "tuned" / "toy" / "FPMC.yaml"
    text = file.read_text()
    assert "# trials: 2, 2 complete" in text
    best = yaml.safe_load(text)
    found = best.pop("tuning")
    assert set(best) <= {"learning_rate", "train_batch_size", "embedding_size", "weight_decay"}
    assert (found["trials"], found["minutes"], found["seed"]) == (2, 20, 1)
    assert (found["train_events"], found["valid_rows"]) == (60_000, 5_000)
    assert found["best"] >= found["default"] > 0
    assert 0 < found["seconds_spent"] < 1200
    assert found["data"] == fingerprint(toy / "toy", "toy")
    assert {"optuna", "torch"} <= set(found["versions"])
    monkeypatch.setattr(sys, "argv", ["run"])
    again = ["--model=FPMC", "--dataset=toy", f"--data_path={toy}", "--epochs=1"]
    assert train([*again, f"--config_files=fixed.yaml {file}"]) == 0


def test_found_settings_are_refused_where_test_rows_were_validation_rows(
    arguments, toy, capsys, monkeypatch
):
    assert main(arguments) == 0
    file = toy / "tuned" / "toy" / "FPMC.yaml"
    assert yaml.safe_load(file.read_text())["tuning"]["validation_ends"] > 0
    (toy / "early.yaml").write_text(
        "eval_args: {split: {RS: [0.6, 0.1, 0.3]}, order: TO, group_by: none, mode: full}\n"
    )
    monkeypatch.setattr(sys, "argv", ["run"])
    again = ["--model=FPMC", "--dataset=toy", f"--data_path={toy}", "--epochs=1"]
    again += [f"--config_files=fixed.yaml early.yaml {file}"]
    capsys.readouterr()
    assert train(again) == 2
    assert "test rows come before" in capsys.readouterr().err
    assert train([*again, "--tuning=None"]) == 0


def test_settings_of_files_are_fixed_and_written_where_they_are_the_models(arguments, toy):
    (toy / "rate.yaml").write_text("learning_rate: 0.05\nembedding_size: 8\nmetrics: [NDCG]\n")
    arguments[-1] = "--config_files=fixed.yaml rate.yaml"
    assert main(arguments) == 0
    found = yaml.safe_load((toy / "tuned" / "toy" / "FPMC.yaml").read_text())
    assert (found["learning_rate"], found["embedding_size"]) == (0.05, 8)
    assert not {"topk", "use_gpu", "metrics", "show_progress"} & set(found)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("seed: 9", "fixed.yaml sets seed to 9; use --seed instead"),
        ("data_path: elsewhere", "fixed.yaml sets data_path to 'elsewhere'; use --data_path"),
        ("tuning: {data: elsewhere}", "fixed.yaml was tuned on other data (elsewhere, not sha256"),
        (
            "{embedding_size: 8, learning_rate: 0.1, train_batch_size: 64, weight_decay: 0}",
            "--config_files has all settings that would be searched; leave some out",
        ),
    ],
)
def test_files_that_are_no_settings_beside_the_search_are_refused(
    arguments, toy, capsys, settings, message
):
    (toy / "fixed.yaml").write_text(f"{settings}\n")
    assert main(arguments) == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_study_goes_on_where_it_stopped(arguments, toy, capsys):
    assert main(arguments) == 0
    first = capsys.readouterr()
    file = toy / "tuned" / "toy" / "FPMC.yaml"
    text = file.read_text()
    file.unlink()
    assert main(arguments) == 0
    assert file.read_text() == text
    assert capsys.readouterr().out == first.out
    assert main([arguments[0], *arguments[1:4], "--trials=3", *arguments[5:]]) == 0
    assert "# trials: 3," in file.read_text()


def test_ctrl_c_keeps_finished_trials(arguments, capsys, monkeypatch):
    assert main(arguments) == 0
    capsys.readouterr()
    monkeypatch.setattr(study_module, "validation_score", interrupt)
    assert main([*arguments, "--trials=5"]) == 130
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("interrupted; 2 finished trials are kept in tuned")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("--dataset=gone", "data set 'gone' not found"),
        ("--model=FPM", "there is no model 'FPM'; did you mean FPMC"),
        ("--model=BPR", "BPR is no sequential model"),
        ("--model=LastItem", "LastItem learns nothing"),
        ("--config_files=gone.yaml", "--config_files names gone.yaml, which does not exist"),
        ("--config_files=broken.yaml", "broken.yaml is not valid yaml"),
    ],
)
def test_errors_are_one_line(arguments, capsys, changed, message):
    Path("broken.yaml").write_text("a: [\n")
    key = changed.partition("=")[0]
    kept = [argument for argument in arguments if not argument.startswith(f"{key}=")]
    assert main([*kept, changed]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert message in lines[0]


def test_settings_for_other_data_are_refused_by_training_unless_told(toy):
    (toy / "mine.yaml").write_text("learning_rate: 0.01\ntuning: {data: 'sha256:0123'}\n")
    training = ["--model=FPMC", "--dataset=toy", f"--data_path={toy}", "--config_files=mine.yaml"]
    with pytest.raises(ValueError, match=r"mine\.yaml was tuned on other data .* --tuning=None"):
        check(training)
    assert check([*training, "--tuning=None"])["tuning"] == "None"
    data = fingerprint(toy / "toy", "toy")
    (toy / "mine.yaml").write_text(f"learning_rate: 0.01\ntuning: {{data: '{data}'}}\n")
    assert "tuning" not in check(training)


@pytest.mark.parametrize(
    "option",
    ["--trials=0", "--epochs=-1", "--trial=3", "--minutes=0", "--minutes=nan", "--no-prune=yes"],
)
def test_options_that_make_no_sense_are_refused(arguments, capsys, option):
    with pytest.raises(SystemExit) as stop:
        main([*arguments, option])
    assert stop.value.code == 2
    assert option.partition("=")[0] in capsys.readouterr().err


def test_a_missing_package_is_named(arguments, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "recbole_imn.tuning.study")
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(arguments) == 2
    assert "the package optuna is missing; pip install" in capsys.readouterr().err
