"""Levels of a recursion: which events can be updated at once (t-batches).

The states of a recursion live in one append-only buffer: first the states that it starts
from, then the states that each event writes, in time order. Nothing is ever overwritten,
so the backward pass needs no copies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recbole_imn.kernels.compiled import compiled

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class LevelPlan:
    """The buffer rows that events of a recursion read, and an order by levels.

    Attributes
    ----------
    sources : int64 [n, n_slots]
        Buffer rows that each event reads, events in time order. Event k writes the rows
        ``n_initial + k * n_slots + slot``.
    order : int64 [n]
        Places in time of the events, by level, and by time within a level.
    sizes : tuple of int
        Number of events in each level.
    n_initial : int
        Rows of the buffer before the first written one.
    """

    sources: Tensor
    order: Tensor
    sizes: tuple[int, ...]
    n_initial: int

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.sources)

    @property
    def n_slots(self) -> int:
        """States that an event reads and writes (2: user and item; 1: limited user state)."""
        return self.sources.shape[1]

    def to(self, device: torch.device) -> LevelPlan:
        """Give the plan with its rows on a device."""
        return replace(self, sources=self.sources.to(device), order=self.order.to(device))


def plan_levels(sources: Integers, n_initial: int) -> LevelPlan:
    """Find the levels of events from the buffer rows that they read.

    Parameters
    ----------
    sources : int64 [n, n_slots]
        Buffer rows that each event reads, events in time order.
    n_initial : int
        Rows of the buffer before the first written one.

    Raises
    ------
    ValueError
        If an event reads a row that no earlier event has written.
    """
    # A copy: what its owner does to the rows later must not move the plan.
    sources = np.array(sources, np.int64, order="C")
    if sources.ndim != 2 or sources.shape[1] == 0:
        raise ValueError(f"rows that events read are [n, n_slots], not {list(sources.shape)}")
    early, order, sizes = _by_level(sources, n_initial)
    if early >= 0:
        rows = sources[early].tolist()
        raise ValueError(f"event {early} reads rows {rows}, not all of them written before it")
    return LevelPlan(
        torch.from_numpy(sources), torch.from_numpy(order), tuple(sizes.tolist()), n_initial
    )


@compiled
def _levels(earlier: Integers) -> Integers:
    levels = np.zeros(len(earlier), np.int64)
    for k in range(len(earlier)):
        for slot in range(earlier.shape[1]):
            parent = earlier[k, slot]
            if parent >= 0:
                levels[k] = max(levels[k], levels[parent] + 1)
    return levels


@compiled
def _by_level(sources: Integers, n_initial: int) -> tuple[int, Integers, Integers]:
    """Give the first event that reads too early or -1, events by level, sizes of levels."""
    n, n_slots = sources.shape
    earlier = np.empty((n, n_slots), np.int64)
    for k in range(n):
        for slot in range(n_slots):
            row = sources[k, slot]
            earlier[k, slot] = (row - n_initial) // n_slots if row >= n_initial else -1
            if row < 0 or earlier[k, slot] >= k:
                return k, earlier[:, 0].copy(), earlier[:, 0].copy()
    levels = _levels(earlier)
    sizes = np.zeros(levels.max() + 1 if n else 0, np.int64)
    for level in levels:
        sizes[level] += 1
    free = np.cumsum(sizes) - sizes
    order = np.empty(n, np.int64)
    for k in range(n):
        order[free[levels[k]]] = k
        free[levels[k]] += 1
    return -1, order, sizes
