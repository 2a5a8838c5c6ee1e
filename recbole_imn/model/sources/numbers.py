"""Numbers that tell of candidates, as compiled functions of one."""

from __future__ import annotations

import numpy as np

from recbole_imn.kernels.compiled import compiled


@compiled
def log_time(seconds):  # type: ignore[no-untyped-def]
    """Logarithm of a time: -1 for a second, about 1 for two days."""
    # As log1p in half its time: what is lost of a fraction of a second is 1e-16.
    return np.log(1 + seconds) / 6 - 1


@compiled
def crowd(number):  # type: ignore[no-untyped-def]
    """Logarithm of how many candidates there were, roughly scaled."""
    return np.log(max(number, 1)) / 4


@compiled
def latest_of_item(item, position, chain, latest):  # type: ignore[no-untyped-def]
    """Find the latest event of an item before a position; -1 for none."""
    event = latest[item]
    while event >= position:
        event = chain[event]
    return event
