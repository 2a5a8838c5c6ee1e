"""What differs between runs that a table puts into one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from recbole_imn.evaluation.report.gather import Board, Result, label
from recbole_imn.provenance import NOT_SHAPING

# Systems that are named; more are those that are left.
SHOWN = 4


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


def recorded(board: Board, fact: str) -> str:
    """Say what runs recorded of where they ran, and where it differs, of which systems each is.

    Parameters
    ----------
    board : Board
    fact : str
        A name in the environment of a run: ``commit``, ``torch``, ``device``. Older runs do not
        have them all.
    """
    runs = {label(system): runs for system, runs in board.results.items()}
    values = {_recorded(run, fact) for run in board.runs}
    if len(values) == 1:
        return values.pop()
    told = {value: list(_with(fact, value, runs)) for value in sorted(values)}
    *few, most = sorted(told, key=lambda value: len(told[value]))
    if len(told[most]) > SHOWN:
        told[most] = ["all others"]
    return "; ".join(f"{value}: {', '.join(told[value])}" for value in (*few, most))


def _with(fact: str, value: str, runs: Mapping[str, Sequence[Result]]) -> Iterator[str]:
    """Name the systems with runs that recorded a value, and their seeds where others did not."""
    for system, some in runs.items():
        seeds = [str(run["seed"]) for run in some if _recorded(run, fact) == value]
        if len(seeds) == len(some):
            yield system
        elif seeds:
            yield f"{system} (seed {' and '.join(seeds)})"


def _recorded(run: Result, fact: str) -> str:
    return str(run["environment"].get(fact, "not recorded"))
