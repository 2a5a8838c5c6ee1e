"""How likely an item is touched at all, by when it was last seen, how often, and how."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.freshness import N_AGES, add_freshness, cells_of
from recbole_imn.log import NO_EVENT, Flags, Floats, Ids, Integers
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.pointer import SPEED
from recbole_imn.model.terms.base import CellTerm
from recbole_imn.past import LOOK_AHEAD, Facts, Past
from recbole_imn.stream.plan import windows

# Pairs of an event and an item by which the catalogue is counted.
SAMPLES = 1_000_000
# Events that are counted at a time.
COUNTED_TOGETHER = 1 << 16
COUNT_LIMITS = (1, 2, 4, 8, 16, 32, 64)


class Freshness(CellTerm):
    """A log density ratio of items without any user: items come and leave the shelf.

    A table of the item's kind (how often it was seen, what was done last) by the logarithm
    of the time since it was last seen. It begins with what can be counted in the training
    events: how much more often than the others items of a cell were chosen.

    Parameters
    ----------
    making : Making
    """

    def __init__(self, making: Making) -> None:
        super().__init__(making)
        log = making.past.log
        # A log without behaviours may tell purchases nevertheless.
        self._n_done = 2 * log.n_behaviours
        # The last kind is that of items that were never seen.
        self.never = self._n_done * (len(COUNT_LIMITS) + 1)
        nothing = np.empty(0, np.int32), np.empty(0)
        self._kept: tuple[Any, Ids, Floats] = (None, *nothing)
        table = torch.zeros(self.never + 1, N_AGES)
        if not making.weights_follow:
            table = torch.from_numpy(self._count(making) / SPEED).float().view_as(table)
        self.table = nn.Parameter(table)

    @property
    def values(self) -> Tensor:
        """Log density ratio of each cell, float [n_cells]."""
        return SPEED * self.table.reshape(-1)

    def kinds(self, past: Past, latest: Integers, counts: Integers) -> Ids:
        """Give the kind of items by their latest events and how many they have had, int32."""
        kinds = np.empty(len(latest), np.int32)
        _kinds(latest, counts, past.log.behaviour, past.log.purchase, self._n_done, kinds)
        return kinds

    def cells(self, kinds: Ids, elapsed: Floats) -> Ids:
        """Give cells of items by kind and seconds since their latest event, int32."""
        cells: Ids = cells_of(kinds, elapsed).astype(np.int32)
        return cells

    def add_to(self, scores: Tensor, past: Past, start: int, facts: Facts) -> None:
        """Add log density ratios of the whole catalogue to scores [n, n_items], in place."""
        log = past.log
        kinds, times = self._latest(past, start, scores.shape[1])
        moves = np.arange(start, int(facts.position[-1]))
        moved = past.look_at_items(log.item[moves], log.time[moves], moves)
        add_freshness(
            scores,
            self.values,
            kinds,
            times,
            moved.item,
            self.kinds(past, moves, moved.count + 1),
            log.time[moves],
            np.concatenate([[0], facts.position - start]),
            facts.at,
        )

    def of_catalogue(self, past: Past, facts: Facts) -> Tensor:
        """Give the values of all items for one row of the present, float [n_items]."""
        key = id(past.log), past.position, past.log.n_items
        kept = self._kept
        if kept[0] != key:
            # Between two events, many rows may be asked for.
            kept = self._kept = (key, *self._latest(past, past.position, past.log.n_items))
        elapsed = np.where(kept[1] == self.never, 0.0, facts.at[0] - kept[2])
        return self.values[torch.from_numpy(cells_of(kept[1], elapsed)).to(self.values.device)]

    def _latest(self, past: Past, position: int, n_items: int) -> tuple[Ids, Floats]:
        """Give the kind of each item at a position, and the time of its latest event."""
        items: Integers = np.arange(n_items)
        known = past.look_at_items(items, np.zeros(n_items), np.full(n_items, position))
        times = np.where(known.latest != NO_EVENT, past.log.time[np.maximum(known.latest, 0)], 0.0)
        return self.kinds(past, known.latest, known.count), times

    def _count(self, making: Making) -> Floats:
        """Log of the chance that an item of a cell is chosen, float [n_cells]."""
        past, n, size = making.past.beginning(), making.fitted, (self.never + 1) * N_AGES
        chosen, n_items = np.zeros(size, np.int64), past.log.n_items
        chain, counts = past.chains.item, past.numbers_before(past.chains.item)
        for start, stop in windows(0, n, COUNTED_TOGETHER):
            latest, count = chain[start:stop].astype(np.int64), counts[start:stop].astype(np.int64)
            elapsed, _ = past.since_previous(np.arange(start, stop), chain)
            cells = self.cells(self.kinds(past, latest, count), elapsed)
            chosen += np.bincount(cells, minlength=size)
        rng = np.random.default_rng(0)
        events, items = rng.integers(0, n, SAMPLES), rng.integers(1, n_items, SAMPLES)
        there = self._cells_there(past, n, events, items)
        expected = np.bincount(there, minlength=size) * (n / SAMPLES)
        log_chance: Floats = np.log((chosen + 1) / (expected + 1) / (n_items - 1))
        return log_chance

    def _cells_there(self, past: Past, n: int, events: Integers, items: Integers) -> Integers:
        """Give the cells of items just before events, in any order, int64."""
        # Short numbers are sorted by their digits.
        order = np.argsort(events.astype(np.min_scalar_type(n)), kind="stable")
        events, items = events[order], items[order]
        cells = []
        for start, stop in windows(0, n, LOOK_AHEAD):
            past.move_to(stop)
            here = slice(*np.searchsorted(events, [start, stop]))
            known = past.look_at_items(items[here], past.log.time[events[here]], events[here])
            kinds = self.kinds(past, known.latest, known.count)
            cells.append(self.cells(kinds, known.elapsed))
        return np.concatenate(cells)


@compiled
def _kinds(
    latest: Integers,
    counts: Integers,
    behaviours: npt.NDArray[np.int16],
    purchases: Flags,
    n_done: int,
    kinds: Ids,
) -> None:
    for place in range(len(latest)):
        event, steps = latest[place], 0
        for limit in COUNT_LIMITS:
            steps += limit < counts[place]
        if event == NO_EVENT:
            kinds[place] = n_done * (len(COUNT_LIMITS) + 1)
        else:
            kinds[place] = n_done * steps + 2 * behaviours[event] + purchases[event]
