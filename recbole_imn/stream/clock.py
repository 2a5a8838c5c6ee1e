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


def item_classes(stream: EventStream) -> tuple[Integers, int]:
    """Class of an item just after each event: how often it was seen, and what was done last.

    Returns
    -------
    classes : int64 [n_events]
        From 0.
    n_classes : int
    """
    order = np.argsort(stream.item, kind="stable")
    seen = place_within_group(stream.item, order) + 1
    steps = np.searchsorted(COUNT_LIMITS, seen, side="left")
    # A log without behaviours may tell purchases nevertheless.
    done = 2 * stream.behaviour + stream.purchase
    n_done = 2 * stream.n_behaviours
    return n_done * steps + done, n_done * (len(COUNT_LIMITS) + 1)
