"""The trials of a model on a data set: asked by TPE, kept in a file, resumable."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.pool import NullPool

from recbole_imn.checkpoints import plain_config
from recbole_imn.divergence import DivergenceError
from recbole_imn.files import make_folder
from recbole_imn.model.settings import SettingsError
from recbole_imn.provenance import commit
from recbole_imn.tuning.objective import TrialRequest, validation_score
from recbole_imn.tuning.space import Space, suggest

# Settings that say where files lie, and nothing about results.
PLACES = ("data_path", "checkpoint_dir")
SUM = "sha256"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class Tuning:
    """A study that goes on where it stopped.

    Each trial draws from its own seed, made of the study's and the trial's place, so that an
    interrupted study continues as if nothing had happened. One process at a time.

    Parameters
    ----------
    request : TrialRequest
    space : Space
    storage : Path
        SQLite file with the trials; made if it does not exist.
    prune : bool
        Whether trials below the median of earlier ones at the same epoch are stopped.
    fingerprint : str
        Of the data.

    Raises
    ------
    SettingsError
        If the file holds trials that were made otherwise, or is damaged.
    """

    def __init__(
        self, request: TrialRequest, space: Space, storage: Path, prune: bool, fingerprint: str
    ) -> None:
        self.request, self.space = request, space
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        config = request.config({})
        self.metric = str(config["valid_metric"])
        make_folder(storage.parent)
        check_database(storage)
        self.study = optuna.create_study(
            storage=_database(storage),
            study_name=f"{request.model} on {request.dataset}",
            direction="maximize" if config["valid_metric_bigger"] else "minimize",
            pruner=optuna.pruners.MedianPruner() if prune else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        settings = plain_config(config)["final"]
        facts = {
            **{name: value for name, value in settings.items() if name not in PLACES},
            "search space": {name: repr(dimension) for name, dimension in space.items()},
            "prune": prune,
            "data": fingerprint,
        }
        self._check_whole(storage)
        self._check_same(storage, json.loads(json.dumps(facts)))
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # Left by a process that was killed.
            self.study.tell(trial.number, state=TrialState.FAIL)

    def _check_whole(self, storage: Path) -> None:
        """Refuse trials that are not what was written; those before there were sums pass."""
        # A study whose name is damaged would not be found, and begin again.
        names = optuna.get_all_study_names(_database(storage))
        if len(names) > 1:
            raise _damaged(storage, f"it holds the studies {' and '.join(map(repr, names))}")
        try:
            finished = self.finished
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(storage, " ".join(str(error).split())) from error
        for trial in finished:
            parts = (trial.params, trial.value, trial.intermediate_values)
            if trial.user_attrs.get(SUM, _sum(*parts)) != _sum(*parts):
                raise _damaged(storage, f"trial {trial.number} is not what was written")

    def _check_same(self, storage: Path, facts: dict[str, Any]) -> None:
        before = self.study.user_attrs.get("facts")
        if before is None or not self.finished:
            self.study.set_user_attr("facts", facts)
            return
        for name in {**before, **facts}:
            if before.get(name) != facts.get(name):
                raise SettingsError(
                    f"{storage} holds trials with {name} {before.get(name)!r}, not "
                    f"{facts.get(name)!r}; choose another --out, or delete it"
                )

    @property
    def finished(self) -> list[FrozenTrial]:
        """Trials that used up their budget, pruned ones included."""
        return self.study.get_trials(deepcopy=False, states=FINISHED)

    @property
    def best(self) -> FrozenTrial | None:
        """The trial with the best validation score, None before the first is complete."""
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return self.study.best_trial if complete else None

    def run_next(self, on_epoch: Callable[[int, float], None]) -> None:
        """Run a trial and keep its score; a broken one leaves no score.

        Parameters
        ----------
        on_epoch : callable
            Called with epoch and validation score after each epoch.
        """
        seed = np.random.SeedSequence([self.request.seed, len(self.finished)])
        self.study.sampler = optuna.samplers.TPESampler(seed=int(seed.generate_state(1)[0]))
        trial = self.study.ask()
        trial.set_user_attr("commit", commit())

        scores: dict[int, float] = {}

        def report(epoch: int, score: float) -> None:
            on_epoch(epoch, score)
            scores[epoch] = score
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            score = validation_score(self.request, suggest(self.space, trial), report)
        except optuna.TrialPruned:
            self._finish(trial, None, scores)
        except BaseException as error:
            # Settings under which training diverges are a result; anything else is not.
            diverged = isinstance(error, DivergenceError) or "loss is nan" in str(error)
            if not diverged:
                self.study.tell(trial, state=TrialState.FAIL)
                raise
            self._finish(trial, None, scores)
        else:
            self._finish(trial, score, scores)

    def _finish(self, trial: Trial, score: float | None, scores: dict[int, float]) -> None:
        """Keep a trial, pruned if it has no score, with a sum of what it is."""
        # Optuna gives a pruned trial its last score.
        value = score if score is not None or not scores else scores[max(scores)]
        trial.set_user_attr(SUM, _sum(trial.params, value, scores))
        state = TrialState.PRUNED if score is None else TrialState.COMPLETE
        self.study.tell(trial, score, state=state)


def check_database(storage: Path) -> None:
    """Refuse a damaged database; an empty file becomes a new one.

    Raises
    ------
    SettingsError
    """
    if not storage.exists():
        return
    try:
        with closing(sqlite3.connect(storage)) as database:
            (found,) = database.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.OperationalError as error:
        raise SettingsError(f"{storage}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise _damaged(storage, str(error)) from error
    if found != "ok":
        raise _damaged(storage, " ".join(str(found).split()))


def _database(storage: Path) -> optuna.storages.RDBStorage:
    """Give a file to Optuna that is closed after every use, and not left open by a command."""
    return optuna.storages.RDBStorage(f"sqlite:///{storage}", engine_kwargs={"poolclass": NullPool})


def _damaged(storage: Path, reason: str) -> SettingsError:
    return SettingsError(
        f"{storage} is damaged ({reason}); put a copy of it back, or delete it to run all trials "
        "again"
    )


def _sum(params: Mapping[str, Any], value: float | None, scores: Mapping[int, float]) -> str:
    """Give the sum of what a trial is."""
    text = json.dumps([dict(params), value, dict(scores)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
