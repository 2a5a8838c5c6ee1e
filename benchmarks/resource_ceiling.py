"""What could be gained by knowing money and stock, at best? On SIMULATED markets.

    python benchmarks/resource_ceiling.py [--strengths 0 0.5 1 2 4 --markets=8]

resource_effect.py compares trained models; this tells how much there is to find. Two experts
rank the cars on the shelf at each choice of the last tenth of all sessions: both know every
user's true taste, one also what money and stock take away from each car. Then simple choice
models learn tastes from the first four fifths of the sessions. All see what tastes are truly
about; one also the true pressure on capital and the true stock of the car's segment; one
only the purchases of the log, with the true segments of cars and the mean time until a car
is sold on; and one only the purchases and what the log tells of cars, and learns from them how
cars compete, as the term ``holdings`` does.

A finished market is a file in the folder beside the table; the same command goes on where it
was stopped. A market takes some 20 seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import provenance
from benchmarks.resource_choices import CUT, Measured, measure
from benchmarks.resource_markets import MARKETS, SCALE, STRENGTHS, Market
from benchmarks.resource_statistics import over_markets
from recbole_imn.files import read_json, replace_text
from recbole_imn.provenance import environment

OUT = Path("results/resource_ceiling")
ALL, STOCKED, RECENT = "all rows", "of users with stock", "within 7 days after a purchase"
# Who knows more than whom, in the words of the tables.
PAIRS = {
    "expert": ("expert", "expert, all"),
    "learner, given all": ("learner", "learner, all"),
    "learner, given purchases and segments": ("learner", "learner, segments"),
    "learner, given purchases": ("learner", "learner, fields"),
}
# Those that resource_effect.py shows beside trained models.
SHOWN = tuple(PAIRS)[1:]


def main() -> int:
    options = parse()
    torch.set_num_threads(1)
    seeds = range(1, options.markets + 1)
    markets = [
        Market(options.scale, strength, seed)
        for seed, strength in product(seeds, options.strengths)
    ]
    try:
        for market in tqdm(markets, unit="market"):
            if not file_of(market, options.out).is_file():
                keep(market, measure(market.config), options.out)
        records = {market: read(market, options.out) for market in markets}
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    about = [record.get("environment", {}) for record in records.values()]
    found = {market: record["means"] for market, record in records.items()}
    text = "\n".join([*heading(options), *table(found), "", provenance(about)]) + "\n"
    replace_text(options.out.with_name(f"{options.out.name}.md"), text)
    print(text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=SCALE, help="share of the full market")
    parser.add_argument("--strengths", type=float, nargs="+", default=list(STRENGTHS))
    parser.add_argument("--markets", type=int, default=MARKETS, help="market seeds 1, 2, ...")
    parser.add_argument("--out", type=Path, default=OUT, help="a folder; the table is beside it")
    return parser.parse_args()


# -- records --------------------------------------------------------------------------------------

Means = dict[str, dict[str, float]]


def file_of(market: Market, out: Path) -> Path:
    return out / f"{market.name}.json"


def keep(market: Market, measured: Measured, out: Path) -> None:
    """Write the means of a market by slice and by who ranked."""
    every = np.ones_like(measured.stocked)
    slices = {ALL: every, STOCKED: measured.stocked, RECENT: measured.recent}
    means = {
        rows: {who: float(gains[kept].mean()) for who, gains in measured.gains.items()}
        for rows, kept in slices.items()
        if kept.any()
    }
    out.mkdir(parents=True, exist_ok=True)
    record = {"market": asdict(market), "simulated": True, "means": means}
    record["environment"] = environment()
    replace_text(file_of(market, out), json.dumps(record) + "\n")


def read(market: Market, out: Path) -> dict[str, Any]:
    """Give what was kept of a market: ``means`` by slice and by who ranked, and ``environment``.

    Raises
    ------
    ValueError
        If the file is no record, or that of another market.
    """
    record = read_json(file_of(market, out), ValueError)
    if record.get("market") != asdict(market):
        raise ValueError(
            f"{file_of(market, out)} is of {record.get('market')}, not of {asdict(market)}; choose "
            "another --out, or delete it"
        )
    return record


def kept(markets: Sequence[Market], out: Path) -> dict[str, dict[str, dict[Market, float]]]:
    """Give the gains that were kept of markets, by slice and by who."""
    found: dict[str, dict[str, dict[Market, float]]] = {}
    for market in markets:
        if file_of(market, out).is_file():
            for rows, means in read(market, out)["means"].items():
                for who in SHOWN:
                    one, other = (means[name] for name in PAIRS[who])
                    found.setdefault(rows, {}).setdefault(who, {})[market] = other - one
    return found


# -- the table ------------------------------------------------------------------------------------


def heading(options: argparse.Namespace) -> list[str]:
    return [
        "# What money and stock could tell at best, on SIMULATED markets",
        "",
        f"NDCG@{CUT} among the cars on the shelf, of the choices in the last tenth of all "
        f"sessions; czb at scale {options.scale:g}, {options.markets} market seeds; intervals "
        "are of Student's t over markets. Experts know true tastes. Learners fit a taste for "
        "each user to the first four fifths. One is given the true pressure on capital and the "
        "true stock; another one only the log's purchases, fading at the true pace, with the "
        "true segments of cars; the last one only the purchases, and what the log tells of cars, "
        "and learns which cars compete and how fast purchases fade. That it looks at pairs of "
        "fields of cars was chosen on market seeds 1 to 4.",
        "",
    ]


def table(found: dict[Market, Means]) -> Iterator[str]:
    yield "| who | choices | strength | without resources | with them | difference, 95% |"
    yield "|---|---|---|---|---|---|"
    for (who, names), rows in product(PAIRS.items(), (ALL, STOCKED, RECENT)):
        for strength in sorted({market.strength for market in found}):
            means = [
                of[rows]
                for market, of in found.items()
                if market.strength == strength and rows in of
            ]
            if means:
                one, other = (np.array([of[name] for of in means]) for name in names)
                yield (
                    f"| {who} | {rows} | {strength:g} | {one.mean():.4f} | {other.mean():.4f} "
                    f"| {over_markets(other - one)} |"
                )


if __name__ == "__main__":
    sys.exit(main())
