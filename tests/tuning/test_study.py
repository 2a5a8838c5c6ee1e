"""A study: its trials, what ends them, and how it goes on."""

import optuna
import pytest

from recbole_imn.tuning import study as study_module
from recbole_imn.tuning.clock import TimeUp
from recbole_imn.tuning.space import Choices, Range
from recbole_imn.tuning.study import Budget, Tuning
from tests.tuning.trials import fail, interrupt, nothing


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


@pytest.mark.parametrize(
    "change", [{"epochs": 4}, {"prune": True}, {"data": "sha256:1"}, {"seconds": 7.0}]
)
def test_trials_made_otherwise_are_not_mixed(make_tuning, quick, change):
    make_tuning().run_next(nothing)
    name = next(iter(change))
    with pytest.raises(ValueError, match=f"a.db holds trials with {name} .*choose another --out"):
        make_tuning(**change)


def test_what_changes_no_figure_may_differ_or_be_new(make_tuning, quick):
    tuning = make_tuning()
    tuning.run_next(nothing)
    # As an earlier version kept it, which left settings out, and did not know others.
    kept = {**tuning.study.user_attrs["facts"], "gpu_id": "3", "state": "ERROR"}
    del kept["screen"], kept["data_path"]
    tuning.study.set_user_attr("facts", kept)
    assert len(make_tuning().finished) == 1


def test_a_study_without_trials_may_change(make_tuning):
    make_tuning()
    assert make_tuning(epochs=4).finished == []
