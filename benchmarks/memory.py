"""Memory that an event takes: the log and its past, beside features.

    python benchmarks/memory.py [--dataset=retailrocket,jodie_wikipedia --data_path=DIR]
        [--events=10000000]

Counted bytes are those of all arrays of the log and of its past, the latest of all users and
items among them. Measured ones are what a process of its own holds more of when both are made.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

# The package of this tree, wherever another one is installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.prepared import prepare, provenance
from recbole_imn.files import replace_text
from recbole_imn.log import EventLog
from recbole_imn.past import Past
from recbole_imn.tuning.objective import quiet

TARGET = 100
SEED = 1
COLUMNS = ("user", "item", "time", "behaviour", "purchase")
SIZES = ("n_users", "n_items", "n_behaviours")


def main() -> int:
    options = parse()
    # So that arrays are given back when they are let go, and not kept for later ones.
    os.environ["MALLOC_MMAP_THRESHOLD_"] = str(1 << 16)
    logs = {name: real(name, options.data_path) for name in options.dataset}
    rows = [row(name, columns) for name, columns in logs.items()]
    rows.append(row("synthetic", synthetic(options.events)))
    text = "\n".join([*heading(), *rows]) + "\n"
    print(text)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    replace_text(options.out, text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["retailrocket", "jodie_wikipedia", "czb"]
    parser.add_argument("--dataset", type=lambda text: text.split(","), default=names)
    parser.add_argument("--data_path", default="atomic_files")
    parser.add_argument("--events", type=int, default=10_000_000, help="of the synthetic log")
    parser.add_argument("--out", type=Path, default=Path("results/memory.md"))
    return parser.parse_args()


def heading() -> list[str]:
    return [
        "# Memory of a log and its past",
        "",
        f"Bytes an event, beside features. Target: at most {TARGET}. The synthetic log has a "
        "user for every 20 events and an item for every 50, popularity by Zipf's law, seed "
        f"{SEED}.",
        "",
        provenance(),
        "",
        "| log | events | users | items | log | past | together | measured in the process |",
        "|---|---|---|---|---|---|---|---|",
    ]


def row(name: str, columns: dict[str, Any]) -> str:
    n = len(columns["time"])
    of_log, of_past, measured = (value / n for value in measure_apart(columns))
    return (
        f"| {name} | {n:,} | {columns['n_users']:,} | {columns['n_items']:,} | {of_log:.1f} "
        f"| {of_past:.1f} | {of_log + of_past:.1f} | {measured:.1f} |"
    )


def real(name: str, data_path: str) -> dict[str, Any]:
    """Read the columns of a data set, without features."""
    with quiet():
        log = prepare(name, data_path, "RecentHistory").dataset.log
    columns = {column: getattr(log, column).copy() for column in COLUMNS}
    return {**columns, **{size: getattr(log, size) for size in SIZES}}


def synthetic(n: int) -> dict[str, Any]:
    """Draw the columns of a log."""
    rng = np.random.default_rng(SEED)
    n_users, n_items = n // 20 + 1, n // 50 + 1
    return {
        "user": ranked(rng, n, n_users),
        "item": ranked(rng, n, n_items),
        "time": np.arange(n, dtype=np.float64),
        "behaviour": rng.integers(1, 4, n, dtype=np.int16),
        "purchase": rng.random(n) < 0.05,
        "n_users": n_users,
        "n_items": n_items,
        "n_behaviours": 4,
    }


def ranked(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """Draw ids from 1, the k-th about as often as one over k says, int32 [n]."""
    return np.minimum(size ** rng.random(n), size - 1).astype(np.int32)


def measure_apart(columns: dict[str, Any]) -> tuple[int, int, int]:
    """Do as :func:`measure` in a new process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        # What is compiled on first use is not memory of a log.
        process.submit(measure, synthetic(1_000)).result()
        return process.submit(measure, columns).result()


def measure(columns: dict[str, Any]) -> tuple[int, int, int]:
    """Give bytes of the log, of its past at the log's end, and of the process for both."""
    before = resident()
    log = EventLog.from_columns(**columns)
    past = Past(log)
    past.move_to(len(log))
    measured = resident() - before
    return log.bytes_an_event() * len(log), past.n_bytes, measured


def resident() -> int:
    """Bytes of memory that the process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(main())
