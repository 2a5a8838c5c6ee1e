"""Time and gap of ways to allocate, as a table: python benchmarks/allocation.py [big]

Two markets are drawn: one the size of a day of used cars, and one of a large shop. Users share
part of their taste, so that they want the same items. CPU seconds, with one thread.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from time import process_time

import numpy as np

from recbole_imn.serving.allocation import Allocation, allocate, calibrate

WIDTH = 100


@dataclass(frozen=True)
class Case:
    """A market, and how many lists each of its items may be on."""

    n_users: int
    n_items: int
    capacity: int
    k: int = 10

    def __str__(self) -> str:
        return f"{self.n_users:,} x {WIDTH} over {self.n_items:,}, capacity {self.capacity}"


DAY = [Case(10_718, 1_500, capacity) for capacity in (1, 10, 70)]
SHOP = [Case(20_000, 40_000, capacity) for capacity in (1, 5, 20)]


def shortlists(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Draw users' best candidates and their probabilities."""
    rng = np.random.default_rng(0)
    popularity = rng.normal(size=case.n_items)
    items, scores = np.empty((2, case.n_users, WIDTH))
    for user in range(case.n_users):
        own = calibrate((popularity + rng.normal(size=case.n_items))[None])[0]
        best = np.argpartition(-own, WIDTH)[:WIDTH]
        items[user], scores[user] = best + 1, own[best]
    return items.astype(np.int64), scores


def timed(case: Case, items: np.ndarray, scores: np.ndarray, **options) -> tuple[float, Allocation]:
    started = process_time()
    found = allocate(items, scores, case.capacity, case.k, **options)
    return process_time() - started, found


def rows_of(case: Case) -> list[str]:
    """Give a line a way."""
    items, scores = shortlists(case)
    allocate(items[:30], scores[:30], 1, method="auction")  # compiles
    ways = {
        "exact": {"method": "exact"},
        "auction, 1%": {"method": "auction", "tolerance": 0.01},
        "auction, 0.1%": {"method": "auction", "tolerance": 0.001},
        "greedy": {"method": "greedy"},
    }
    lines, best = [], np.inf
    for name, options in ways.items():
        seconds, found = timed(case, items, scores, **options)
        best = min(best, found.bound)
        kept = found.hits / found.loss["hits"]["own lists"]
        lines.append(
            f"| {case} | {name} | {seconds:.1f} | {found.hits:.2f} | {kept:.1%} "
            f"| {1 - found.hits / best:.4%} | {found.gap:.4%} |"
        )
    return lines


def main() -> None:
    print("| market | method | CPU s | expected hits | of own lists | missed | stated gap |")
    print("|---|---|---|---|---|---|---|")
    for case in SHOP if "big" in sys.argv[1:] else DAY:
        print("\n".join(rows_of(case)), flush=True)


if __name__ == "__main__":
    main()
