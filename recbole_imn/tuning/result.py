"""The file of found settings: plain settings of RecBole, and what is told about their search."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from recbole_imn.data.searched import VALIDATION_ENDS
from recbole_imn.files import replace_text, sealed
from recbole_imn.provenance import PACKAGES, comment_lines, versions
from recbole_imn.settings_files import model_keys

if TYPE_CHECKING:
    from recbole_imn.tuning.study import Tuning


def write_result(tuning: Tuning, file: Path, notice: str | None = None) -> None:
    """Write the best settings so far, for ``--config_files``; nothing before there are any.

    Settings stand alone; the key ``tuning`` holds the budget and what came of it. A run reads of
    it which data it was, and how far into the log the search has looked.

    Parameters
    ----------
    tuning : Tuning
    file : Path
    notice : str, optional
        That the data is simulated.
    """
    best, request = tuning.best, tuning.request
    if best is None:
        return
    counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in tuning.outcomes().items())
    head = {
        "settings of": f"{request.model} on {request.dataset}, by python -m recbole_imn tune",
        **({"data set": notice} if notice else {}),
        f"best validation {tuning.metric}": f"{best.value:.4f} (there were no test rows)",
        "trials": f"{len(tuning.finished)}, {counts}",
    }
    # Without what was fixed of the model, another one would be trained than was found.
    fixed = {key: value for key, value in request.fixed.items() if key in model_keys(request.model)}
    values = {**fixed, **tuning.values_of(best), "tuning": facts(tuning)}
    text = yaml.safe_dump(values, sort_keys=False, width=100)
    replace_text(file, sealed(comment_lines(head) + text))


def facts(tuning: Tuning) -> dict[str, Any]:
    """Give the budget of a study and what came of it, as plain values.

    Returns
    -------
    dict
        ``minutes`` that it may take and ``seconds_spent``, of a processor; ``trials`` and how
        many of them were complete, pruned, ...; ``validation_ends``, the time of the last event
        that validation ranked; ``default`` and ``best``, validation scores of
        the defaults and of the best trial; ``best_epoch``, from 1, of ``best_trial``, from 0,
        which has the defaults; and where it all comes from.
    """
    request, best = tuning.request, tuning.best
    assert best is not None
    finished = tuning.finished
    scores = best.intermediate_values
    first = finished[0].value
    return {
        "minutes": round(tuning.budget.seconds / 60, 4),
        "seconds_spent": round(tuning.spent, 1),
        "trials_at_most": tuning.budget.trials,
        "trials": len(finished),
        **tuning.outcomes(),
        "epochs_at_most": tuning.epochs,
        "train_events": request.train_events,
        "valid_rows": request.valid_rows,
        VALIDATION_ENDS: best.user_attrs.get(VALIDATION_ENDS),
        "metric": tuning.metric,
        "default": None if first is None else float(first),
        "best": float(best.value or 0.0),
        "best_trial": next(i for i, one in enumerate(finished) if one.number == best.number),
        "best_epoch": max(scores, key=lambda step: _signed(tuning, scores[step]), default=1),
        "seed": request.seed,
        "config_files": list(request.config_files),
        "commit": sorted({trial.user_attrs["commit"] or "none" for trial in finished}),
        "versions": versions((*PACKAGES, "optuna")),
        "data": tuning.study.user_attrs["facts"]["data"],
    }


def _signed(tuning: Tuning, score: float) -> float:
    """Turn a score so that more is better."""
    return score if tuning.study.direction.name == "MAXIMIZE" else -score
