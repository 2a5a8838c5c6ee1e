"""Numbers that tell of candidates, as compiled functions of one."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Ids


@compiled
def log_time(seconds: float) -> float:
    """Logarithm of a time: -1 for a second, about 1 for two days."""
    # As log1p in half its time: what is lost of a fraction of a second is 1e-16.
    scaled: float = np.log(1 + seconds) / 6 - 1
    return scaled


@compiled
def crowd(number: int) -> float:
    """Logarithm of how many candidates there were, roughly scaled."""
    scaled: float = np.log(max(number, 1)) / 4
    return scaled


@compiled
def latest_of_item(item: int, position: int, chain: Ids, latest: Ids) -> int:
    """Find the latest event of an item before a position; -1 for none."""
    event: int = latest[item]
    while event >= position:
        event = chain[event]
    return event
