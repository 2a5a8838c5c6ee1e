"""What differs between runs that a table puts into one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from recbole_imn.evaluation.report.gather import Board, Result, label
from recbole_imn.provenance import NOT_SHAPING


def differing_seeds(board: Board) -> Iterator[str]:
    """Say of which systems the seeds had other settings than each other.

    What a benchmark was asked for is the same in all of them; files of the package, whose
    defaults are settings too, may have changed between two commands.
    """
    for system, runs in board.results.items():
        names = sorted({name for run in runs for name in run["config"]} - NOT_SHAPING - {"seed"})
        for name in names:
            values = [run["config"].get(name) for run in runs]
            if any(value != values[0] for value in values):
                told = ", ".join(
                    f"{value} with seed {run['seed']}"
                    for value, run in zip(values, runs, strict=True)
                )
                yield (
                    f"Warning, {label(system)}: {name} is {told}, since defaults changed between "
                    "runs; mean and deviation are of different systems. Run all seeds in a new "
                    "folder."
                )


def commits(board: Board) -> str:
    """Say which commit the runs are of, and where there are several, of which systems each is."""
    runs = {label(system): runs for system, runs in board.results.items()}
    found = sorted({_commit(run) for some in runs.values() for run in some})
    if len(found) == 1:
        return found[0]
    return "; ".join(f"{commit}: {', '.join(_with(commit, runs))}" for commit in found)


def _with(commit: str, runs: Mapping[str, Sequence[Result]]) -> Iterator[str]:
    """Name the systems with runs of a commit, and their seeds where others are not."""
    for system, some in runs.items():
        seeds = [str(run["seed"]) for run in some if _commit(run) == commit]
        if len(seeds) == len(some):
            yield system
        elif seeds:
            yield f"{system} (seed {' and '.join(seeds)})"


def _commit(run: Result) -> str:
    return str(run["environment"]["commit"])
