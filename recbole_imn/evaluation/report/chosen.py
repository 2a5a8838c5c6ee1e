"""How the settings of each system were chosen, as its runs recorded it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recbole_imn.evaluation.report.gather import Board, Result, label
from recbole_imn.tuned import other_data_of

DEFAULTS = "defaults"


def chosen(runs: list[Result]) -> str:
    """Say how a system's settings were chosen: ``tuned: N trials in M minutes`` or ``defaults``.

    Parameters
    ----------
    runs : list of result
        Of one system. ``settings_from`` names the file that was tuned, or says ``defaults``;
        older results have ``tuned``. ``tuning`` is a copy of what the file tells of its search:
        ``minutes`` (or ``seconds``) that it might take, ``seconds_spent``, ``trials``, how many
        of them were ``pruned``, and on what ``data``.
    """
    return "; ".join(sorted({_of_run(run) for run in runs}))


def about_settings(board: Board) -> str:
    """Say who was tuned, whether all had the same time, and what files gave for all of them."""
    return " ".join([_who_was_tuned(board), *_given_to_all(board), *_of_other_data(board)])


def _given_to_all(board: Board) -> Iterator[str]:
    """Say what files gave for every system, and which of it a search had found."""
    runs = board.runs
    given = runs[0].get("common") or {}
    named = ", ".join(f"{key}: {value}" for key, value in sorted(given.items()))
    if named:
        yield f"All were given {named}."
    for file, told in (runs[0].get("common_tuning") or {}).items():
        yield f"Settings in {file} are what a search found ({_search(told)})."


def _of_other_data(board: Board) -> Iterator[str]:
    """Say whose settings were found on other data, whose rows may be like those of the test."""
    others = [
        label(system)
        for system, runs in board.results.items()
        if any(other_data_of(run.get("tuning") or {}, run["fingerprint"]) for run in runs)
    ]
    if others:
        yield f"Settings found on other data: {', '.join(others)}."


def _who_was_tuned(board: Board) -> str:
    untuned = [
        label(system)
        for system, runs in board.results.items()
        if not any(tuned_in(run) for run in runs)
    ]
    if len(untuned) == len(board.results):
        if board.any_result.get("common_tuning"):
            return "Settings: no system was tuned by itself."
        return "Settings: all systems have their defaults; none was tuned."
    listed = f"; defaults, with no tuning at all: {', '.join(untuned)}" if untuned else ""
    return f"Settings: tuned on validation alone, {_time(board)}{listed}."


def _time(board: Board) -> str:
    """Say what time the tuned systems had."""
    tuned = [run for run in board.runs if tuned_in(run)]
    minutes = [_minutes(run["tuning"]) for run in tuned if run.get("tuning")]
    if len(minutes) < len(tuned):
        return "with budgets that are not recorded for all"
    if len(set(minutes)) == 1:
        return f"with the same budget of {minutes[0]} minutes each"
    ordered = sorted(minutes, key=float)
    return f"with unequal budgets of {ordered[0]} to {ordered[-1]} minutes"


def _of_run(run: Result) -> str:
    told = run.get("tuning")
    if not tuned_in(run):
        return DEFAULTS
    if not told:
        return "tuned: budget not recorded"
    other = other_data_of(told, run["fingerprint"])
    return f"tuned: {_search(told)}" + (f", on other data ({other})" if other else "")


def _search(told: Mapping[str, Any]) -> str:
    """Say what a search did in which time; it may end before its budget does, or after."""
    pruned = f", {told['pruned']} of them pruned" if told.get("pruned") else ""
    minutes = _minutes(told)
    spent = f"{told.get('seconds_spent', float(minutes) * 60) / 60:.3g}"
    # What trains outside RecBole's loop ends a little late, and every search a second or so.
    late = abs(float(spent) - float(minutes)) > 0.02 * float(minutes)
    time = f"{spent} of {minutes} minutes" if late else f"{minutes} minutes"
    return f"{told['trials']} trials in {time}{pruned}"


def tuned_in(run: Result) -> str:
    """Give the file that settings were tuned in; empty where there is none."""
    file = str(run.get("settings_from") or run.get("tuned") or "")
    return "" if file == DEFAULTS else file


def _minutes(budget: Mapping[str, Any]) -> str:
    minutes = budget["minutes"] if "minutes" in budget else budget["seconds"] / 60
    return f"{minutes:.3g}"
