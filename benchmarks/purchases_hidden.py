"""What are purchases worth on a real log? Each of who uses them, with them known and hidden.

    python benchmarks/purchases_hidden.py [--dataset=retailrocket --data_path=DIR --seeds=3]

A hidden purchase is an event like the most frequent one that is no purchase: it happened, with
the same user, item and time, so that the rows are the same. Purchases are hidden from the
resource-limited state (their flag alone), from the pointer's features (what was done in events
that point to candidates), or from the whole model (their flag and their behaviour, in a log
without them). The tables compare NDCG@10 row by row, on all rows, on rows whose target is a
purchase, and on rows within a week after a purchase of the user.

A finished run is a file in --out; the same command goes on where it was stopped, and writes the
tables from what is finished beside that folder. A run on retailrocket takes a core some two
minutes.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.derived_logs import PURCHASE, read_log, write_log
from benchmarks.prepared import folder_of, prepare, provenance
from benchmarks.resource_markets import WEEK
from benchmarks.resumable import read_record
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.evaluation.significance import Figure, user_interval
from recbole_imn.files import replace_text
from recbole_imn.log import NO_EVENT, EventLog
from recbole_imn.past import Past
from recbole_imn.provenance import environment, fingerprint
from recbole_imn.rank_metrics import rank_metric
from recbole_imn.tuning.objective import quiet

CUT = 10
BEHAVIOUR = "behavior:token"
KNOWN, BRANCH, POINTER, EVERYTHING = "known", "flag hidden", "pointer blind", "all hidden"
# By name in the tables: model, and from whom purchases are hidden in its two runs.
COMPARISONS = {
    "the resource-limited state of IMNNet": ("IMNNet", BRANCH),
    "everything in IMNNet": ("IMNNet", EVERYTHING),
    "the pointer's features of IMNNetPlus": ("IMNNetPlus", POINTER),
    "everything in IMNNetPlus": ("IMNNetPlus", EVERYTHING),
}
ALL, TARGETS, RECENT = "all rows", "target is a purchase", "within 7 days after a purchase"


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes
    ----------
    dataset : str
    model : str
    hidden : str
        From whom purchases are hidden.
    seed, epochs : int
    data : str
        Fingerprint of the log as it is.
    """

    dataset: str
    model: str
    hidden: str
    seed: int
    epochs: int
    data: str

    def file(self, out: Path) -> Path:
        name = f"{self.model}-{self.hidden.replace(' ', '-')}-{self.seed}.json"
        return out / self.dataset / name


# -- hiding ---------------------------------------------------------------------------------------


def without_flags(log: pd.DataFrame) -> pd.DataFrame:
    """Let no event be a purchase; what was done is still told."""
    return log.assign(**{PURCHASE: "0"})


def without_purchases(log: pd.DataFrame) -> pd.DataFrame:
    """Let purchases be events like the most frequent ones that are none."""
    hidden = without_flags(log)
    if BEHAVIOUR in log:
        purchased = log[PURCHASE].astype(float) > 0
        usual = log[BEHAVIOUR][~purchased].mode()
        hidden[BEHAVIOUR] = log[BEHAVIOUR].where(~purchased, usual.iloc[0] if len(usual) else "")
    return hidden


HIDING: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    BRANCH: without_flags,
    EVERYTHING: without_purchases,
}


def write_hidden(folder: Path, hidden: str, out: Path) -> Path:
    """Write the log of a data set with purchases hidden, and give the parent of its folder."""
    parent = out / "logs" / hidden.replace(" ", "-")
    if not (parent / folder.name / f"{folder.name}.inter").is_file():
        log = read_log(folder / f"{folder.name}.inter")
        if PURCHASE not in log:
            raise ValueError(f"{folder.name}.inter has no column purchase; nothing can be hidden")
        for file in folder.iterdir():
            if file.suffix in (".item", ".user"):
                (parent / folder.name).mkdir(parents=True, exist_ok=True)
                shutil.copy(file, parent / folder.name / file.name)
        write_log(HIDING[hidden](log), parent / folder.name)
    return parent


class HiddenLog:
    """A log in memory whose purchases are events like any other; it does not grow."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        purchased = log.purchase
        usual = np.bincount(log.behaviour[~purchased]).argmax() if not purchased.all() else 0
        self.behaviour = np.where(purchased, usual, log.behaviour).astype(log.behaviour.dtype)
        self.purchase = np.zeros_like(purchased)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def blind(pointer: Any, log: EventLog) -> None:
    """Let a pointer see a past in which nothing was a purchase."""
    look, hidden = pointer.look, HiddenLog(log)

    def look_at_hidden(past: Past, facts: Any) -> Any:
        seen = copy.copy(past)
        seen.log = hidden
        return look(seen, facts)

    pointer.look = look_at_hidden


# -- running --------------------------------------------------------------------------------------


def main() -> int:
    options = parse()
    torch.set_num_threads(1)
    folder = folder_of(options.dataset, Path(options.data_path)) / options.dataset
    try:
        runs = plan(options, folder)
        for run in tqdm(runs, unit="run"):
            if not run.file(options.out).is_file():
                with quiet():
                    record = train(run, folder, options.out)
                run.file(options.out).parent.mkdir(parents=True, exist_ok=True)
                replace_text(run.file(options.out), json.dumps(record) + "\n")
            # After each: whoever stops here has the table of what is finished.
            text = report(options, runs, folder)
            replace_text(options.out.with_name(f"{options.out.name}.md"), text)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="retailrocket")
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="at most; the best one is tested")
    parser.add_argument("--out", type=Path, default=Path("results/purchases_hidden"))
    options = parser.parse_args()
    if min(options.seeds, options.epochs) < 1:
        parser.error("--seeds and --epochs must be above 0")
    return options


def plan(options: argparse.Namespace, folder: Path) -> list[Run]:
    """All runs, those of a seed beside each other."""
    data = fingerprint(folder, options.dataset)
    settings = dict.fromkeys(
        (model, hidden) for model, other in COMPARISONS.values() for hidden in (KNOWN, other)
    )
    return [
        Run(options.dataset, model, hidden, seed, options.epochs, data)
        for seed in range(1, options.seeds + 1)
        for model, hidden in settings
    ]


def train(run: Run, folder: Path, out: Path) -> dict[str, Any]:
    """Train a model, and rank the test rows by its best epoch on validation."""
    parent = write_hidden(folder, run.hidden, out) if run.hidden in HIDING else folder.parent
    settings = {"seed": run.seed, "epochs": run.epochs, "snapshot": False}
    saved = str(out / "saved")
    made = prepare(run.dataset, parent, run.model, checkpoint_dir=saved, **settings)
    if run.hidden == POINTER:
        blind(made.network.pointer, made.dataset.log)
    score, _ = made.trainer.fit(made.train, made.valid, verbose=False)
    recorder = RankRecorder(made.trainer)
    made.trainer.evaluate(made.test, load_best_model=True, show_progress=False)
    table, past = recorder.table(), made.dataset.past
    events = table["event_index"].to_numpy()
    facts = past.look_at_events(events)
    record = {
        "run": asdict(run),
        "validation": float(score),
        "events": events.tolist(),
        "users": table["user"].tolist(),
        "items": table["item"].tolist(),
        "ranks": table["rank"].tolist(),
        "environment": environment(),
    }
    if run.hidden == KNOWN:
        recent = (facts.purchase != NO_EVENT) & (facts.since_purchase <= WEEK)
        record |= {TARGETS: past.log.purchase[events].tolist(), RECENT: recent.tolist()}
    return record


# -- the tables -----------------------------------------------------------------------------------


def read(run: Run, out: Path) -> dict[str, Any]:
    return read_record(run.file(out), asdict(run))


def report(options: argparse.Namespace, runs: list[Run], folder: Path) -> str:
    found = {run: read(run, options.out) for run in runs if run.file(options.out).is_file()}
    lines = [*heading(options, folder), ""]
    lines += ["| purchases are for | rows | number | seeds | known | hidden | difference, 95% |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for name, (model, hidden) in COMPARISONS.items():
        pairs = paired(found, model, hidden)
        if pairs:
            lines += [row(name, rows, pairs) for rows in (ALL, TARGETS, RECENT)]
    about = [record.get("environment", {}) for record in found.values()]
    return "\n".join([*lines, "", provenance(about)]) + "\n"


def heading(options: argparse.Namespace, folder: Path) -> list[str]:
    notice = simulated_notice(folder, options.dataset)
    return [
        f"# What purchases are worth on {options.dataset}",
        "",
        *([f"{notice}.", ""] if notice else []),
        "The same model trained twice, with purchases known, and hidden from one of who uses them: "
        "a hidden purchase is an event like the most frequent one that is none. For the "
        "resource-limited state the flag of purchases is hidden, by which alone it is updated; for "
        "the pointer's features flag and behaviour, from the pointer alone; for everything, flag "
        "and behaviour in the log itself. Rows are kept by what the log as it is says. "
        f"NDCG@{CUT}, whole catalogue, mean over seeds; {options.epochs} epochs at most, the best "
        "one on validation; differences are paired row by row, averaged over seeds, with an "
        "interval by resampling users.",
    ]


def paired(
    found: dict[Run, dict[str, Any]], model: str, hidden: str
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Give the records of both runs of each seed that has both.

    Raises
    ------
    ValueError
        If two of them ranked other rows.
    """
    of = {(run.model, run.hidden, run.seed): record for run, record in found.items()}
    seeds = sorted({run.seed for run in found})
    keys = [((model, KNOWN, seed), (model, hidden, seed)) for seed in seeds]
    pairs = [(of[one], of[other]) for one, other in keys if one in of and other in of]
    for record in (record for pair in pairs for record in pair):
        if any(record[name] != pairs[0][0][name] for name in ("events", "users", "items")):
            raise ValueError(f"two runs of {model} ranked other rows; delete their files")
    return pairs


def row(name: str, rows: str, pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    known = pairs[0][0]
    kept = np.array(known[rows], bool) if rows in known else np.ones(len(known["ranks"]), bool)
    n, cells = int(kept.sum()), f"| {name} | {rows} | {int(kept.sum()):,} | {len(pairs)} "
    if n == 0:
        return f"{cells}| - | - | - |"
    one, other = (
        np.mean(
            [rank_metric(f"ndcg@{CUT}")(np.array(pair[side]["ranks"]))[kept] for pair in pairs],
            axis=0,
        )
        for side in (0, 1)
    )
    users = np.array(known["users"], object)[kept]
    figure = Figure(float((one - other).mean()), *user_interval(one - other, users))
    return f"{cells}| {one.mean():.4f} | {other.mean():.4f} | {figure} |"


if __name__ == "__main__":
    sys.exit(main())
