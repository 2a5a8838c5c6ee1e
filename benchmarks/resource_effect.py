"""Does knowing purchases help, the more so the more money and stock matter? On SIMULATED markets.

    python benchmarks/resource_effect.py [--processes=2] [--report]

Markets of five resource strengths, from 0 (users choose by taste alone) to 4; in each, models
with and without what knows of purchases, trained with the same seed and ranked on the same test
rows. The table has differences in NDCG@10, overall and for rows within a week after a purchase
of the user, beside what ``resource_ceiling.py`` found on the same markets.

A finished run is a file in --out. The same command goes on where it was stopped, whenever that
was; --report writes the table of the markets that are finished so far. A run takes a core some
20 to 40 seconds, all 360 of them about three hours, or half of that with two processes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import resource_ceiling
from benchmarks.resource_effect_report import plots, report
from benchmarks.resource_markets import MARKETS, SCALE, STRENGTHS, Market
from benchmarks.resource_runs import finish, is_finished, read, runs_of
from benchmarks.resumable import conducted
from recbole_imn.files import replace_text


def main() -> int:
    return conducted(work, parse())


def work(options: argparse.Namespace) -> None:
    """Train what is asked for, and write the page."""
    if not options.report:
        train_all(options)
    write(options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=SCALE, help="share of the full market")
    parser.add_argument("--strengths", type=float, nargs="+", default=list(STRENGTHS))
    parser.add_argument("--markets", type=int, default=MARKETS, help="market seeds 1, 2, ...")
    parser.add_argument("--epochs", type=int, default=8, help="at most; the best one is tested")
    parser.add_argument("--processes", type=int, default=1, help="trainings side by side")
    parser.add_argument("--report", action="store_true", help="train nothing; write the table")
    parser.add_argument("--ceiling", type=Path, default=resource_ceiling.OUT)
    parser.add_argument("--out", type=Path, default=Path("results/resource_effect"))
    options = parser.parse_args()
    if min(options.markets, options.epochs, options.processes) < 1:
        parser.error("--markets, --epochs and --processes must be above 0")
    return options


def markets(options: argparse.Namespace) -> list[Market]:
    """All markets: those of a seed beside each other, so that a part of them is balanced."""
    seeds = range(1, options.markets + 1)
    return [
        Market(options.scale, strength, seed)
        for seed, strength in product(seeds, options.strengths)
    ]


def train_all(options: argparse.Namespace) -> None:
    """Train what is missing, market by market."""
    planned = markets(options)
    with tqdm(total=sum(len(runs_of(market, 1)) for market in planned), unit="run") as bar:
        for done in _conducted(planned, options):
            bar.update(done)


def _conducted(planned: list[Market], options: argparse.Namespace) -> Iterator[int]:
    """Conduct all markets, and give how many runs of one are there when it is finished."""
    work = partial(_conduct, epochs=options.epochs, out=options.out)
    if options.processes == 1:
        yield from map(work, planned)
        return
    with get_context("spawn").Pool(options.processes) as pool:
        yield from pool.imap_unordered(work, planned)


def _conduct(market: Market, epochs: int, out: Path) -> int:
    for _ in finish(market, epochs, out):
        pass
    return len(runs_of(market, epochs))


def write(options: argparse.Namespace) -> None:
    """Write the table and its plots from the markets that are finished."""
    finished = [market for market in markets(options) if is_finished(market, options.epochs,
                                                                     options.out)]  # fmt: skip
    if not finished:
        raise ValueError(f"no market is finished in {options.out}; run without --report first")
    records = {
        market: [read(run, options.out) for run in runs_of(market, options.epochs)]
        for market in finished
    }
    ceiling = resource_ceiling.kept(finished, options.ceiling)
    name = options.out.name
    for ending, text in plots(records, ceiling).items():
        replace_text(options.out.with_name(f"{name}_{ending}.svg"), text)
    text = report(records, ceiling, options.epochs, name)
    replace_text(options.out.with_name(f"{name}.md"), text)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
