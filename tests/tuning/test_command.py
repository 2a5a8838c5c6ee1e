"""``python -m recbole_imn tune`` on a toy log."""

import sys
from pathlib import Path

import optuna
import pytest
import yaml

from recbole_imn.__main__ import main
from recbole_imn.command_line import main as train
from recbole_imn.options import check
from recbole_imn.provenance import fingerprint
from recbole_imn.tuning import study as study_module
from recbole_imn.tuning.clock import TimeUp
from recbole_imn.tuning.objective import TrialRequest
from recbole_imn.tuning.space import Choices, Range
from recbole_imn.tuning.study import Budget, Tuning

FIXED = {"use_gpu": False, "topk": [5], "valid_metric": "NDCG@5", "show_progress": False}


@pytest.fixture
def arguments(toy):
    """Options of a short study of FPMC on the toy log."""
    (toy / "fixed.yaml").write_text(yaml.safe_dump(FIXED))
    return [
        "tune", "--model=FPMC", "--dataset=toy", f"--data_path={toy}", "--trials=2", "--epochs=1",
        "--config_files=fixed.yaml",
    ]  # fmt: skip


@pytest.fixture
def make_tuning(toy):
    """Give a function that opens a study whose trials take no time."""

    def make(name="a", prune=False, epochs=3, data="sha256:0", **budget):
        request = TrialRequest("FPMC", "toy", str(toy), (), epochs, seed=1)
        space = {"x": Range(0.0, 1.0, False), "size": Choices((8, 16))}
        return Tuning(request, space, toy / f"{name}.db", Budget(prune=prune, **budget), data)

    return make


@pytest.fixture
def quick(monkeypatch):
    """Replace training by a formula; give the settings that were tried."""
    tried = []

    def score(request, values, on_epoch, clock, data):
        tried.append(dict(values))
        for epoch in range(request.epochs):
            on_epoch(epoch, values.get("x", 0.0))
        return values.get("x", 0.0)

    monkeypatch.setattr(study_module, "validation_score", score)
    return tried


def nothing(epoch, score):
    """Ignore an epoch."""


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


def test_an_interrupted_study_becomes_the_same_as_another(make_tuning, quick, monkeypatch):
    whole = make_tuning("whole")
    for _ in range(12):  # the first ten are drawn at random, the others by TPE
        whole.run_next(nothing)
    expected = quick.copy()
    quick.clear()
    for place in range(12):
        if place in (3, 11):
            with monkeypatch.context() as patch:
                patch.setattr(study_module, "suggest", interrupt)
                with pytest.raises(KeyboardInterrupt):
                    make_tuning("broken").run_next(nothing)
        make_tuning("broken").run_next(nothing)
    assert quick == expected
    assert len(make_tuning("broken").finished) == 12


def interrupt(*_):
    raise KeyboardInterrupt


def test_ctrl_c_keeps_finished_trials(arguments, capsys, monkeypatch):
    assert main(arguments) == 0
    capsys.readouterr()
    monkeypatch.setattr(study_module, "validation_score", interrupt)
    assert main([*arguments, "--trials=5"]) == 130
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("interrupted; 2 finished trials are kept in tuned")


def test_a_killed_trial_is_run_again(make_tuning, quick):
    tuning = make_tuning()
    tuning.study.ask()  # and never told
    again = make_tuning()
    again.run_next(nothing)
    assert len(again.finished) == 1
    assert again.study.trials[0].state == optuna.trial.TrialState.FAIL
    assert again.outcomes()["interrupted"] == 1


@pytest.mark.parametrize("score", [0.5, None])
def test_a_trial_killed_before_its_end_was_told_is_run_again(make_tuning, quick, score):
    tuning = make_tuning()
    tuning.run_next(nothing)
    trial = tuning.study.ask()

    def killed(*arguments, **options):
        raise SystemExit

    tuning.study.tell = killed
    with pytest.raises(SystemExit):
        tuning._finish(trial, score, {0: 0.5}, "pruned" if score is None else "complete")
    again = make_tuning()
    assert len(again.finished) == 1
    assert again.outcomes()["interrupted"] == 1
    assert again.outcomes()["complete"] == 1
    again.run_next(nothing)
    assert len(make_tuning().finished) == 2


def test_the_first_trial_has_the_defaults(make_tuning, toy, quick):
    request = make_tuning().request
    usual = request.config({})["learning_rate"]
    space = {"learning_rate": Range(1e-4, 1e-2, True), "embedding_size": Choices((8, 16))}
    tuning = Tuning(request, space, toy / "b.db", Budget(), "sha256:0")
    for _ in range(3):
        tuning.run_next(nothing)
    # 128 is no choice, and so left as it is.
    assert quick[0] == {"learning_rate": usual}
    assert set(quick[1]) == set(quick[2]) == {"learning_rate", "embedding_size"}
    assert tuning.best.number == 0
    assert tuning.values_of(tuning.best) == {"learning_rate": usual}


def test_a_killed_first_trial_has_the_defaults_again(make_tuning, toy, quick, monkeypatch):
    request, space = make_tuning().request, {"learning_rate": Range(1e-4, 1e-2, True)}
    with monkeypatch.context() as patch:
        patch.setattr(study_module, "validation_score", interrupt)
        with pytest.raises(KeyboardInterrupt):
            Tuning(request, space, toy / "b.db", Budget(), "sha256:0").run_next(nothing)
    tuning = Tuning(request, space, toy / "b.db", Budget(), "sha256:0")
    tuning.run_next(nothing)
    assert quick == [{"learning_rate": request.config({})["learning_rate"]}]
    assert [one.user_attrs.get("outcome") for one in tuning.trials] == [None, "complete"]


def test_the_budget_ends_a_study_and_time_of_killed_trials_counts(make_tuning, quick):
    tuning = make_tuning(seconds=100.0)
    tuning.run_next(nothing)
    assert not tuning.is_over
    killed = tuning.study.ask()
    killed.set_user_attr("seconds", 99.999)
    again = make_tuning(seconds=100.0)
    assert again.spent > 99.999
    assert again.is_over
    assert len(again.finished) == 1
    few = make_tuning("few", trials=2)
    few.run_next(nothing)
    assert not few.is_over
    few.run_next(nothing)
    assert few.is_over


def test_a_trial_that_runs_out_of_time_has_no_score(make_tuning, quick, monkeypatch):
    tuning = make_tuning()
    tuning.run_next(nothing)

    def late(request, values, on_epoch, clock, data):
        raise TimeUp

    monkeypatch.setattr(study_module, "validation_score", late)
    tuning.run_next(nothing)
    assert tuning.outcomes() == {
        "complete": 1, "pruned": 0, "diverged": 0, "out_of_time": 1, "failed": 0, "interrupted": 0,
    }  # fmt: skip
    assert tuning.best.number == 0


def test_a_trial_may_take_a_third_of_the_budget(make_tuning, monkeypatch):
    limits = []

    def look(request, values, on_epoch, clock, data):
        limits.append(clock.limit)
        on_epoch(0, 0.5)
        return 0.5

    monkeypatch.setattr(study_module, "validation_score", look)
    tuning = make_tuning(seconds=90.0)
    tuning.run_next(nothing)
    tuning.study.ask().set_user_attr("seconds", 80.0)
    tuning.run_next(nothing)
    assert limits[0] == 30.0
    assert 0 < limits[1] <= 10.0


def test_trials_below_the_best_third_are_pruned_where_asked(make_tuning, quick):
    pruned, kept = make_tuning("p", prune=True), make_tuning("k", prune=False)
    for tuning in (pruned, kept):
        for _ in range(8):
            tuning.run_next(nothing)
    outcomes = [trial.user_attrs["outcome"] for trial in pruned.finished]
    assert outcomes[0] == "complete"
    assert outcomes.count("pruned") >= 4
    best = max(trial.intermediate_values[1] for trial in pruned.finished)
    assert pruned.best.value == best
    assert {trial.state.name for trial in kept.finished} == {"COMPLETE"}


def test_nothing_is_pruned_after_its_last_epoch(make_tuning, quick):
    tuning = make_tuning(prune=True, epochs=1)
    for _ in range(6):
        tuning.run_next(nothing)
    assert tuning.outcomes()["complete"] == 6


def test_diverging_settings_use_up_a_trial(make_tuning, monkeypatch):
    def diverge(*_):
        raise ValueError("Training loss is nan")

    monkeypatch.setattr(study_module, "validation_score", diverge)
    tuning = make_tuning()
    tuning.run_next(nothing)
    assert len(tuning.finished) == 1
    assert tuning.best is None


def test_another_error_ends_the_study(make_tuning, monkeypatch):
    monkeypatch.setattr(study_module, "validation_score", fail)
    tuning = make_tuning()
    with pytest.raises(ValueError, match="no space left"):
        tuning.run_next(nothing)
    assert tuning.finished == []


def test_settings_that_fail_are_counted_and_told_but_not_three_in_a_row(
    make_tuning, quick, monkeypatch, capsys
):
    tuning = make_tuning()
    tuning.run_next(nothing)
    monkeypatch.setattr(study_module, "validation_score", fail)
    tuning.run_next(nothing)
    tuning.run_next(nothing)
    assert "trial 2 failed: ValueError: no space left" in capsys.readouterr().err
    assert tuning.outcomes()["failed"] == 2
    assert tuning.finished[2].user_attrs["reason"] == "ValueError: no space left"
    with pytest.raises(ValueError, match="no space left"):
        tuning.run_next(nothing)
    assert len(make_tuning().finished) == 3


def fail(*_):
    raise ValueError("no space left")


@pytest.mark.parametrize(
    "change", [{"epochs": 4}, {"prune": True}, {"data": "sha256:1"}, {"seconds": 7.0}]
)
def test_trials_made_otherwise_are_not_mixed(make_tuning, quick, change):
    make_tuning().run_next(nothing)
    name = next(iter(change))
    with pytest.raises(ValueError, match=f"a.db holds trials with {name} .*choose another --out"):
        make_tuning(**change)


def test_a_study_without_trials_may_change(make_tuning):
    make_tuning()
    assert make_tuning(epochs=4).finished == []


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
