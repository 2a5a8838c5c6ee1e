"""The trials of a model on a data set: asked by TPE, kept in a file, resumable."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.pool import NullPool

from recbole_imn.checkpoints import plain_config
from recbole_imn.data.searched import VALIDATION_ENDS
from recbole_imn.errors import DivergenceError, SettingsError, named_line, one_line
from recbole_imn.files import make_folder
from recbole_imn.provenance import NOT_SHAPING, commit
from recbole_imn.tuning.clock import Clock, TimeUp
from recbole_imn.tuning.data import StudyData
from recbole_imn.tuning.objective import TrialRequest, validation_score
from recbole_imn.tuning.space import Space, decoded, encoded, inside, suggest

SUM, SECONDS, OUTCOME = "sha256", "seconds", "outcome"
# A trial's share of the budget at most, so that no model spends it on its first settings.
TRIAL_SHARE = 1 / 3
# Failures in a row after which a study ends: something else than settings is wrong.
FAILURES = 3
# At an epoch of 1, 3, 9, 27, only a third of the trials that came so far go on.
FIRST_LOOK, REDUCTION = 1, 3


@dataclass(frozen=True)
class Budget:
    """What a study may take.

    Attributes
    ----------
    seconds : float
        Of a processor, for all trials together. What interrupted trials have spent counts.
    trials : int
        At most.
    prune : bool
        Whether trials are stopped by successive halving [1]_.

    References
    ----------
    .. [1] Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020.
    """

    seconds: float = 1200.0
    trials: int = 200
    prune: bool = True


class Tuning:
    """A study that goes on where it stopped.

    Its first trial has the defaults. Each trial draws from its own seed, made of the study's
    and the trial's place, so that an interrupted study continues as if nothing had happened,
    but for the time that was lost. One process at a time.

    Parameters
    ----------
    request : TrialRequest
    space : Space
    storage : Path
        SQLite file with the trials; made if it does not exist.
    budget : Budget
    fingerprint : str
        Of the data.

    Raises
    ------
    SettingsError
        If the file holds trials that were made otherwise, or is damaged.
    """

    def __init__(
        self, request: TrialRequest, space: Space, storage: Path, budget: Budget, fingerprint: str
    ) -> None:
        self.request, self.space, self.budget = request, space, budget
        self._data, self._commit = StudyData(), commit()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        config = request.config({})
        self.metric, self.epochs = str(config["valid_metric"]), int(config["epochs"])
        settings = plain_config(config)["final"]
        self.defaults = inside(space, settings)
        self._usual = {name: settings[name] for name in self.defaults}
        make_folder(storage.parent)
        check_database(storage)
        self.study = optuna.create_study(
            storage=_database(storage),
            study_name=f"{request.model} on {request.dataset}",
            direction="maximize" if config["valid_metric_bigger"] else "minimize",
            pruner=_pruner(budget.prune),
            load_if_exists=True,
        )
        facts = {
            **settings,
            "search space": {name: repr(dimension) for name, dimension in space.items()},
            "prune": budget.prune,
            "seconds": budget.seconds,
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
            raise _damaged(storage, one_line(error)) from error
        for trial in finished:
            parts = (trial.params, trial.value, trial.intermediate_values)
            if trial.user_attrs.get(SUM, _sum(*parts)) != _sum(*parts):
                raise _damaged(storage, f"trial {trial.number} is not what was written")

    def _check_same(self, storage: Path, facts: dict[str, Any]) -> None:
        before = self.study.user_attrs.get("facts")
        if before is None or not self.finished:
            self.study.set_user_attr("facts", facts)
            return
        for name in (name for name in {**before, **facts} if name not in NOT_SHAPING):
            if before.get(name) != facts.get(name):
                raise SettingsError(
                    f"{storage} holds trials with {name} {before.get(name)!r}, not "
                    f"{facts.get(name)!r}; choose another --out, or delete it"
                )

    # -- what is known ---------------------------------------------------------------------

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials, interrupted ones included."""
        return self.study.get_trials(deepcopy=False)

    @property
    def finished(self) -> list[FrozenTrial]:
        """Trials that have come to an end, whatever it was; not those that were interrupted."""
        return [trial for trial in self.trials if _is_finished(trial)]

    @property
    def best(self) -> FrozenTrial | None:
        """The trial with the best validation score, None before the first is complete."""
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return self.study.best_trial if complete else None

    def values_of(self, trial: FrozenTrial) -> dict[str, Any]:
        """Give the settings of a trial."""
        return decoded(self.space, trial.params)

    @property
    def spent(self) -> float:
        """Seconds of a processor that all trials have taken, interrupted ones included."""
        return float(sum(trial.user_attrs.get(SECONDS, 0.0) for trial in self.trials))

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent, or so many trials are finished."""
        return self.spent >= self.budget.seconds or len(self.finished) >= self.budget.trials

    def outcomes(self) -> dict[str, int]:
        """Count how trials ended; ``interrupted`` ones were run again."""
        names = [
            trial.user_attrs.get(OUTCOME) if _is_finished(trial) else "interrupted"
            for trial in self.trials
        ]
        known = ("complete", "pruned", "diverged", "out of time", "failed", "interrupted")
        return {name.replace(" ", "_"): names.count(name) for name in known}

    # -- trials ----------------------------------------------------------------------------

    def run_next(self, on_epoch: Callable[[int, float], None]) -> None:
        """Run a trial and keep its score; a broken one leaves no score.

        Parameters
        ----------
        on_epoch : callable
            Called with epoch and validation score after each epoch.
        """
        n_finished = len(self.finished)
        seconds = self.budget.seconds
        limit = min(TRIAL_SHARE * seconds, seconds - self.spent)
        clock = Clock(limit, n_finished == 0, lambda spent: trial.set_user_attr(SECONDS, spent))
        trial, values = self._ask(n_finished)
        trial.set_user_attr("commit", self._commit)
        scores: dict[int, float] = {}

        def report(epoch: int, score: float) -> None:
            on_epoch(epoch, score)
            scores[epoch] = score
            # Rungs count epochs that are done.
            trial.report(score, epoch + 1)
            if epoch + 1 < self.epochs and trial.should_prune():
                raise optuna.TrialPruned

        outcome, score, failure = "complete", None, None
        try:
            score = validation_score(self.request, values, report, clock, self._data)
        except optuna.TrialPruned:
            outcome = "pruned"
        except TimeUp:
            outcome = "out of time"
        except Exception as error:
            # Settings under which training diverges are a result; anything else is not.
            outcome, failure = _judged(error)
            if failure and self._must_end(error):
                trial.set_user_attr(SECONDS, clock.spent)
                self.study.tell(trial, state=TrialState.FAIL)
                raise
        except BaseException:
            trial.set_user_attr(SECONDS, clock.spent)
            self.study.tell(trial, state=TrialState.FAIL)
            raise
        trial.set_user_attr(SECONDS, clock.spent)
        trial.set_user_attr(VALIDATION_ENDS, self._data.validation_ends)
        if failure:
            self._fail(trial, failure)
        else:
            self._finish(trial, score, scores, outcome)

    def _ask(self, n_finished: int) -> tuple[Trial, dict[str, Any]]:
        """Make a trial, the first one with the defaults, and give its settings."""
        seed = np.random.SeedSequence([self.request.seed, n_finished])
        self.study.sampler = optuna.samplers.TPESampler(seed=int(seed.generate_state(1)[0]))
        if n_finished:
            trial = self.study.ask()
            return trial, suggest(self.space, trial)
        if not self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self.study.enqueue_trial(encoded(self.space, self._usual))
        trial = self.study.ask()
        # Defaults that lie beyond the space are left as they are.
        return trial, suggest(self.defaults, trial)

    def _must_end(self, error: Exception) -> bool:
        """Whether an error is not of the settings that were tried, as far as one can say."""
        latest = [trial.user_attrs.get(OUTCOME) for trial in self.finished][1 - FAILURES :]
        repeated = latest == ["failed"] * (FAILURES - 1)
        return not self.finished or repeated or isinstance(error, OSError)

    def _fail(self, trial: Trial, reason: str) -> None:
        """Keep that a trial failed, and say so."""
        print(f"trial {trial.number} failed: {reason}", file=sys.stderr)
        trial.set_user_attr("reason", reason)
        trial.set_user_attr(OUTCOME, "failed")
        self.study.tell(trial, state=TrialState.FAIL)

    def _finish(
        self, trial: Trial, score: float | None, scores: Mapping[int, float], outcome: str
    ) -> None:
        """Keep a trial, pruned if it has no score, with a sum of what it is."""
        # Optuna gives a pruned trial its last score.
        value = score if score is not None or not scores else scores[max(scores)]
        steps = {epoch + 1: found for epoch, found in scores.items()}
        trial.set_user_attr(SUM, _sum(trial.params, value, steps))
        trial.set_user_attr(OUTCOME, outcome)
        state = TrialState.PRUNED if score is None else TrialState.COMPLETE
        self.study.tell(trial, score, state=state)


def _is_finished(trial: FrozenTrial) -> bool:
    """Whether a trial has come to an end; Optuna calls interrupted ones failed as well.

    An outcome is written just before the state: one that stands alone was interrupted.
    """
    failed = trial.state == TrialState.FAIL and trial.user_attrs.get(OUTCOME) == "failed"
    return failed or trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def _judged(error: Exception) -> tuple[str, str | None]:
    """Say how a trial ended by an error, and why if it was no divergence."""
    if isinstance(error, DivergenceError) or "loss is nan" in str(error):
        return "diverged", None
    return "failed", named_line(error)


def _pruner(prune: bool) -> optuna.pruners.BasePruner:
    if not prune:
        return optuna.pruners.NopPruner()
    return optuna.pruners.SuccessiveHalvingPruner(FIRST_LOOK, REDUCTION)


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
        raise _damaged(storage, one_line(found))


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
