"""Does the resource branch help where money and stock matter? On SIMULATED markets.

    python benchmarks/resource_effect.py [--scale=0.05 --markets=5 --epochs=5 --model=IMNNet]

Markets with resource strength 0 (users choose by taste alone), 0.5 and 1; in each, the model
with and without its resource-limited state, trained with the same seed and ranked on the same
test rows. The table shows differences in NDCG@10, overall and for rows within a week after a
purchase of the user. A finished run is a json file in --out; the same command goes on where it
was stopped and writes the table beside that folder. The defaults take two cores about a quarter
of an hour.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from recbole.config import Config
from scipy import stats
from tqdm import tqdm

from recbole_imn.data.market import MarketConfig, simulate, write_market
from recbole_imn.evaluation.metrics import gains
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.evaluation.significance import Figure, mean_interval
from recbole_imn.files import read_json, replace_text
from recbole_imn.log import NO_EVENT
from recbole_imn.preparation import prepare
from recbole_imn.provenance import Provenance
from recbole_imn.registry import dataset_config
from recbole_imn.tuning.objective import quiet

CUT = 10
WEEK = 7 * 86_400.0
RESAMPLES = 2_000
BRANCHES = ("simplified", "none")
SLICES = ("all rows", "within 7 days after a purchase")


@dataclass(frozen=True)
class Market:
    """A simulated market; its seed is the seed of training as well."""

    scale: float
    strength: float
    seed: int

    @property
    def name(self) -> str:
        return f"simulated-strength{self.strength:g}-market{self.seed}"

    def write(self, folder: Path) -> None:
        config = MarketConfig.named("czb", self.seed, self.strength).scaled(self.scale)
        write_market(simulate(config, progress=False), folder / self.name, self.name)


@dataclass(frozen=True)
class Run:
    """One training: a market, and a model with or without its resource branch."""

    market: Market
    model: str
    branch: str
    epochs: int
    settings: str

    def file(self, out: Path) -> Path:
        return out / f"{self.market.name}-{self.model}-{self.branch}.json"


def main() -> int:
    options = parse()
    # RecBole reads sys.argv whenever a Config is made.
    sys.argv = sys.argv[:1]
    runs = plan(options)
    try:
        records = [record for _, record in finish(runs, options.out)]
        text = report(runs, records)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; finished runs are kept in {options.out}", file=sys.stderr)
        return 130
    replace_text(options.out.with_name(f"{options.out.name}.md"), text)
    print(text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.05, help="share of the full market")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 0.5, 1.0])
    parser.add_argument("--markets", type=int, default=5, help="market seeds 1, 2, ...")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--model", default="IMNNet", help="IMNNet or a model made of it")
    parser.add_argument("--config_files", default="", help="settings, such as tuned ones")
    parser.add_argument("--out", type=Path, default=Path("results/resource_effect"))
    options = parser.parse_args()
    if min(options.markets, options.epochs) < 1:
        parser.error("--markets and --epochs must be above 0")
    return options


def plan(options: argparse.Namespace) -> list[Run]:
    """All runs, those of a market next to each other."""
    seeds = range(1, options.markets + 1)
    return [
        Run(Market(options.scale, strength, seed), options.model, branch, options.epochs, files)
        for files in [options.config_files]
        for strength, seed, branch in product(options.strengths, seeds, BRANCHES)
    ]


def finish(runs: list[Run], out: Path) -> Iterator[tuple[Run, dict]]:
    """Give each run's record, training what is missing."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, tqdm(runs, desc="runs", unit="run") as bar:
        for run in bar:
            if not run.file(out).is_file():
                if not (Path(folder) / run.market.name).exists():
                    bar.set_postfix_str(f"simulating {run.market.name}")
                    run.market.write(Path(folder))

                def show(epoch: int, score: float, run: Run = run) -> None:
                    bar.set_postfix_str(f"{run.branch}, epoch {epoch + 1}: {score:.4f}")

                with quiet():  # every market is simulated, as the table says
                    record = train(run, Path(folder), show)
                replace_text(run.file(out), json.dumps(record) + "\n")
            yield run, read(run, out)


def read(run: Run, out: Path) -> dict:
    record = read_json(run.file(out), ValueError)
    if record.get("run") != asdict(run):
        raise ValueError(
            f"{run.file(out)} was made with {record.get('run')}, not {asdict(run)}; choose another "
            "--out, or delete it"
        )
    return record


def train(run: Run, folder: Path, on_epoch: Callable[[int, float], None]) -> dict:
    """Train a model, and rank the test rows by its best epoch on validation."""
    settings = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        "event_stream": True,
        "resource_branch": run.branch,
        "epochs": run.epochs,
        "seed": run.market.seed,
        "show_progress": False,
    }
    files = [str(dataset_config("czb")), *run.settings.split()]
    config = Config(run.model, run.market.name, files, settings)
    dataset, (train_data, valid, test), trainer = prepare(config)
    score, _ = trainer.fit(train_data, valid, verbose=False, callback_fn=on_epoch)
    recorder = RankRecorder(trainer)
    trainer.evaluate(test, load_best_model=True, show_progress=False)
    table = recorder.table()
    events = table["event_index"].to_numpy()
    facts = dataset.past.look_at_events(events)
    recent = (facts.purchase != NO_EVENT) & (facts.since_purchase <= WEEK)
    return {
        "run": asdict(run),
        "simulated": True,
        "provenance": Provenance.of(config).as_dict(),
        "validation": float(score),
        "events": events.tolist(),
        "recent_purchase": recent.tolist(),
        "ranks": table["rank"].tolist(),
    }


# -- the table --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """NDCG@10 of the rows of a market, with and without the branch."""

    market: Market
    with_branch: np.ndarray
    without: np.ndarray
    recent: np.ndarray

    def rows(self, recent_only: bool) -> tuple[np.ndarray, np.ndarray]:
        kept = self.recent if recent_only else np.ones(len(self.recent), bool)
        return self.with_branch[kept], self.without[kept]


def pairs(runs: list[Run], records: list[dict]) -> list[Pair]:
    """Pair the runs of each market, which must have ranked the same rows of the same log."""
    found = []
    for place in range(0, len(runs), len(BRANCHES)):
        one, other = records[place : place + len(BRANCHES)]
        market = runs[place].market
        same_data = one["provenance"]["fingerprint"] == other["provenance"]["fingerprint"]
        if not same_data or one["events"] != other["events"]:
            raise ValueError(f"{market.name}: the two runs ranked other rows; delete both files")
        ranks = [gains(np.array(record["ranks"]), "ndcg", CUT) for record in (one, other)]
        found.append(Pair(market, *ranks, np.array(one["recent_purchase"], bool)))
    return found


def over_rows(difference: np.ndarray) -> Figure:
    """Mean and percentile bootstrap interval of paired differences of rows."""
    if len(difference) < 2:
        return Figure(float(difference.mean()) if len(difference) else math.nan, *[math.nan] * 2)
    result = stats.bootstrap(
        (difference,), np.mean, n_resamples=RESAMPLES, batch=100, method="percentile", rng=1
    )
    interval = result.confidence_interval
    return Figure(float(difference.mean()), float(interval.low), float(interval.high))


def report(runs: list[Run], records: list[dict]) -> str:
    found = pairs(runs, records)
    lines = [*header(runs[0], records), "## Over markets", ""]
    lines += ["| rows | resource strength | markets | NDCG@10 with | without | difference, 95% |"]
    lines += ["|---|---|---|---|---|---|"]
    for recent, strength in product((False, True), sorted({run.market.strength for run in runs})):
        lines.append(market_row(recent, strength, found))
    lines += ["", "## Within each market", ""]
    lines += ["| rows | market | number of rows | difference, 95% over rows |", "|---|---|---|---|"]
    for recent, pair in product((False, True), found):
        one, other = pair.rows(recent)
        figure = over_rows(one - other)
        lines.append(f"| {SLICES[recent]} | {pair.market.name} | {len(one):,} | {figure} |")
    return "\n".join(lines) + "\n"


def market_row(recent: bool, strength: float, found: list[Pair]) -> str:
    kept = [pair.rows(recent) for pair in found if pair.market.strength == strength]
    means = np.array([[one.mean(), other.mean()] for one, other in kept if len(one)])
    if len(means) == 0:
        return f"| {SLICES[recent]} | {strength:g} | 0 | - | - | - |"
    with_branch, without = means.mean(axis=0)
    figure = mean_interval(means[:, 0] - means[:, 1])
    return (
        f"| {SLICES[recent]} | {strength:g} | {len(means)} | {with_branch:.4f} | {without:.4f} "
        f"| {figure} |"
    )


def header(run: Run, records: list[dict]) -> list[str]:
    provenances = [record["provenance"] for record in records]
    commits = sorted({str(provenance["commit"]) for provenance in provenances})
    versions = ", ".join(" ".join(pair) for pair in provenances[0]["versions"].items())
    return [
        f"# Effect of the resource branch of {run.model} on SIMULATED markets",
        "",
        f"Markets in the shape of czb at scale {run.market.scale:g}, all of them simulated: the "
        "differences say what the branch does where the truth is known, and nothing about a real "
        f"platform. Epochs: {run.epochs} at most, the best one on validation; settings files: "
        f"{run.settings or 'none'}. With: resource_branch {BRANCHES[0]}; without: {BRANCHES[1]}. "
        "Both rank the whole catalogue on the same test rows; ties count half.",
        "",
        "Intervals over markets are of Student's t, and - where there are two or more - the ones "
        f"to judge by. Those over rows are paired bootstraps ({RESAMPLES:,} resamples): they tell "
        "how sure a difference is in its own market, not in another.",
        "",
        f"Commit {', '.join(commits)}; {versions}. Settings, seeds, data fingerprints and ranks "
        "of every run are in its json file.",
        "",
    ]


if __name__ == "__main__":
    sys.exit(main())
