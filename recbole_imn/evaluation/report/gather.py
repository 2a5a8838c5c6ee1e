"""Reading back what the runs of a benchmark left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recbole_imn import registry
from recbole_imn.evaluation.benchmark.plan import BASELINES, LABELS, Run
from recbole_imn.evaluation.benchmark.results import read_result
from recbole_imn.evaluation.metrics import Reals
from recbole_imn.evaluation.protocols import STANDARD, Protocol, protocol_of

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Board:
    """All finished runs of one benchmark.

    Attributes
    ----------
    dataset : str
    protocols : tuple of str
        ``all``, ``on_shelf`` or both.
    results : dict of str to list
        Result files of each model in order of seeds; models in order of the plan.
    ranks : dict of (str, str) to list of float64 [n_rows]
        Ranks of each protocol and model, an array a seed, all on the same rows.
    users : object [n_rows]
        The user of each row.
    failures : mapping of str to str
        Why runs failed, by name.
    agreed : Protocol
        What the runs were compared by.
    validation : mapping of str to list of float64 [n_rows]
        Ranks of the validation rows of each model, an array a seed, where a protocol asks for
        them.
    validation_users : object [n_rows]
        The user of each validation row.
    """

    dataset: str
    protocols: tuple[str, ...]
    results: dict[str, list[Result]]
    ranks: dict[tuple[str, str], list[Reals]]
    users: npt.NDArray[np.object_]
    failures: Mapping[str, str]
    agreed: Protocol = STANDARD
    validation: Mapping[str, list[Reals]] = field(default_factory=dict)
    validation_users: npt.NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))

    def metric(self, model: str, protocol: str, name: str) -> Reals:
        """Give a metric of each seed, float64 [n_seeds]."""
        return np.array(
            [run["protocols"][protocol]["metrics"][name] for run in self.results[model]]
        )

    def best_baseline(self, protocol: str) -> str | None:
        """Give the baseline with the highest mean of the leading metric on the test rows.

        Choosing it there favours the baselines, never us.
        """
        models = [
            model for model in self.results if model in BASELINES or not registry.is_ours(model)
        ]
        if not models:
            return None
        metric = self.agreed.metric
        return max(models, key=lambda model: self.metric(model, protocol, metric).mean())

    @property
    def any_result(self) -> Result:
        """One result, for what is the same in all."""
        return next(iter(self.results.values()))[0]


def label(model: str) -> str:
    """Give the name of a model in tables."""
    return LABELS.get(model, model)


def gather(runs: Sequence[Run], failures: Mapping[str, str], folder: Path) -> Board:
    """Read the finished runs of a plan.

    Raises
    ------
    ValueError
        If two runs were tested on different rows.
    """
    results: dict[str, list[Result]] = {}
    ranks: dict[tuple[str, str], list[Reals]] = {}
    validation: dict[str, list[Reals]] = {}
    rows: pd.DataFrame | None = None
    chosen_by: pd.DataFrame | None = None
    for run in runs:
        result = read_result(run, folder)
        if result is None:
            continue
        results.setdefault(run.model, []).append(result)
        table, chosen = _parts(pd.read_parquet(folder / "runs" / f"{run.name}.parquet"))
        if len(chosen):
            chosen_by = _same_rows(chosen_by, chosen, run)
            validation.setdefault(run.model, []).append(chosen["rank"].to_numpy())
        for protocol in run.protocols:
            part = table[table["candidates"] == protocol]
            rows = _same_rows(rows, part, run)
            ranks.setdefault((protocol, run.model), []).append(part["rank"].to_numpy())
    return Board(
        dataset=runs[0].dataset,
        protocols=runs[0].protocols,
        results=results,
        ranks=ranks,
        users=_users(rows),
        failures=failures,
        agreed=protocol_of(runs[0].settings),
        validation=validation,
        validation_users=_users(chosen_by),
    )


def _parts(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell ranks of the test rows from those of validation rows, which older files lack."""
    if "part" not in table:
        return table, table.iloc[:0]
    return table[table["part"] == "test"], table[table["part"] == "validation"]


def _users(rows: pd.DataFrame | None) -> npt.NDArray[np.object_]:
    return np.empty(0, object) if rows is None else rows["user"].to_numpy(object)


def _same_rows(rows: pd.DataFrame | None, part: pd.DataFrame, run: Run) -> pd.DataFrame:
    identity = part[["event_index", "user", "item"]].reset_index(drop=True)
    if rows is not None and not rows.equals(identity):
        raise ValueError(f"{run.name} was tested on other rows than the runs before it")
    return identity
