"""What each part of IMNNetPlus adds, and where: every part switched in turn.

    python benchmarks/ablation.py retailrocket=DIR jodie_wikipedia=DIR czb=atomic_files

Each argument is a data set and its parent folder. Every variant is trained with the same
seeds and epochs and ranked on the same test rows. Finished runs are kept in --out, and the
same command goes on where it was stopped; the tables are written beside that folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.files import replace_text

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.resumable import conducted
from benchmarks.variants import (
    Data,
    Results,
    Variant,
    arguments,
    costs,
    difference,
    finish,
    finished,
    metrics_of,
    slices,
    told_of,
    versions,
)

FULL = "IMNNetPlus"
# Name in the table: model, and what is switched.
VARIANTS: dict[str, Variant] = {
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
    "with attention to latest items": ("IMNNetPlus", {"attended_events": 20}),
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


def main() -> int:
    return conducted(work, parse())


def work(options: argparse.Namespace) -> None:
    """Finish all runs, and write the tables of each data set as soon as it is done."""
    sections = [header(options)]
    for data in options.data:
        chosen = {name: v for name, v in VARIANTS.items() if wanted(options, data, name)}
        sections += report(options, data, finish(options, data, chosen))
        text = "\n".join(sections) + "\n"
        replace_text(options.out.with_suffix(".md"), text)
    print(text)


def parse() -> argparse.Namespace:
    parser = arguments(__doc__.splitlines()[0], Path("results/ablation"))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    return parser.parse_args()


def wanted(options: argparse.Namespace, data: Data, variant: str) -> bool:
    """Whether a variant was asked for, and differs from the full model on a data set."""
    has_features = data.folder.joinpath(f"{data.name}.item").is_file()
    return variant in options.variants and (has_features or "item features" not in variant)


def header(options: argparse.Namespace) -> str:
    return (
        "# Parts of IMNNetPlus, switched in turn\n\n"
        f"Seeds 1 to {options.seeds}, {options.epochs} epochs at most, the best one on validation. "
        "Figures are means over seeds with their deviation. Differences are paired with "
        f"{FULL} row by row, averaged over seeds, with a 95% interval by resampling users. "
        "Ties count half. Events/s are training events of all epochs by the time of training, "
        "rows/s test rows by the time of the test, with its replay of the log before them; both as "
        f"it went beside whatever else the machine did.\n\n{versions()}."
    )


def report(options: argparse.Namespace, data: Data, plans: dict[str, list[Run]]) -> list[str]:
    """Tables of a data set from its finished runs."""
    results = finished(options, data, plans)
    if not results:
        return [f"\n## {data.name}\n\nNo variant is finished."]
    lines = ["", f"## {data.name}", "", told_of(data, results), ""]
    lines += [
        f"| variant | Recall@10 | NDCG@10 | NDCG@10 of {FULL} minus its own "
        "| training, events/s | test, rows/s |",
        "|---|---|---|---|---|---|",
    ]
    lines += [variant_row(name, results) for name in results]
    return [*lines, "", *slice_table(results)]


def variant_row(name: str, results: Results) -> str:
    runs = results[name]
    cells = metrics_of(runs, "recall@10", "ndcg@10")
    known = name != FULL and FULL in results
    cells.append(str(difference(results[FULL], runs)) if known else "-")
    cells += costs(VARIANTS[name][0], runs)
    return f"| {name} | {' | '.join(cells)} |"


def slice_table(results: Results) -> list[str]:
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


if __name__ == "__main__":
    sys.exit(main())
