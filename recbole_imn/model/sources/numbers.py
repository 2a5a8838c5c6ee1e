"""Numbers that tell of candidates, as compiled functions of one."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Floats, Ids
from recbole_imn.past.before import counted_before

# An item is as busy as its so many latest events are close.
LATEST = 6


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
def popularity(item: int, position: int, chain: Ids, latest: Ids, counts: Ids) -> float:
    """Logarithm of how many events an item has before a position, roughly scaled."""
    return crowd(counted_before(latest[item], counts[item], position, chain)[1])


@compiled
def activity(event: int, at: float, times: Floats, chain: Ids) -> float:
    """Tell how busy an item is, by the time since its sixth-latest event, or its first.

    Parameters
    ----------
    event : int
        The item's latest event before the row.
    at : float
        Seconds; now.
    times : float64 [n_events]
    chain : int32 [n_events]
        The previous event of the same item.
    """
    for _ in range(LATEST - 1):
        if chain[event] >= 0:
            event = chain[event]
    return log_time(at - times[event])
