"""How the settings of each system were chosen, as its runs recorded it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole_imn.evaluation.report.gather import Board, Result, label

DEFAULTS = "defaults"


def chosen(runs: list[Result]) -> str:
    """Say how a system's settings were chosen: ``tuned: N trials in M minutes`` or ``defaults``.

    Parameters
    ----------
    runs : list of result
        Of one system. ``settings_from`` names the file that was tuned, or says ``defaults``;
        older results have ``tuned``. ``tuning`` is a copy of the budget that the file states:
        ``minutes`` (or ``seconds``), ``trials`` and how many of them were ``pruned``.
    """
    return "; ".join(sorted({_of_run(run) for run in runs}))


def about_settings(board: Board) -> str:
    """Say who was tuned, whether all had the same time, and what files gave for all of them."""
    given = board.any_result.get("common") or {}
    named = ", ".join(f"{key}: {value}" for key, value in sorted(given.items()))
    return f"{_who_was_tuned(board)} All were given {named}." if named else _who_was_tuned(board)


def _who_was_tuned(board: Board) -> str:
    ways = {system: chosen(runs) for system, runs in board.results.items()}
    untuned = [label(system) for system, way in ways.items() if way == DEFAULTS]
    if len(untuned) == len(ways):
        return "Settings: all systems have their defaults; none was tuned."
    listed = f"; defaults, with no tuning at all: {', '.join(untuned)}" if untuned else ""
    return f"Settings: tuned on validation alone, {_time(board)}{listed}."


def _time(board: Board) -> str:
    """Say what time the tuned systems had."""
    tuned = [run for runs in board.results.values() for run in runs if tuned_in(run)]
    minutes = [_minutes(run["tuning"]) for run in tuned if run.get("tuning")]
    if len(minutes) < len(tuned):
        return "with budgets that are not recorded for all"
    if len(set(minutes)) == 1:
        return f"with the same budget of {minutes[0]} minutes each"
    ordered = sorted(minutes, key=float)
    return f"with unequal budgets of {ordered[0]} to {ordered[-1]} minutes"


def _of_run(run: Result) -> str:
    budget = run.get("tuning")
    if not tuned_in(run):
        return DEFAULTS
    if not budget:
        return "tuned: budget not recorded"
    pruned = f", {budget['pruned']} of them pruned" if budget.get("pruned") else ""
    return f"tuned: {budget['trials']} trials in {_minutes(budget)} minutes{pruned}"


def tuned_in(run: Result) -> str:
    """Give the file that settings were tuned in; empty where there is none."""
    file = str(run.get("settings_from") or run.get("tuned") or "")
    return "" if file == DEFAULTS else file


def _minutes(budget: Mapping[str, Any]) -> str:
    minutes = budget["minutes"] if "minutes" in budget else budget["seconds"] / 60
    return f"{minutes:.3g}"
