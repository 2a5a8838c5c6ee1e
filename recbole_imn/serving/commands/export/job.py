"""What an export is asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import torch

from recbole_imn import __version__
from recbole_imn.checkpoints.sealed import sum_of
from recbole_imn.serving import Recommender
from recbole_imn.serving.lists import BATCH, Wish

# Scores that are in memory at once, at most.
MOST_SCORES = 2**25
# Of a part: what is lost if an export is broken off, and a row group of a parquet file.
PART_USERS = 4096
PART_ROWS = 2**19


@dataclass(frozen=True)
class Job:
    """An export.

    Attributes
    ----------
    recommender : Recommender
        Nobody else uses it.
    checkpoint : Path
    users : tuple of str
        Raw ids, each once.
    at : str or None
        The moment, as it was given.
    wish : Wish
    form : {'parquet', 'csv', 'jsonl'}
    output : Path
    capacity : int or None
        How many lists an item may be on, if not on all.
    batch : int or None
        Users who are scored together; changes no bit.
    remarks : tuple of str
        For people, before it begins.
    """

    recommender: Recommender
    checkpoint: Path
    users: tuple[str, ...]
    at: str | None
    wish: Wish
    form: str
    output: Path
    capacity: int | None = None
    batch: int | None = None
    remarks: tuple[str, ...] = ()

    def plan(self) -> dict[str, Any]:
        """Give what the rows depend on, in values that JSON has; the same plan, the same rows."""
        users = hashlib.sha256("\n".join(self.users).encode("utf-8", "surrogatepass"))
        return {
            "checkpoint": sum_of(self.checkpoint),
            "users": users.hexdigest(),
            "k": self.wish.k,
            "at": self.at,
            "candidates": self.wish.candidates or "all",
            "exclude": self.wish.exclude or None,
            "attributes": list(self.wish.attributes),
            "capacity": self.capacity,
            "format": self.form,
            "users a part": self.part_size(),
            "software": software(),
        }

    def part_size(self) -> int:
        """Give the number of users of a part."""
        return max(1, min(PART_USERS, PART_ROWS // self.wish.k))

    def batch_size(self) -> int:
        """Give the number of users who are scored together."""
        n_items = len(self.recommender.market.items)
        return self.batch or max(1, min(BATCH, MOST_SCORES // n_items))


def software() -> str:
    """Name what may change the last bit of a score."""
    return f"recbole_imn {__version__}, torch {torch.__version__}, numba {numba.__version__}"
