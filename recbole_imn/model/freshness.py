"""How likely an item is touched at all, by when it was last seen, how often, and how."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.model.pointer import SPEED
from recbole_imn.stream.candidates import LatestByKey
from recbole_imn.stream.clock import ItemClock, item_classes
from recbole_imn.stream.events import EventStream, Floats, Integers

# Pairs of an event and an item by which the catalogue is counted.
SAMPLES = 1_000_000
# Two steps for each doubling of the time since an item was last seen; 2^30 seconds are 34 years.
N_AGES = 62


class Freshness(nn.Module):
    """A log density ratio of items without any user: items come and leave the shelf.

    A table of the item's class (how often it was seen, what was done last) by the logarithm
    of the time since it was last seen. It begins with what can be counted in the training
    events: how much more often than the others items of a cell were chosen.

    Parameters
    ----------
    stream : EventStream
    n_training : int
        Number of training events, at the start of the stream.
    """

    def __init__(self, stream: EventStream, n_training: int) -> None:
        super().__init__()
        self.stream, self.clock = stream, ItemClock(stream)
        # The last class is that of items that were never seen.
        self._classes, self._never = item_classes(stream)
        counted = torch.from_numpy(self._count(n_training) / SPEED)
        self.table = nn.Parameter(counted.float().view(self._never + 1, N_AGES))

    def _count(self, n_training: int) -> Floats:
        """Log of the chance that an item of a cell is chosen, float [n_classes * N_AGES]."""
        stream, size = self.stream, (self._never + 1) * N_AGES
        chosen = self._cells(stream.last_item_event[:n_training], stream.time[:n_training])
        rng = np.random.default_rng(0)
        events = rng.integers(0, n_training, SAMPLES)
        items = rng.integers(1, stream.n_items, SAMPLES)
        latest, _ = LatestByKey(stream.item, stream.n_items).before(items, events, most=1)
        there = np.bincount(self._cells(latest[:, 0], stream.time[events]), minlength=size)
        expected = there * (n_training / SAMPLES)
        ratio = (np.bincount(chosen, minlength=size) + 1) / (expected + 1)
        log_chance: Floats = np.log(ratio / (stream.n_items - 1))
        return log_chance

    def of_latest(self, latest: Integers, events: Integers) -> Tensor:
        """Give log density ratios of items by their latest event before each row's time.

        Parameters
        ----------
        latest : int64 [n] or [n, m]
            Latest events of items; -1 for items that were never seen.
        events : int64 [n]
            Events whose times are now.

        Returns
        -------
        float, shape of ``latest``
        """
        now = self.stream.time[events].reshape(-1, *[1] * (latest.ndim - 1))
        cells = torch.from_numpy(self._cells(latest, now)).to(self.table.device)
        values: Tensor = SPEED * self.table.reshape(-1)[cells]
        return values

    def of_items(self, events: Integers, items: Integers) -> Tensor:
        """Give log density ratios of one item a row, float [n]."""
        latest = np.empty(len(events), np.int64)
        for row in np.argsort(events, kind="stable"):
            latest[row] = self.clock.latest(int(events[row]))[items[row]]
        return self.of_latest(latest, events)

    def add_to(self, scores: Tensor, events: Integers) -> None:
        """Add log density ratios of the whole catalogue to scores, float [n, n_items].

        From row to row only those items are looked up again that were touched meanwhile, or
        that have grown out of their cell.
        """
        stream, table = self.stream, (SPEED * self.table.detach()).reshape(-1).cpu().numpy()
        values = np.empty(stream.n_items, np.float32)
        expiry = np.empty(stream.n_items)
        items: Integers = np.arange(stream.n_items)
        seen = 0
        for place, row in enumerate(np.argsort(events, kind="stable")):
            event = int(events[row])
            now = stream.time[event]
            if place:
                items = np.concatenate([stream.item[seen:event], np.flatnonzero(expiry <= now)])
            latest = self.clock.latest(event)[items]
            cells = self._cells(latest, now)
            values[items] = table[cells]
            expiry[items] = self._expiry(latest, cells % N_AGES)
            scores[row] += torch.from_numpy(values).to(scores.device)
            seen = event

    def _expiry(self, latest: Integers, age: Integers) -> Floats:
        """Give the time at which an item may leave its cell, or a little earlier."""
        stay = (2.0 ** (age / 2) - 1) * (1 - 1e-9) - 1e-6
        lasts = (latest >= 0) & (age < N_AGES - 1)
        return np.where(lasts, self.stream.time[latest] + stay, np.inf)

    def _cells(self, latest: Integers, now: Floats) -> Integers:
        """Give cells of the table."""
        known = latest >= 0
        elapsed = np.where(known, now - self.stream.time[latest], 0.0)
        # The exponent of a square counts half doublings.
        age = np.minimum(np.frexp(np.square(1 + elapsed))[1], N_AGES - 1)
        kind = np.where(known, self._classes[latest], self._never)
        cells: Integers = kind * N_AGES + age
        return cells
