"""Variants of models, trained and ranked on the same rows: their runs, and cells of tables.

Finished runs are kept in a folder, and whoever asks for the same ones again goes on where it was
stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_imn.data.simulated import simulated_notice
from recbole_imn.evaluation.benchmark.conduct import conduct
from recbole_imn.evaluation.benchmark.plan import TRIVIAL, Conditions, Run, make_run
from recbole_imn.evaluation.benchmark.results import read_result
from recbole_imn.evaluation.significance import Figure, user_interval
from recbole_imn.provenance import environment, fingerprint
from recbole_imn.rank_metrics import rank_metric

# A model, and what is switched.
Variant = tuple[str, dict]
# Of each variant, seed by seed: what a run says of itself, and the ranks of all test rows.
Results = dict[str, list[tuple[dict, pd.DataFrame]]]


@dataclass(frozen=True)
class Data:
    """A data set and the folder that it lies in."""

    name: str
    folder: Path

    @classmethod
    def parse(cls, text: str) -> Data:
        name, _, parent = text.partition("=")
        return cls(name, Path(parent or "atomic_files") / name)


def arguments(description: str, out: Path) -> argparse.ArgumentParser:
    """What every table of variants is asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", nargs="+", type=Data.parse, help="NAME=PARENT_FOLDER")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=out)
    return parser


def place(options: argparse.Namespace, data: Data, name: str) -> Path:
    """The folder of a variant's runs."""
    return options.out / data.name / name.replace(" ", "_").replace("(", "").replace(")", "")


def plan(options: argparse.Namespace, data: Data, variant: Variant) -> list[Run]:
    """The runs of a variant, a seed each."""
    model, switches = variant
    about = fingerprint(data.folder, data.name)
    given = Conditions(data.name, data.folder, about, options.epochs, "all", switches)
    return [make_run(model, seed, given) for seed in range(1, options.seeds + 1)]


def finish(
    options: argparse.Namespace, data: Data, variants: dict[str, Variant]
) -> dict[str, list[Run]]:
    """Execute all runs that are not finished, and give those of each variant."""
    plans = {name: plan(options, data, variant) for name, variant in variants.items()}
    for name, runs in plans.items():
        print(f"{data.name}: {name}", file=sys.stderr)
        for run, reason in conduct(runs, place(options, data, name)).items():
            print(f"failed: {run}: {reason}", file=sys.stderr)
    return plans


def finished(options: argparse.Namespace, data: Data, plans: dict[str, list[Run]]) -> Results:
    """Read the variants of which every run is finished."""
    return {
        name: [read(run, place(options, data, name)) for run in runs]
        for name, runs in plans.items()
        if all(read_result(run, place(options, data, name)) for run in runs)
    }


def read(run: Run, folder: Path) -> tuple[dict, pd.DataFrame]:
    file = folder / "runs" / f"{run.name}.json"
    ranks = pd.read_parquet(file.with_suffix(".parquet"))
    return json.loads(file.read_text(encoding="utf-8")), ranks


def versions() -> str:
    about = environment()
    return ", ".join(f"{name} {value}" for name, value in about.items() if name != "commit")


def told_of(data: Data, results: Results) -> str:
    """What a table is of: the data, how many rows, and which commits."""
    notice = simulated_notice(data.folder, data.name)
    rows = len(next(iter(results.values()))[0][1])
    commits = {run["environment"]["commit"][:7] for runs in results.values() for run, _ in runs}
    about = (
        f"Data {fingerprint(data.folder, data.name)}; {rows:,} test rows; "
        f"commits {', '.join(sorted(commits))}."
    )
    return f"{notice}. {about}" if notice else about


def metrics_of(runs: list, *names: str) -> list[str]:
    """Means over seeds with their deviation."""
    figures = [result["protocols"]["all"]["metrics"] for result, _ in runs]
    return [spread([metrics[name] for metrics in figures]) for name in names]


def spread(values: list[float]) -> str:
    return f"{np.mean(values):.4f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.4f}"


def costs(model: str, runs: list) -> list[str]:
    """Training events and test rows a second, means over seeds; '-' for who learns nothing."""
    events = [result["events_per_second"] for result, _ in runs]
    rows = [len(ranks) / result["seconds"]["test"]["all"] for result, ranks in runs]
    return [f"{np.mean(events):,.0f}" if model not in TRIVIAL else "-", f"{np.mean(rows):,.0f}"]


def difference(one: list, other: list) -> Figure:
    """NDCG@10 of one variant minus that of another, row by row, seeds averaged."""
    users = one[0][1]["user"].to_numpy(object)
    gain = mean_gain(one) - mean_gain(other)
    return Figure(float(gain.mean()), *user_interval(gain, users))


def mean_gain(runs: list) -> np.ndarray:
    return np.mean([rank_metric("ndcg@10")(ranks["rank"].to_numpy()) for _, ranks in runs], axis=0)


def slices(run: tuple[dict, pd.DataFrame]) -> list[dict]:
    return run[0]["protocols"]["all"]["slices"]
