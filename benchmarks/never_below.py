"""Whether IMNNetPlus is ever below rules that learn nothing, on logs made to be hard for it.

    python benchmarks/never_below.py --data retailrocket=DIR jodie_wikipedia=DIR

Each log of --data, and what is derived from it (derived_logs.py; the .inter file alone), is
trained and ranked as in a benchmark. Finished runs are kept in --out, and the same command goes
on where it was stopped; the tables are written beside that folder.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_imn.evaluation.benchmark.conduct import conduct
from recbole_imn.evaluation.benchmark.plan import TRIVIAL, Conditions, Run, make_run
from recbole_imn.evaluation.benchmark.results import read_result
from recbole_imn.evaluation.significance import user_interval
from recbole_imn.files import replace_text
from recbole_imn.provenance import fingerprint
from recbole_imn.rank_metrics import rank_metric

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.derived_logs import DERIVED, read_log, write_log
from benchmarks.prepared import provenance
from benchmarks.resumable import conducted
from benchmarks.variants import Data

OURS = "IMNNetPlus"
# Name in the table: model, and what is set.
VARIANTS: dict[str, tuple[str, dict]] = {
    OURS: (OURS, {}),
    "RecentHistory": ("RecentHistory", {}),
    "LastItem": ("LastItem", {}),
    "Popularity": ("Popularity", {}),
    "SessionKNN": ("SessionKNN", {}),
    # Where nobody comes back to an item, reminders take the best places.
    "SessionKNN without reminders": ("SessionKNN", {"reminder_weight": 0.0}),
}


@dataclass(frozen=True)
class Judged:
    """A derived log and what became of its runs.

    Attributes
    ----------
    folder : Path
        The data set.
    about : str
    n_events : int
    plans : dict of str to list of Run
        By variant; empty where there is nothing to train on.
    failures : dict of str to str
        Names of variants and failed runs, and why.
    """

    folder: Path
    about: str
    n_events: int
    plans: dict[str, list[Run]]
    failures: dict[str, str]

    def ranks(self, options: argparse.Namespace, variant: str) -> list[pd.DataFrame]:
        """Ranks of the test rows, a table a seed; empty if not all runs are finished."""
        folder, runs = place(options, self.folder, variant), self.plans[variant]
        if not all(read_result(run, folder) for run in runs):
            return []
        return [pd.read_parquet(folder / "runs" / f"{run.name}.parquet") for run in runs]

    def environments(self, options: argparse.Namespace) -> list[dict[str, str]]:
        """Commit, versions and machine of each finished run."""
        results = (
            read_result(run, place(options, self.folder, variant))
            for variant, runs in self.plans.items()
            for run in runs
        )
        return [result["environment"] for result in results if result]


def main() -> int:
    return conducted(work, parse())


def work(options: argparse.Namespace) -> None:
    """Judge each log, and write the tables as soon as one is done."""
    sections, about = [header(options)], []
    for data in options.data:
        log = read_log(data.folder / f"{data.name}.inter")
        sections += ["", f"## {data.name}"]
        for name in options.logs:
            judged = judge(options, data, log, name)
            sections += report(options, judged)
            about += judged.environments(options)
            text = "\n".join([*sections, "", provenance(about)]) + "\n"
            replace_text(options.out.with_suffix(".md"), text)
    print(text)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", type=Data.parse, required=True, help="NAME=PARENT")
    parser.add_argument("--logs", nargs="+", choices=DERIVED, default=list(DERIVED))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("results/never_below"))
    return parser.parse_args()


def judge(options: argparse.Namespace, data: Data, log: pd.DataFrame, name: str) -> Judged:
    """Derive a log, and train and rank all models on it."""
    about, derive = DERIVED[name]
    derived = derive(log)
    folder = options.out / "data" / f"{data.name}-{name}"
    if len(derived) == 0:
        return Judged(folder, about, 0, {}, {})
    write_log(derived, folder)
    plans, failures = {variant: plan(options, folder, variant) for variant in options.variants}, {}
    for variant, runs in plans.items():
        print(f"{folder.name}, {len(derived):,} events: {variant}", file=sys.stderr)
        failed = conduct(runs, place(options, folder, variant))
        failures |= {f"{variant}, {run}": reason for run, reason in failed.items()}
    return Judged(folder, about, len(derived), plans, failures)


def place(options: argparse.Namespace, folder: Path, variant: str) -> Path:
    return options.out / folder.name / variant.replace(" ", "_")


def plan(options: argparse.Namespace, folder: Path, variant: str) -> list[Run]:
    """Runs of a variant; one is enough of models that learn nothing."""
    model, settings = VARIANTS[variant]
    about = fingerprint(folder, folder.name)
    n_seeds = 1 if model in TRIVIAL else options.seeds
    given = Conditions(folder.name, folder, about, options.epochs, "all", settings)
    return [make_run(model, seed, given) for seed in range(1, n_seeds + 1)]


def header(options: argparse.Namespace) -> str:
    return (
        "# Never below rules that learn nothing\n\n"
        f"Seeds 1 to {options.seeds} of {OURS}, {options.epochs} epochs at most, the best one on "
        "validation. The last 10% of the events are test rows, where the user has a history. "
        f"Differences are those of {OURS}, averaged over seeds, to each rule row by row, with a "
        "95% interval by resampling users; it is *below* a rule where the interval ends below "
        "0. Ties count half."
    )


def report(options: argparse.Namespace, judged: Judged) -> list[str]:
    """The table of a derived log."""
    lines = ["", f"### {judged.folder.name}: {judged.about}", ""]
    if judged.n_events == 0:
        return [*lines, "Not there: the log has no such events."]
    ranks = {variant: judged.ranks(options, variant) for variant in judged.plans}
    n_rows = next((f"{len(tables[0]):,}" for tables in ranks.values() if tables), "no")
    lines += [f"{judged.n_events:,} events, {n_rows} test rows.", ""]
    lines += [f"Failed: {run}: {reason}" for run, reason in judged.failures.items()]
    lines += ["", "| model | NDCG@10 | difference | reaches above 0 |", "|---|---|---|---|"]
    return lines + [row(variant, ranks) for variant in judged.plans]


def row(model: str, ranks: dict[str, list[pd.DataFrame]]) -> str:
    if not ranks[model]:
        return f"| {model} | failed | - | - |"
    gain = mean_gain(ranks[model])
    if model == OURS or not ranks.get(OURS):
        return f"| {model} | {gain.mean():.4f} | - | - |"
    difference = mean_gain(ranks[OURS]) - gain
    low, high = user_interval(difference, ranks[OURS][0]["user"].to_numpy(object))
    verdict = "yes" if high > 0 else "**no: below**"
    text = f"{difference.mean():+.4f} [{low:+.4f}, {high:+.4f}]"
    return f"| {model} | {gain.mean():.4f} | {text} | {verdict} |"


def mean_gain(tables: list[pd.DataFrame]) -> np.ndarray:
    return np.mean([rank_metric("ndcg@10")(table["rank"].to_numpy()) for table in tables], axis=0)


if __name__ == "__main__":
    sys.exit(main())
