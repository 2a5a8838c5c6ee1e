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
from recbole_imn.evaluation.protocols import STANDARD, Protocol, protocol_of
from recbole_imn.evaluation.systems import model_of
from recbole_imn.log import Floats

Result = Mapping[str, Any]
#: Behind the names of strong baselines.
STRONG = "†"


@dataclass(frozen=True)
class Board:
    """All finished runs of one benchmark.

    Attributes
    ----------
    dataset : str
    protocols : tuple of str
        ``all``, ``on_shelf`` or both.
    results : dict of str to list
        Result files of each system in order of seeds; systems in order of the plan. A system
        is a model, or a model with switches such as ``IMNNet fusion=concat``.
    ranks : dict of (str, str) to list of float64 [n_rows]
        Ranks of each protocol and system, an array a seed, all on the same rows.
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
    ranks: dict[tuple[str, str], list[Floats]]
    users: npt.NDArray[np.object_]
    failures: Mapping[str, str]
    agreed: Protocol = STANDARD
    validation: Mapping[str, list[Floats]] = field(default_factory=dict)
    validation_users: npt.NDArray[np.object_] = field(default_factory=lambda: np.empty(0, object))

    def metric(self, model: str, protocol: str, name: str) -> Floats:
        """Give a metric of each seed, float64 [n_seeds]."""
        return np.array(
            [run["protocols"][protocol]["metrics"][name] for run in self.results[model]]
        )

    def best_baseline(self, protocol: str) -> str | None:
        """Give the baseline with the highest mean of the leading metric on the test rows.

        Choosing it there favours the baselines, never us. Of equal ones, the last by name.
        """
        systems, metric = filter(is_baseline, self.results), self.agreed.metric
        return max(
            systems,
            key=lambda system: (self.metric(system, protocol, metric).mean(), system),
            default=None,
        )

    @property
    def knows_purchases(self) -> bool:
        """Whether the log knows of purchases, as far as slices of the test rows tell."""
        slices = self.any_result["protocols"][self.protocols[0]]["slices"]
        told = {(one["grouping"], one["slice"]) for one in slices}
        # The first is there of any such log; older results have the second alone.
        return any(
            grouping == "row's own event" or (grouping == "user's last purchase" and name != "none")
            for grouping, name in told
        )

    @property
    def runs(self) -> list[Result]:
        """The runs of all systems."""
        return [run for runs in self.results.values() for run in runs]

    @property
    def any_result(self) -> Result:
        """One result, for what is the same in all."""
        return next(iter(self.results.values()))[0]


@dataclass(frozen=True)
class SliceMeans:
    """A slice of the test rows.

    Attributes
    ----------
    rows : int
    means : mapping of str to float or None
        The leading metric of each system, seeds averaged; None where a run does not have the
        slice.
    """

    rows: int
    means: Mapping[str, float | None]


def slice_means(board: Board, protocol: str) -> dict[tuple[str, str], SliceMeans]:
    """Give every slice of a protocol's test rows by grouping and name; older results have fewer."""
    found: dict[str, list[dict[tuple[str, str], Result]]] = {}
    for system, runs in board.results.items():
        entries = (run["protocols"][protocol]["slices"] for run in runs)
        found[system] = [{(one["grouping"], one["slice"]): one for one in some} for some in entries]
    slices: dict[tuple[str, str], Result] = {}
    for name, one in (told for runs in found.values() for run in runs for told in run.items()):
        slices.setdefault(name, one)
    return {
        name: SliceMeans(
            one["rows"],
            {system: _mean_of(name, runs, board.agreed.metric) for system, runs in found.items()},
        )
        for name, one in slices.items()
    }


def _mean_of(
    name: tuple[str, str], runs: Sequence[Mapping[tuple[str, str], Result]], metric: str
) -> float | None:
    if any(name not in run for run in runs):
        return None
    return float(np.mean([run[name][metric] for run in runs]))


def label(system: str) -> str:
    """Give the name of a system in tables, strong baselines marked."""
    model, _, variant = system.partition(" ")
    mark = f" {STRONG}" if registry.is_strong_baseline(model) else ""
    return f"{LABELS.get(model, model)} {variant}".rstrip() + mark


def is_baseline(system: str) -> bool:
    """Whether somebody else proposed a system."""
    model = model_of(system)
    strong = registry.is_strong_baseline(model)
    return strong or model in BASELINES or not registry.is_ours(model)


def gather(runs: Sequence[Run], failures: Mapping[str, str], folder: Path) -> Board:
    """Read the finished runs of a plan.

    Raises
    ------
    ValueError
        If two runs were tested on different rows.
    """
    results: dict[str, list[Result]] = {}
    ranks: dict[tuple[str, str], list[Floats]] = {}
    validation: dict[str, list[Floats]] = {}
    rows: pd.DataFrame | None = None
    chosen_by: pd.DataFrame | None = None
    # In order of seeds, whichever came first.
    for run in sorted(runs, key=lambda run: run.seed):
        result = read_result(run, folder)
        if result is None:
            continue
        # What this plan gives to all; a run that was finished before has the same settings.
        given = {"common": run.common, "common_tuning": run.common_tuning}
        results.setdefault(run.system, []).append({**result, **given})
        table, chosen = _parts(pd.read_parquet(folder / "runs" / f"{run.name}.parquet"))
        if len(chosen):
            chosen_by = _same_rows(chosen_by, chosen, run)
            validation.setdefault(run.system, []).append(chosen["rank"].to_numpy())
        for protocol in run.protocols:
            part = table[table["candidates"] == protocol]
            rows = _same_rows(rows, part, run)
            ranks.setdefault((protocol, run.system), []).append(part["rank"].to_numpy())
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
