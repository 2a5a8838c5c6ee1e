"""Items that the past points to: the user's own, and those beside them in other histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recbole_imn.stream.events import (
    NO_EVENT,
    EventStream,
    Flags,
    Floats,
    Integers,
    place_within_group,
    previous_of_same,
)

Value = TypeVar("Value", bound=np.generic)

KINDS = ("own", "successor", "predecessor")


@dataclass(frozen=True)
class SlotLayout:
    """How many candidates there are of each kind; a slot is a place for one.

    Attributes
    ----------
    own : int
        The user's latest distinct items, newest first.
    anchors : int
        Of these, how many have their neighbours as candidates too.
    neighbours : int
        For each anchor, as many latest successors of its item, in the history of any user,
        and as many latest predecessors.
    horizon : int
        The user's latest events in which distinct items are looked for.
    """

    own: int = 20
    anchors: int = 3
    neighbours: int = 10
    horizon: int = 200

    @property
    def n_slots(self) -> int:
        """Number of slots."""
        return sum(self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of slots of each kind; slots of a kind are consecutive."""
        beside = self.anchors * self.neighbours
        return self.own, beside, beside


@dataclass(frozen=True)
class Candidates:
    """Candidates of some events, from what lies before each.

    All arrays have the shape [n, n_slots]. An empty slot has item 0 and source -1.

    Attributes
    ----------
    items : int64
    sources : int64
        The earlier event that points to the item.
    elapsed : float64
        Seconds since that event.
    anchor_elapsed : float64
        Seconds since the user's own latest event with the anchor; for own items, as elapsed.
    gap : float64
        Seconds between the two events that make items neighbours; 0 for own items.
    crowd : int64
        Number of candidates to choose from: neighbours of the anchor, or events of the user.
    times : int64
        How often the user has had the item, for own items; 1 for others.
    item_elapsed : float64
        Seconds since the item's latest event with anybody.
    item_purchased : bool
        Whether that event was a purchase.
    """

    items: Integers
    sources: Integers
    elapsed: Floats
    anchor_elapsed: Floats
    gap: Floats
    crowd: Integers
    times: Integers
    item_elapsed: Floats
    item_purchased: Flags


class LatestByKey:
    """The latest events of a key before a position in the stream.

    Parameters
    ----------
    keys : int64 [n_events]
        Key of each event; 0 is no key.
    n_keys : int
        Keys that may be asked for are below this, whether an event has them or not.
    """

    def __init__(self, keys: Integers, n_keys: int) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._n = len(keys)
        self._sorted = keys[self._order] * self._n + self._order
        self._first = np.searchsorted(keys[self._order], np.arange(n_keys))

    def before(self, keys: Integers, positions: Integers, most: int) -> tuple[Integers, Integers]:
        """Give the latest events with a key before a position, newest first.

        Parameters
        ----------
        keys, positions : int64 [n]
        most : int

        Returns
        -------
        events : int64 [n, most]
            -1 is padding.
        counts : int64 [n]
            How many there are in all.
        """
        stop = np.searchsorted(self._sorted, keys * self._n + positions)
        counts = np.where(keys > 0, stop - self._first[keys], 0)
        columns = np.arange(most)
        inside = columns < counts[:, None]
        events = self._order[np.where(inside, stop[:, None] - 1 - columns, 0)]
        return np.where(inside, events, NO_EVENT), counts


class CandidateIndex:
    """Finds candidates for events of a stream; what an event finds lies before it.

    Parameters
    ----------
    stream : EventStream
    layout : SlotLayout
    """

    def __init__(self, stream: EventStream, layout: SlotLayout) -> None:
        self.stream, self.layout = stream, layout
        self._by_item = LatestByKey(stream.item, stream.n_items)
        self._by_previous = LatestByKey(stream.previous_item, stream.n_items)
        pair = stream.user * stream.n_items + stream.item
        order = np.argsort(pair, kind="stable")
        self._times = place_within_group(pair, order) + 1
        # The next event of the same user with the same item, or none at all.
        self._again = np.full(len(stream), len(stream), np.int64)
        earlier = previous_of_same(pair)
        repeats = np.flatnonzero(earlier != NO_EVENT)
        self._again[earlier[repeats]] = repeats

    def candidates(self, events: Integers) -> Candidates:
        """Give the candidates of some events, int64 [n]."""
        stream, layout = self.stream, self.layout
        own = self._distinct(events)
        anchors = own[:, : layout.anchors]
        after, n_after = self._neighbours(self._by_previous, anchors, events)
        before, n_before = self._neighbours(self._by_item, anchors, events)
        sources = np.concatenate([own, after, before], axis=1)
        items = np.concatenate(
            [_at(stream.item, own), _at(stream.item, after), _at(stream.previous_item, before)],
            axis=1,
        )
        # Who has no item before has no predecessor to offer.
        sources = np.where(items > 0, sources, NO_EVENT)
        now = stream.time[events][:, None]
        beside = np.repeat(_since(now, stream.time, anchors), layout.neighbours, axis=1)
        elapsed = _since(now, stream.time, sources)
        gap = _at(stream.delta_user, sources)
        gap[:, : layout.own] = 0
        times = np.ones_like(sources)
        times[:, : layout.own] = _at(self._times, own)
        n_own = np.broadcast_to(stream.history_length[events][:, None], own.shape)
        latest, _ = self._by_item.before(
            items.reshape(-1), np.repeat(events, layout.n_slots), most=1
        )
        latest = latest.reshape(items.shape)
        return Candidates(
            items=items,
            sources=sources,
            elapsed=elapsed,
            anchor_elapsed=np.concatenate([elapsed[:, : layout.own], beside, beside], axis=1),
            gap=gap,
            crowd=np.concatenate([n_own, n_after, n_before], axis=1),
            times=times,
            item_elapsed=_since(now, stream.time, latest),
            item_purchased=_at(stream.purchase, latest),
        )

    def _distinct(self, events: Integers) -> Integers:
        """Latest events of the user's latest distinct items, newest first, [n, own]."""
        past, lengths = self.stream.histories(events, self.layout.horizon)
        columns = lengths[:, None] - 1 - np.arange(past.shape[1])
        newest_first = np.take_along_axis(past, np.maximum(columns, 0), axis=1)
        latest = (columns >= 0) & (_at(self._again, newest_first) >= events[:, None])
        place = np.cumsum(latest, axis=1) - 1
        kept = latest & (place < self.layout.own)
        distinct = np.full((len(events), self.layout.own), NO_EVENT, np.int64)
        row, column = np.nonzero(kept)
        distinct[row, place[row, column]] = newest_first[row, column]
        return distinct

    def _neighbours(
        self, index: LatestByKey, anchors: Integers, events: Integers
    ) -> tuple[Integers, Integers]:
        """Events beside the items of anchors, and how many there are, [n, anchors * neighbours]."""
        most = self.layout.neighbours
        # All sizes are said, since a window may have no event with a history.
        shape = (len(events), self.layout.anchors * most)
        items = _at(self.stream.item, anchors).reshape(-1)
        found, counts = index.before(items, np.repeat(events, self.layout.anchors), most)
        return found.reshape(shape), np.repeat(counts, most).reshape(shape)


def repeat_rates(stream: EventStream) -> npt.NDArray[np.float32]:
    """Share of a user's earlier events that were repeats of an item, float32 [n_events].

    Smoothed: one repeat and one other event are added. The present event does not count.
    """
    again = previous_of_same(stream.user * stream.n_items + stream.item) != NO_EVENT
    by_user = np.argsort(stream.user, kind="stable")
    users = stream.user[by_user]
    total = np.concatenate([[0], np.cumsum(again[by_user])])
    earlier = np.empty(len(stream))
    earlier[by_user] = total[:-1] - total[np.searchsorted(users, users)]
    rates: npt.NDArray[np.float32] = ((earlier + 1) / (stream.history_length + 2)).astype(
        np.float32
    )
    return rates


def _at(column: npt.NDArray[Value], events: Integers) -> npt.NDArray[Value]:
    """Values of a column at events, 0 where there is none."""
    values: npt.NDArray[Value] = column[np.maximum(events, 0)]
    values[events == NO_EVENT] = 0
    return values


def _since(now: Floats, time: Floats, events: Integers) -> Floats:
    """Seconds since events, 0 where there is none."""
    return np.where(events != NO_EVENT, now - time[np.maximum(events, 0)], 0.0)
