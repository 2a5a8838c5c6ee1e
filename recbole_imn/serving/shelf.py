"""What is for sale, and for how long it has been."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.log import Flags, Floats, Integers


class OpenShelf:
    """Stays of items on the shelf, which may still begin and end.

    An item is for sale from the first to the last second of each of its stays.

    Parameters
    ----------
    item : int64 [n_stays]
    start, end : float64 [n_stays]
        Seconds of the log; infinity where the end is open.
    """

    def __init__(self, item: Integers, start: Floats, end: Floats) -> None:
        self.item, self.start, self.end = item, start, end
        # What was for sale when it was asked for last.
        self._kept: tuple[float, Integers] | None = None

    def list_items(self, items: npt.ArrayLike, at: float) -> None:
        """Begin a stay of each item that has no stay then; one that it has gets an open end."""
        items = np.asarray(items, np.int64)
        there = np.isin(self.item, items) & (self.start <= at) & (at <= self.end)
        items = np.setdiff1d(items, self.item[there])
        self._kept = None
        # A new array: readers may have hold of the old one.
        self.end = np.where(there, np.inf, self.end)
        self.item = np.append(self.item, items)
        self.start = np.append(self.start, np.full(len(items), at))
        self.end = np.append(self.end, np.full(len(items), np.inf))

    def delist_items(self, items: npt.ArrayLike, at: float) -> None:
        """End the stays that the items have then, just before; none begins later."""
        self._kept = None
        chosen = np.isin(self.item, items) & (self.end >= at)
        later = chosen & (self.start >= at)
        # A new array: readers may have hold of the old one.
        self.end = np.where(chosen, np.nextafter(at, -np.inf), self.end)
        kept = ~later
        self.item, self.start, self.end = self.item[kept], self.start[kept], self.end[kept]

    def on_shelf(self, at: float) -> Integers:
        """Give the items for sale at a time, int64 [n], in rising order."""
        kept = self._kept
        if kept is None or kept[0] != at:
            there: Flags = (self.start <= at) & (at <= self.end)
            kept = self._kept = at, np.unique(self.item[there])
        return kept[1]
