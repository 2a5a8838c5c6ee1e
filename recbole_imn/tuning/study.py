"""The trials of a model on a data set: asked by TPE, kept in a file, resumable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from recbole_imn.checkpoints import plain_config
from recbole_imn.divergence import DivergenceError
from recbole_imn.model.settings import SettingsError
from recbole_imn.provenance import commit
from recbole_imn.tuning.objective import TrialRequest, validation_score
from recbole_imn.tuning.space import Space, suggest

# Settings that say where files lie, and nothing about results.
PLACES = ("data_path", "checkpoint_dir")
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
        If the file holds trials that were made otherwise.
    """

    def __init__(
        self, request: TrialRequest, space: Space, storage: Path, prune: bool, fingerprint: str
    ) -> None:
        self.request, self.space = request, space
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        config = request.config({})
        self.metric = str(config["valid_metric"])
        storage.parent.mkdir(parents=True, exist_ok=True)
        self.study = optuna.create_study(
            storage=f"sqlite:///{storage}",
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
        self._check_same(storage, json.loads(json.dumps(facts)))
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # Left by a process that was killed.
            self.study.tell(trial.number, state=TrialState.FAIL)

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

        def report(epoch: int, score: float) -> None:
            on_epoch(epoch, score)
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            score = validation_score(self.request, suggest(self.space, trial), report)
        except optuna.TrialPruned:
            self.study.tell(trial, state=TrialState.PRUNED)
        except BaseException as error:
            # Settings under which training diverges are a result; anything else is not.
            diverged = isinstance(error, DivergenceError) or "loss is nan" in str(error)
            self.study.tell(trial, state=TrialState.PRUNED if diverged else TrialState.FAIL)
            if not diverged:
                raise
        else:
            self.study.tell(trial, score)
