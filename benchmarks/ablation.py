"""What each part of IMNNetPlus adds, and where: every part switched in turn.

    python benchmarks/ablation.py retailrocket=DIR jodie_wikipedia=DIR czb=atomic_files

Each argument is a data set and its parent folder. Every variant is trained with the same
seeds and epochs and ranked on the same test rows. Finished runs are kept in --out, and the
same command goes on where it was stopped; the tables are written beside that folder.
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
from recbole_imn.evaluation.benchmark.plan import TRIVIAL, Run, make_run
from recbole_imn.evaluation.benchmark.results import read_result
from recbole_imn.evaluation.metrics import gains
from recbole_imn.evaluation.significance import user_interval
from recbole_imn.files import replace_text
from recbole_imn.provenance import environment, fingerprint

FULL = "IMNNetPlus"
# Name in the table: model, and what is switched.
VARIANTS: dict[str, tuple[str, dict]] = {
    FULL: ("IMNNetPlus", {}),
    "no sources": ("IMNNetPlus", {"sources": [], "calibrate": False}),
    "own items alone": ("IMNNetPlus", {"sources": ["own_items"]}),
    "successors and predecessors instead of co-visited items": (
        "IMNNetPlus",
        {"sources": ["own_items", "successors", "predecessors"]},
    ),
    "no calibration": ("IMNNetPlus", {"calibrate": False}),
    "no mean of weights": ("IMNNetPlus", {"average_share": 0.0}),
    "one step size": (
        "IMNNetPlus",
        {"pointer_learning_rate": 0.0003, "table_learning_rate": 0.003},
    ),
    "no attention to latest items": ("IMNNetPlus", {"attended_events": 0}),
    "no freshness": ("IMNNetPlus", {"terms": ["taste"]}),
    "no taste by item features": ("IMNNetPlus", {"terms": ["freshness"]}),
    "no item features in static embeddings": ("IMNNetPlus", {"static_features": False}),
    "no negatives among items touched lately": ("IMNNetPlus", {"n_active_negatives": 0}),
    "with a resource branch": ("IMNNetPlus", {"resource_branch": "simplified"}),
    "with a resource branch, gated": (
        "IMNNetPlus",
        {"resource_branch": "simplified", "fusion": "gate"},
    ),
    "RecentHistory": ("RecentHistory", {}),
    "IMNNet": ("IMNNet", {}),
}
# Those that stand in the table of kinds of rows.
SLICED = (FULL, "own items alone", "with a resource branch", "RecentHistory", "IMNNet")


@dataclass(frozen=True)
class Data:
    """A data set and the folder that it lies in."""

    name: str
    folder: Path

    @classmethod
    def parse(cls, text: str) -> Data:
        name, _, parent = text.partition("=")
        return cls(name, Path(parent or "atomic_files") / name)


def main() -> int:
    options = parse()
    # RecBole reads sys.argv whenever a Config is made.
    sys.argv = sys.argv[:1]
    sections = [header(options)]
    try:
        for data in options.data:
            plans = {
                name: plan(options, data, name) for name in VARIANTS if wanted(options, data, name)
            }
            for name, runs in plans.items():
                print(f"{data.name}: {name}", file=sys.stderr)
                failures = conduct(runs, place(options, data, name))
                for run, reason in failures.items():
                    print(f"failed: {run}: {reason}", file=sys.stderr)
            sections += report(options, data, plans)
            text = "\n".join(sections) + "\n"
            replace_text(options.out.with_suffix(".md"), text)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; finished runs are kept in {options.out}", file=sys.stderr)
        return 130
    print(text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", type=Data.parse, help="NAME=PARENT_FOLDER")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("results/ablation"))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    return parser.parse_args()


def wanted(options: argparse.Namespace, data: Data, variant: str) -> bool:
    """Whether a variant was asked for, and differs from the full model on a data set."""
    has_features = data.folder.joinpath(f"{data.name}.item").is_file()
    return variant in options.variants and (has_features or "item features" not in variant)


def place(options: argparse.Namespace, data: Data, variant: str) -> Path:
    return options.out / data.name / variant.replace(" ", "_").replace("(", "").replace(")", "")


def plan(options: argparse.Namespace, data: Data, variant: str) -> list[Run]:
    model, switches = VARIANTS[variant]
    about = fingerprint(data.folder, data.name)
    return [
        make_run(model, seed, data.name, data.folder, about, options.epochs, "all", switches)
        for seed in range(1, options.seeds + 1)
    ]


def header(options: argparse.Namespace) -> str:
    about = environment()
    versions = ", ".join(f"{name} {value}" for name, value in about.items() if name != "commit")
    return (
        "# Parts of IMNNetPlus, switched in turn\n\n"
        f"Seeds 1 to {options.seeds}, {options.epochs} epochs at most, the best one on validation. "
        "Figures are means over seeds with their deviation. Differences are paired with "
        f"{FULL} row by row, averaged over seeds, with a 95% interval by resampling users. "
        "Ties count half. Events/s are training events of all epochs by the time of training, "
        "rows/s test rows by the time of the test, with its replay of the log before them; both as "
        f"it went beside whatever else the machine did.\n\n{versions}."
    )


def report(options: argparse.Namespace, data: Data, plans: dict[str, list[Run]]) -> list[str]:
    """Tables of a data set from its finished runs."""
    results = {
        name: [read(run, place(options, data, name)) for run in runs]
        for name, runs in plans.items()
        if all(read_result(run, place(options, data, name)) for run in runs)
    }
    if not results:
        return [f"\n## {data.name}\n\nNo variant is finished."]
    notice = simulated_notice(data.folder, data.name)
    rows = len(next(iter(results.values()))[0][1])
    commits = {run["environment"]["commit"][:7] for runs in results.values() for run, _ in runs}
    about = (
        f"Data {fingerprint(data.folder, data.name)}; {rows:,} test rows; "
        f"commits {', '.join(sorted(commits))}."
    )
    lines = ["", f"## {data.name}", "", f"{notice}. {about}" if notice else about, ""]
    lines += [
        f"| variant | Recall@10 | NDCG@10 | NDCG@10 of {FULL} minus its own "
        "| training, events/s | test, rows/s |",
        "|---|---|---|---|---|---|",
    ]
    lines += [variant_row(name, results) for name in results]
    return [*lines, "", *slice_table(results)]


def read(run: Run, folder: Path) -> tuple[dict, pd.DataFrame]:
    file = folder / "runs" / f"{run.name}.json"
    ranks = pd.read_parquet(file.with_suffix(".parquet"))
    return json.loads(file.read_text(encoding="utf-8")), ranks


def variant_row(name: str, results: dict[str, list]) -> str:
    figures = [result["protocols"]["all"]["metrics"] for result, _ in results[name]]
    cells = [spread([metrics[key] for metrics in figures]) for key in ("recall@10", "ndcg@10")]
    cells += [difference(name, results), *costs(name, results)]
    return f"| {name} | {' | '.join(cells)} |"


def costs(name: str, results: dict[str, list]) -> list[str]:
    """Training events and test rows a second, means over seeds; '-' for who learns nothing."""
    learns = VARIANTS[name][0] not in TRIVIAL
    events = [result["events_per_second"] for result, _ in results[name]]
    rows = [len(ranks) / result["seconds"]["test"]["all"] for result, ranks in results[name]]
    return [f"{np.mean(events):,.0f}" if learns else "-", f"{np.mean(rows):,.0f}"]


def spread(values: list[float]) -> str:
    return f"{np.mean(values):.4f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.4f}"


def difference(name: str, results: dict[str, list]) -> str:
    if name == FULL or FULL not in results:
        return "-"
    one, other = (mean_gain(results[key]) for key in (FULL, name))
    users = results[FULL][0][1]["user"].to_numpy(object)
    low, high = user_interval(one - other, users)
    return f"{(one - other).mean():+.4f} [{low:+.4f}, {high:+.4f}]"


def mean_gain(runs: list) -> np.ndarray:
    return np.mean([gains(ranks["rank"].to_numpy(), "ndcg", 10) for _, ranks in runs], axis=0)


def slice_table(results: dict[str, list]) -> list[str]:
    """NDCG@10 by kind of row, mean over seeds."""
    shown = [name for name in SLICED if name in results]
    if not shown:
        return []
    lines = ["NDCG@10 by kind of row:", "", f"| rows | number | {' | '.join(shown)} |"]
    lines.append("|---" * (2 + len(shown)) + "|")
    for number, one in enumerate(slices(results[shown[0]][0])):
        cells = [
            np.mean([slices(run)[number]["ndcg@10"] for run in results[name]]) for name in shown
        ]
        text = " | ".join(f"{cell:.4f}" for cell in cells)
        lines.append(f"| {one['grouping']}: {one['slice']} | {one['rows']:,} | {text} |")
    return lines


def slices(run: tuple[dict, pd.DataFrame]) -> list[dict]:
    return run[0]["protocols"]["all"]["slices"]


if __name__ == "__main__":
    sys.exit(main())
