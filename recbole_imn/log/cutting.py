"""Where the parts of a log begin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def split_positions(n_events: int, ratios: Sequence[float]) -> tuple[int, ...]:
    """Give the position where each part of a log but the first begins.

    Every part but the first is rounded down, as RecBole does
    (data/dataset/dataset.py, ``_calcu_split_ids``), but that a part of less than an event is one
    while the first part can spare it.

    Parameters
    ----------
    n_events : int
    ratios : sequence of float
        Sizes of the parts, not necessarily adding up to 1.

    Returns
    -------
    tuple of int
        One position fewer than there are ratios.
    """
    exact = [n_events * ratio / sum(ratios) for ratio in ratios[1:]]
    sizes = [int(size) for size in exact]
    for part in reversed(range(len(sizes))):
        if n_events - sum(sizes) > 1 and 0 < exact[part] < 1:
            sizes[part] += 1
    starts = n_events - np.cumsum(sizes[::-1])[::-1]
    return tuple(int(start) for start in starts)


def time_positions(times: npt.NDArray[np.float64], ratios: Sequence[float]) -> tuple[int, ...]:
    """Give the position where each part of a log but the first begins, cut between two times.

    A part ends with the last event at or before a quantile of the times, interpolated between
    events; so no two events of the same time are in different parts. The Temporal Graph
    Benchmark cuts like this (py-tgb, linkproppred/dataset.py, ``generate_splits``).

    Parameters
    ----------
    times : float64 [n_events]
        Seconds, sorted.
    ratios : sequence of float
        Sizes of the parts, not necessarily adding up to 1.

    Returns
    -------
    tuple of int
        One position fewer than there are ratios; all 0 for a log without events.
    """
    if len(times) == 0:
        return (0,) * (len(ratios) - 1)
    # Summed from the end, as there: 1 - 0.15 - 0.15 and not 0.7.
    shares = 1.0 - np.cumsum(np.asarray(ratios[:0:-1], float) / sum(ratios))[::-1]
    ends = np.searchsorted(times, np.quantile(times, shares), side="right")
    return tuple(int(end) for end in ends)
