"""Finished runs that nobody trained: results with ranks that a test decides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.evaluation.benchmark.results import write_result
from recbole_imn.evaluation.metrics import metrics_of_ranks
from recbole_imn.evaluation.report.gather import gather
from recbole_imn.evaluation.systems import parse_system

N_ROWS = 120
USERS = np.array([f"u{row % 30}" for row in range(N_ROWS)], object)
CONFIG = {"valid_metric": "NDCG@10", "stopping_step": 3, "learning_rate": 0.001}
SLICES = {
    "user's last purchase": ("none", "over 7 days"),
    "row's own event": ("no purchase", "a purchase"),
}


class Bench:
    """A folder of finished runs of a data set.

    Parameters
    ----------
    folder : Path
    dataset : str
    simulated : str, optional
    purchases : bool
        Whether the log knows any.
    """

    def __init__(self, folder, dataset="shop", simulated=None, purchases=True):
        self.folder, self.dataset, self.simulated = folder / dataset, dataset, simulated
        self.purchases, self.runs = purchases, []
        # What files gave for all, and what they tell of searches.
        self.common, self.common_tuning = {}, {}

    def add(self, name, *seeds, **extra):
        """Leave a result of a system for each seed: ranks float64 [N_ROWS]."""
        for seed, rank in enumerate(seeds, start=1):
            system = parse_system(name)
            run = Run(
                model=system.model,
                dataset=self.dataset,
                seed=seed,
                settings={"seed": seed, "data_path": ".", **system.switches},
                protocols=("all",),
                tuned="",
                fingerprint="sha",
                dataset_settings={},
                variant=system.variant,
                common=self.common,
                common_tuning=self.common_tuning,
            )
            rank = np.broadcast_to(np.asarray(rank, float), N_ROWS)
            write_result(self._result(run, rank, extra), _table(rank), run, self.folder)
            self.runs.append(run)
        return self

    def board(self, runs=None):
        return gather(runs or self.runs, {}, self.folder)

    def _result(self, run, rank, extra):
        log = {"events": 1000, "users": 50, "items": 200, "catalogue": 210}
        judged = {
            "rows": N_ROWS,
            "metrics": metrics_of_ranks(rank, whole=True),
            "warning": None,
            "true_item_not_a_candidate": 0,
            "slices": self._slices(rank),
        }
        return {
            **{"model": run.model, "variant": run.variant, "seed": run.seed, "tuned": run.tuned},
            **{"identity": run.identity, "fingerprint": run.fingerprint, "log": log},
            **{"simulated": self.simulated, "config": CONFIG, "protocols": {"all": judged}},
            "environment": {"commit": "c", "torch": "2"},
            "validation": {"ndcg@10": 0.1},
            "curve": [{"epoch": 1, "ndcg@10": 0.1 * run.seed}],
            "seconds": {"training": 1.0 + run.seed, "validation": 1.0, "test": {"all": 0.1}},
            **{"epochs": 1, "events_per_second": 100.0 / run.seed, "parameters": 7},
            **{"peak_memory_mib": 100.0, "checkpoint": "none.pth"},
            **extra,
        }

    def _slices(self, rank):
        halves = {"none": rank[::2], "over 7 days": rank[1::2]}
        if not self.purchases:
            return [_slice("user's last purchase", "none", rank)]
        parts = {**halves, "no purchase": rank[30:], "a purchase": rank[:30]}
        return [
            _slice(grouping, name, parts[name])
            for grouping, names in SLICES.items()
            for name in names
        ]


def _slice(grouping, name, rank):
    about = {"grouping": grouping, "slice": name, "rows": len(rank)}
    return {**about, **metrics_of_ranks(rank, whole=True)}


def _table(rank):
    rows = np.arange(len(rank))
    about = {"event_index": rows, "user": USERS, "item": rows % 7, "rank": rank}
    return pd.DataFrame({**about, "candidates": "all", "part": "test"})


@pytest.fixture
def make_bench(tmp_path):
    """Give a function that makes an empty bench."""
    return lambda *args, **options: Bench(tmp_path, *args, **options)


def ranks(seed, high=25):
    """Random ranks, float64 [N_ROWS]."""
    return np.random.default_rng(seed).integers(1, high, N_ROWS).astype(float)
