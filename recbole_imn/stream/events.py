"""The global event stream: one log of all users in time order, with elapsed times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NO_EVENT = -1


class StreamError(ValueError):
    """A log that cannot be an event stream; the message is one line for people."""


@dataclass(frozen=True, eq=False)
class EventStream:
    """Columns of a log in time order, with what each event may know about the past.

    Build one with :meth:`from_columns`. Instances never change, so a copy of a stream is
    the stream itself.

    Attributes
    ----------
    user, item : int64 [n_events]
        Ids from 1; 0 is padding and never occurs.
    time : float64 [n_events]
        Seconds, not decreasing.
    behaviour : int64 [n_events]
        Kind of action from 1; 0 where it is unknown, or the log has no such column.
    purchase : bool [n_events]
        Whether the event uses up the user's limited resource.
    features : float32 [n_events, n_features]
        Numeric features of the event itself; width 0 where there are none.
    n_users, n_items, n_behaviours : int
        Sizes of the id spaces, padding included.
    last_user_event, last_item_event, last_purchase : int64 [n_events]
        Index of the previous event of the same user, of the same item, and of the user's
        previous purchase; -1 where there is none.
    previous_item : int64 [n_events]
        The item of the user's previous event; 0 (padding) where there is none.
    delta_user, delta_item, delta_purchase : float64 [n_events]
        Seconds since those three events: D_u, D_i and D_p; 0 where there is none.
    history_length : int64 [n_events]
        Number of earlier events of the same user.
    """

    user: Integers
    item: Integers
    time: Floats
    behaviour: Integers
    purchase: Flags
    features: npt.NDArray[np.float32]
    n_users: int
    n_items: int
    n_behaviours: int
    last_user_event: Integers
    last_item_event: Integers
    last_purchase: Integers
    previous_item: Integers
    delta_user: Floats
    delta_item: Floats
    delta_purchase: Floats
    history_length: Integers
    _by_user: Integers
    _place_by_user: Integers

    @classmethod
    def from_columns(
        cls,
        user: npt.ArrayLike,
        item: npt.ArrayLike,
        time: npt.ArrayLike,
        behaviour: npt.ArrayLike | None = None,
        purchase: npt.ArrayLike | None = None,
        features: npt.ArrayLike | None = None,
        n_users: int | None = None,
        n_items: int | None = None,
        n_behaviours: int | None = None,
    ) -> EventStream:
        """Check the columns of a log sorted by time and derive what lies in the past.

        Parameters
        ----------
        user, item, behaviour, purchase, time, features : array_like
            As in the class attributes; one entry an event, in stream order.
        n_users, n_items, n_behaviours : int, optional
            Sizes of the id spaces; by default one more than the largest id.

        Raises
        ------
        StreamError
            If a column is empty, too short, out of range, or times decrease or are not finite.
        """
        user, item = np.asarray(user, np.int64), np.asarray(item, np.int64)
        time = np.asarray(time, np.float64)
        n_events = len(time)
        behaviour = _integers_or_zeros(behaviour, n_events)
        purchase = _flags_or_false(purchase, n_events)
        features = _matrix_or_empty(features, n_events)
        _check_lengths(
            n_events,
            user=user,
            item=item,
            behaviour=behaviour,
            purchase=purchase,
            features=features,
        )
        _check_times(time)
        n_users = _check_ids("user", user, n_users, smallest=1)
        n_items = _check_ids("item", item, n_items, smallest=1)
        n_behaviours = _check_ids("behaviour", behaviour, n_behaviours, smallest=0)
        last_user_event = previous_of_same(user)
        last_item_event = previous_of_same(item)
        last_purchase = _previous_purchase(user, purchase)
        by_user = np.argsort(user, kind="stable")
        return cls(
            user=user,
            item=item,
            time=time,
            behaviour=behaviour,
            purchase=purchase,
            features=features,
            n_users=n_users,
            n_items=n_items,
            n_behaviours=n_behaviours,
            last_user_event=last_user_event,
            last_item_event=last_item_event,
            last_purchase=last_purchase,
            previous_item=np.where(last_user_event >= 0, item[last_user_event], 0),
            delta_user=_elapsed(time, last_user_event),
            delta_item=_elapsed(time, last_item_event),
            delta_purchase=_elapsed(time, last_purchase),
            history_length=place_within_group(user, by_user),
            _by_user=by_user,
            _place_by_user=_inverse(by_user),
        )

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.time)

    def __deepcopy__(self, memo: dict[int, Any]) -> EventStream:
        """Return the stream itself: it never changes."""
        return self

    @cached_property
    def first_user(self) -> Flags:
        """Whether the event is its user's first, bool [n_events]."""
        first: Flags = self.last_user_event == NO_EVENT
        return first

    @cached_property
    def first_item(self) -> Flags:
        """Whether the event is its item's first, bool [n_events]."""
        first: Flags = self.last_item_event == NO_EVENT
        return first

    @cached_property
    def first_purchase(self) -> Flags:
        """Whether no purchase of the user precedes the event, bool [n_events]."""
        first: Flags = self.last_purchase == NO_EVENT
        return first

    def with_features(self, features: npt.ArrayLike) -> EventStream:
        """Give the same stream with other event features, float32 [n_events, n_features]."""
        return replace(self, features=_matrix_or_empty(features, len(self)))

    def split(self, ratios: Sequence[float]) -> tuple[int, ...]:
        """Cut the stream in time, as :func:`split_positions` says; ties keep their order."""
        return split_positions(len(self), ratios)

    def histories(self, events: Integers, width: int) -> tuple[Integers, Integers]:
        """Give the user's latest earlier events of each event, oldest first.

        Parameters
        ----------
        events : int64 [n_rows]
            Indices of events.
        width : int
            How many earlier events at most.

        Returns
        -------
        indices : int64 [n_rows, width]
            Indices of events, left-aligned; -1 is padding.
        lengths : int64 [n_rows]
            Number of indices that are no padding.
        """
        lengths = np.minimum(self.history_length[events], width)
        columns = np.arange(width)
        places = (self._place_by_user[events] - lengths)[:, None] + columns
        inside = columns < lengths[:, None]
        indices = self._by_user[np.where(inside, places, 0)]
        return np.where(inside, indices, NO_EVENT), lengths


def split_positions(n_events: int, ratios: Sequence[float]) -> tuple[int, ...]:
    """Give the position where each part of a log but the first begins.

    Every part but the first is rounded down, as RecBole does
    (data/dataset/dataset.py, ``_calcu_split_ids``).

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
    sizes = [int(n_events * ratio / sum(ratios)) for ratio in ratios[1:]]
    starts = n_events - np.cumsum(sizes[::-1])[::-1]
    return tuple(int(start) for start in starts)


def previous_of_same(keys: Integers) -> Integers:
    """Index of the previous entry with the same key, -1 where there is none, int64 [n]."""
    order = np.argsort(keys, kind="stable")
    previous = np.full(len(keys), NO_EVENT, np.int64)
    same = keys[order][1:] == keys[order][:-1]
    previous[order[1:][same]] = order[:-1][same]
    return previous


def _previous_purchase(user: Integers, purchase: Flags) -> Integers:
    """Index of the user's last purchase before each event, -1 where there is none."""
    order = np.argsort(user, kind="stable")
    marked = np.where(purchase[order], np.arange(len(order)), NO_EVENT)
    # The running maximum may come from another user's block; its owner tells.
    latest = np.concatenate([[NO_EVENT], np.maximum.accumulate(marked)[:-1]])
    candidate = np.where(latest >= 0, order[latest], NO_EVENT)
    own = (candidate >= 0) & (user[candidate] == user[order])
    previous = np.empty(len(order), np.int64)
    previous[order] = np.where(own, candidate, NO_EVENT)
    return previous


def _elapsed(time: Floats, earlier: Integers) -> Floats:
    """Seconds since the event ``earlier``, 0 where there is none."""
    return np.where(earlier >= 0, time - time[earlier], 0.0)


def _inverse(permutation: Integers) -> Integers:
    inverse = np.empty_like(permutation)
    inverse[permutation] = np.arange(len(permutation))
    return inverse


def place_within_group(keys: Integers, order: Integers) -> Integers:
    """Give the number of earlier entries with the same key, int64 [n]."""
    sorted_keys = keys[order]
    starts = np.searchsorted(sorted_keys, sorted_keys, side="left")
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - starts
    return place


def _integers_or_zeros(column: npt.ArrayLike | None, n_events: int) -> Integers:
    return np.zeros(n_events, np.int64) if column is None else np.asarray(column, np.int64)


def _flags_or_false(column: npt.ArrayLike | None, n_events: int) -> Flags:
    return np.zeros(n_events, np.bool_) if column is None else np.asarray(column, np.bool_)


def _matrix_or_empty(column: npt.ArrayLike | None, n_events: int) -> npt.NDArray[np.float32]:
    if column is None:
        return np.zeros((n_events, 0), np.float32)
    return np.asarray(column, np.float32).reshape(n_events, -1)


def _check_lengths(n_events: int, **columns: npt.NDArray[Any]) -> None:
    if n_events == 0:
        raise StreamError("the log has no events")
    for name, column in columns.items():
        if len(column) != n_events:
            raise StreamError(f"column {name} has {len(column)} entries, time has {n_events}")


def _check_times(time: Floats) -> None:
    if not np.isfinite(time).all():
        event = int(np.flatnonzero(~np.isfinite(time))[0])
        raise StreamError(f"time of event {event} is {time[event]}, not a finite number of seconds")
    backwards = np.flatnonzero(np.diff(time) < 0)
    if len(backwards):
        event = int(backwards[0]) + 1
        raise StreamError(
            f"time of event {event} is {time[event]}, earlier than {time[event - 1]} before it; "
            "sort the log by time"
        )


def _check_ids(name: str, ids: Integers, size: int | None, smallest: int) -> int:
    size = int(ids.max()) + 1 if size is None else size
    outside = np.flatnonzero((ids < smallest) | (ids >= size))
    if len(outside):
        event = int(outside[0])
        raise StreamError(
            f"{name} of event {event} is {ids[event]}, outside {smallest}..{size - 1}"
        )
    return size
