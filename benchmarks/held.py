"""Has quality held? Two folders of `recbole-imn benchmark`, before and after a change.

    python benchmarks/held.py --before DIR --after DIR [--out=results/held.md]

For each model that both have: mean NDCG@10 on the test rows over the seeds that both have, and
the difference on the same rows, averaged over seeds, with a 95% interval by resampling users.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from recbole_imn.evaluation.significance import Figure, user_interval
from recbole_imn.files import read_json, replace_text
from recbole_imn.rank_metrics import rank_metric

CUT = 10
# What must be the same for ranks to be comparable row by row.
SAME = ("dataset", "fingerprint")


@dataclass(frozen=True)
class Result:
    """A finished run: what its json file says, and the ranks of all test rows."""

    about: dict
    ranks: pd.DataFrame

    @property
    def gain(self) -> np.ndarray:
        """NDCG@10 of each row, float64 [n_rows]."""
        return rank_metric(f"ndcg@{CUT}")(self.ranks["rank"].to_numpy())


Results = dict[str, dict[int, Result]]


def main() -> int:
    options = parse()
    try:
        text = report(options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        replace_text(options.out, text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, required=True, help="folder of a benchmark")
    parser.add_argument("--after", type=Path, required=True, help="folder of a benchmark")
    parser.add_argument("--candidates", default="all", help="all or on_shelf")
    parser.add_argument("--out", type=Path, help="also write the table to a file")
    return parser.parse_args()


def read(folder: Path, candidates: str) -> Results:
    """Read the finished runs of a benchmark, by model and seed."""
    found: Results = defaultdict(dict)
    for file in sorted((folder / "runs").glob("*.json")):
        about = read_json(file, ValueError)
        ranks = pd.read_parquet(file.with_suffix(".parquet"))
        rows = ranks[ranks["candidates"] == candidates].reset_index(drop=True)
        if len(rows):
            found[about["model"]][about["seed"]] = Result(about, rows)
    if not found:
        raise ValueError(f"{folder / 'runs'} has no finished run with candidates {candidates}")
    return found


def report(options: argparse.Namespace) -> str:
    before, after = (read(folder, options.candidates) for folder in (options.before, options.after))
    models = [model for model in before if model in after]
    if not models:
        raise ValueError(f"{options.before} and {options.after} have no model in common")
    rows = [row(model, before[model], after[model]) for model in models]
    first = next(iter(before[models[0]].values()))
    lines = [
        f"# NDCG@{CUT} on {first.about['dataset']}, before and after",
        "",
        f"Means over seeds with their deviation, on {len(first.ranks):,} test rows (candidates: "
        f"{options.candidates}). Differences are paired row by row, averaged over seeds, with a "
        "95% interval by resampling users. Held: the interval is not all below zero.",
        "",
        f"Before: commits {commits(before)}. After: commits {commits(after)}. Data: "
        f"{first.about['fingerprint']}.",
        "",
        "| model | seeds | before | after | difference, 95% | held |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *rows]) + "\n"


def commits(results: Results) -> str:
    runs = [run for seeds in results.values() for run in seeds.values()]
    return ", ".join(sorted({run.about["environment"]["commit"][:7] for run in runs}))


def row(model: str, before: dict[int, Result], after: dict[int, Result]) -> str:
    seeds = sorted(set(before) & set(after))
    if not seeds:
        raise ValueError(f"{model} has seeds {sorted(before)} before, but {sorted(after)} after")
    olds, news = ([results[seed] for seed in seeds] for results in (before, after))
    check(model, [*olds, *news])
    change = difference(olds, news)
    return (
        f"| {model} | {len(seeds)} | {spread(olds)} | {spread(news)} | {change} "
        f"| {'yes' if change.high >= 0 else 'no'} |"
    )


def check(model: str, results: list[Result]) -> None:
    """See that all runs ranked the same rows of the same log."""
    first = results[0]
    for other in results[1:]:
        for key in SAME:
            if other.about[key] != first.about[key]:
                values = json.dumps([first.about[key], other.about[key]])
                raise ValueError(f"runs of {model} have not the same {key}: {values}")
        for column in ("event_index", "user", "item"):
            if not np.array_equal(other.ranks[column], first.ranks[column]):
                raise ValueError(f"runs of {model} ranked other rows: column {column} differs")


def difference(before: list[Result], after: list[Result]) -> Figure:
    """Give the mean difference of rows, seeds averaged, with its interval."""
    old, new = (np.mean([run.gain for run in runs], axis=0) for runs in (before, after))
    users = before[0].ranks["user"].to_numpy(object)
    return Figure(float((new - old).mean()), *user_interval(new - old, users))


def spread(runs: list[Result]) -> str:
    means = [run.gain.mean() for run in runs]
    deviation = np.std(means, ddof=1) if len(means) > 1 else 0.0
    return f"{np.mean(means):.4f} ± {deviation:.4f}"


if __name__ == "__main__":
    sys.exit(main())
