"""Where each run comes from, folded away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from recbole_imn.evaluation.report.chosen import chosen
from recbole_imn.evaluation.report.gather import Board, Result, label
from recbole_imn.evaluation.report.parts import Table
from recbole_imn.pages import Fold

# The fingerprint says what the data are, wherever they lie.
LEFT_OUT = ("data_path",)


def provenance(board: Board) -> Fold:
    """Give what every run recorded of itself, a fold a run."""
    folds = [
        Fold(f"{label(system)}, seed {run['seed']}", Table(("what", "value"), list(_rows(run))))
        for system, runs in board.results.items()
        for run in runs
    ]
    return Fold(f"Provenance of each of the {len(folds)} runs", folds=folds)


def _rows(run: Result) -> Iterator[tuple[str, str]]:
    yield "identity, SHA-256", run["identity"]
    yield "data set, SHA-256 of its files", run["fingerprint"]
    yield "settings chosen by", chosen([run])
    yield from ((name, str(value)) for name, value in run["environment"].items())
    yield "checkpoint", PurePath(str(run["checkpoint"])).name or "-"
    yield "epochs; parameters", f"{run['epochs']}; {run['parameters']:,}"
    yield (
        "training, validation, s",
        ", ".join(f"{run['seconds'][part]:.1f}" for part in ("training", "validation")),
    )
    # Older results do not tell what RecBole was given.
    for name, value in run.get("settings", {}).items():
        if name not in LEFT_OUT:
            yield f"setting {name}", str(value)
