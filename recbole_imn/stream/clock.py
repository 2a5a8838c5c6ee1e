"""When each item was last seen, and how often, at any moment of the stream."""

from __future__ import annotations

import numpy as np

from recbole_imn.stream.events import NO_EVENT, EventStream, Integers, place_within_group

COUNT_LIMITS = (1, 2, 4, 8, 16, 32, 64)


class ItemClock:
    """The latest event of every item before a moving position.

    Parameters
    ----------
    stream : EventStream
    """

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self._latest = np.full(stream.n_items, NO_EVENT, np.int64)
        self._position = 0

    def latest(self, position: int) -> Integers:
        """Give the latest event of each item before a position, int64 [n_items]; -1 for none.

        The array is the clock's own: it changes with the next call.
        """
        if position < self._position:
            self._latest.fill(NO_EVENT)
            self._position = 0
        # Of several assignments to an item, numpy keeps the last.
        passed = np.arange(self._position, position)
        self._latest[self.stream.item[passed]] = passed
        self._position = position
        return self._latest


def item_classes(stream: EventStream) -> Integers:
    """Class of an item just after each event: how often it was seen, and whether just bought.

    Returns
    -------
    int64 [n_events]
        From 0 to ``n_item_classes() - 1``; the last class, of items that were never seen,
        does not occur.
    """
    order = np.argsort(stream.item, kind="stable")
    seen = place_within_group(stream.item, order) + 1
    steps = np.searchsorted(COUNT_LIMITS, seen, side="left")
    classes: Integers = 2 * steps + stream.purchase
    return classes


def n_item_classes() -> int:
    """Give the number of classes, that of items never seen included."""
    return 2 * (len(COUNT_LIMITS) + 1) + 1
