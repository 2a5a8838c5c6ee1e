"""Sudden ends of a process that observes: nothing acknowledged is lost, no rank changes."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

from benchmarks.serving_shop import POLICIES, Shop
from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.serving import Recommender
from recbole_imn.serving.journal import SqliteJournal

# Events of a burst: kills come in its midst.
BURST = 20_000
CHECKED = 4


def measure_kills(shop: Shop, kills: int) -> str:
    """Kill a writing process again and again, and look at what is left each time."""
    rng = np.random.default_rng(0)
    checkpoint = load_checkpoint(shop.checkpoint)
    path = shop.folder / "killed.sqlite"
    lost = changed = unacknowledged = 0
    reference, users = shop.recommender(), shop.some_users(CHECKED)
    known, start = 0, perf_counter()
    for _ in range(kills):
        acknowledged = _killed(shop, path, known, float(rng.uniform(0.0, 0.4)))
        journal = SqliteJournal(path)
        opened = Recommender(checkpoint, shop.checkpoint, journal, POLICIES)
        kept = journal.end
        lost += max(0, known + acknowledged - kept)
        unacknowledged += max(0, kept - known - acknowledged)
        for row in shop.rows(kept - known, known):
            reference.observe(**row)
        same = np.array_equal(opened.scores(users)[1], reference.scores(users)[1])
        changed += not same or opened.position != reference.position
        known = kept
        journal.close()
    return "\n".join(
        [
            f"## {kills} times kill -9 while events are observed",
            "",
            "| | figure | target |",
            "|---|---|---|",
            f"| events acknowledged in all | {known:,} | |",
            f"| acknowledged and lost | {lost} | 0 |",
            f"| times that scores of {CHECKED} users differ from those without a kill "
            f"| {changed} | 0 |",
            f"| kept though not yet acknowledged | {unacknowledged} | |",
            f"| seconds in all | {perf_counter() - start:.0f} | |",
        ]
    )


def _killed(shop: Shop, path: Path, known: int, seconds: float) -> int:
    """Let a process observe from an event on, kill it, and give how many it acknowledged."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _observe(shop, path, known, write)
    os.close(write)
    with os.fdopen(read, "rb") as acknowledgements:
        acknowledgements.read(1)
        sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return len(acknowledgements.read())


def _observe(shop: Shop, path: Path, known: int, write: int) -> None:
    """Observe one event after the other; a byte says that it began, and that one is kept."""
    journal = SqliteJournal(path)
    recommender = shop.recommender(journal=journal)
    os.write(write, b".")
    for row in shop.rows(BURST, known):
        recommender.observe(**row)
        os.write(write, b".")
    os._exit(0)
