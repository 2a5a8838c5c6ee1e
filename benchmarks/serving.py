"""Serving at the size of the czb market: latencies, rates, floors, and sudden ends.

    python benchmarks/serving.py [--data_path=DIR] [--kills=50] [--only=recommend ...]

A model of untrained weights (they take no other time than trained ones) on the simulated czb:
40,820 cars, 10,718 users; its last 100,000 events are observed, the rest is past. Each figure
stands beside the floor that this machine sets, measured in the same run: the speed at which
the item table is read once, and synced writes of the disk. All of the service runs on one
core, clients on another. Needs what `pip install -e ".[serve]"` brings.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import provenance
from benchmarks.serving_http import measure_http
from benchmarks.serving_kills import measure_kills
from benchmarks.serving_shop import Shop, make_shop
from recbole_imn.files import replace_text
from recbole_imn.serving import Recommender
from recbole_imn.serving.journal import SqliteJournal

BATCH = 256
SINGLE_EVENTS = 2_000
ASKED = 1_000
SYNCED = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="czb")
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--events", type=int, default=100_000, help="that are observed")
    parser.add_argument("--requests", type=int, default=10_000, help="over HTTP")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument(
        "--only", nargs="+", choices=list(PARTS), default=list(PARTS), metavar="PART"
    )
    parser.add_argument("--out", type=Path, default=Path("results"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {0})
    with tempfile.TemporaryDirectory() as folder:
        shop = make_shop(options.dataset, options.data_path, options.events, Path(folder))
        sections = [header(shop)]
        for name in options.only:
            sections.append(PARTS[name](shop, options))
            print(sections[-1], flush=True)
    report = "\n\n".join(sections)
    options.out.mkdir(parents=True, exist_ok=True)
    replace_text(options.out / "serving.md", report + "\n")
    return 0


def header(shop: Shop) -> str:
    recommender = shop.recommender()
    market = recommender.market
    shelf = len(market.on_shelf(recommender.last_time))
    return (
        f"# Serving on {shop.name}\n\nSIMULATED data; untrained weights of IMNNetPlus; "
        f"{len(recommender.users):,} users, {len(recommender.items):,} items, {shelf:,} of them on "
        f"the shelf, {recommender.position:,} events in the past. One core for the service.\n\n"
        f"{provenance()}"
    )


# -- events ---------------------------------------------------------------------------------


def measure_observing(shop: Shop, options: argparse.Namespace) -> str:
    recommender = shop.recommender(journal=SqliteJournal(shop.folder / "batches.sqlite"))
    frames = list(shop.batches(BATCH, options.events // 2))
    start = perf_counter()
    seen = 0
    for frame in frames:
        seen += recommender.observe_many(frame).accepted
        # States move on before the next answer; here, after each batch.
        recommender.similar(frame["item"][0], k=1, candidates=frame["item"][:1])
    batches = seen / (perf_counter() - start)
    synced = synced_writes(shop.folder)
    recommender = shop.recommender(journal=SqliteJournal(shop.folder / "single.sqlite"))
    rows = list(shop.rows(SINGLE_EVENTS))
    start = perf_counter()
    for row in rows:
        recommender.observe(**row)
    recommender.recommend(rows[0]["user"], k=1)
    single = len(rows) / (perf_counter() - start)
    return "\n".join(
        [
            "## Observing, every event in a SQLite journal on disk before it is acknowledged",
            "",
            "| | figure | target |",
            "|---|---|---|",
            f"| batches of {BATCH}, states moved on after each | {batches:,.0f} events/s | 3,000 |",
            f"| single events | {single:,.0f} events/s | {synced / 2:,.0f} |",
            f"| synced writes of the disk (append of 512 bytes and fsync) | {synced:,.0f} /s | |",
            f"| single events / synced writes | {single / synced:.2f} | 0.5 |",
        ]
    )


def synced_writes(folder: Path) -> float:
    """Give how often a second the disk takes a small write and says that it is there."""
    block = b"\0" * 512
    with (folder / "synced").open("ab", buffering=0) as file:
        start = perf_counter()
        for _ in range(SYNCED):
            file.write(block)
            os.fsync(file.fileno())
        return SYNCED / (perf_counter() - start)


# -- recommendations --------------------------------------------------------------------------


def measure_recommending(shop: Shop, options: argparse.Namespace) -> str:
    recommender = shop.recommender()
    users = shop.some_users(ASKED)
    whole = times(users, lambda user: recommender.recommend(user))
    shelf = times(users, lambda user: recommender.recommend(user, candidates="on_shelf"))
    table = recommender.market.session.catalogue()
    floor = float(np.median(times(range(200), lambda _: table.sum())))
    speed = table.numel() * table.element_size() / floor / 1e9
    middle, slow = np.median(whole), np.quantile(whole, 0.99)
    small = np.median(shelf)
    return "\n".join(
        [
            "## Recommending ten items to one user",
            "",
            "| | p50, ms | p99, ms |",
            "|---|---|---|",
            f"| whole catalogue | {1e3 * middle:.2f} | {1e3 * slow:.2f} |",
            f"| on the shelf | {1e3 * small:.2f} | {1e3 * np.quantile(shelf, 0.99):.2f} |",
            f"| floor: the item table read once ({speed:.1f} GB/s) | {1e3 * floor:.2f} | |",
            "",
            "| ratio | figure | target |",
            "|---|---|---|",
            f"| whole catalogue, p50 / floor | {middle / floor:.2f} | 3 |",
            f"| whole catalogue, p99 / p50 | {slow / middle:.2f} | 4 |",
            f"| shelf p50 / whole catalogue p50 | {small / middle:.2f} | 0.33 |",
        ]
    )


def times(each: Any, work: Callable[[Any], Any]) -> list[float]:
    """Give the seconds that a piece of work takes, after a few that warm up."""
    found = []
    for number, one in enumerate([*list(each)[:10], *each]):
        start = perf_counter()
        work(one)
        if number >= 10:
            found.append(perf_counter() - start)
    return found


def mixed_rate(recommender: Recommender, shop: Shop, requests: int) -> float:
    """Give requests a second of ten recommendations to one event, in this process."""
    users, rows = shop.some_users(requests), shop.rows(requests)
    start = perf_counter()
    for number, user in enumerate(users):
        recommender.recommend(user)
        if number % 10 == 9:
            recommender.observe(**next(rows))
    return (requests + requests // 10) / (perf_counter() - start)


def measure_service(shop: Shop, options: argparse.Namespace) -> str:
    journal = SqliteJournal(shop.folder / "alone.sqlite")
    alone = mixed_rate(shop.recommender(journal=journal), shop, ASKED)
    return measure_http(shop, options.requests, options.events, alone)


def measure_sudden_ends(shop: Shop, options: argparse.Namespace) -> str:
    return measure_kills(shop, options.kills)


PARTS: dict[str, Callable[[Shop, argparse.Namespace], str]] = {
    "observe": measure_observing,
    "recommend": measure_recommending,
    "http": measure_service,
    "kills": measure_sudden_ends,
}


if __name__ == "__main__":
    sys.exit(main())
