"""t-batch plans: which events of a window can be updated at once, and where states lie.

The states of a window live in one append-only buffer: first the states that the window
starts from, then the states that each event writes. An event reads the newest rows of its
entities, so nothing is ever overwritten and the backward pass needs no copies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from recbole_imn.stream.events import EventStream, Integers, previous_of_same

Plan = TypeVar("Plan", "WindowPlan", "PurchasePlan")


@dataclass(frozen=True)
class LevelPlan:
    """The order of a recursion and the buffer rows that it reads.

    Attributes
    ----------
    sources : tuple of int64 [level_size * n_slots]
        For each level, the buffer rows that its events read, slot after slot of an event.
    sizes : tuple of int
        Number of events in each level.
    n_initial : int
        Rows of the buffer before the first written one.
    n_slots : int
        States that an event reads and writes (2: user and item; 1: limited user state).
    """

    sources: tuple[Tensor, ...]
    sizes: tuple[int, ...]
    n_initial: int
    n_slots: int

    @property
    def n_events(self) -> int:
        """Number of events."""
        return sum(self.sizes)

    def to(self, device: torch.device) -> LevelPlan:
        """Give the plan with its rows on a device."""
        return replace(self, sources=tuple(source.to(device) for source in self.sources))


@dataclass(frozen=True)
class WindowPlan:
    """Everything about a window of events that does not depend on weights.

    Events are in level order: :attr:`events` gives their indices in the stream, and all
    per-event tensors follow it. Rows point into the state buffer, laid out as initial user
    states, initial item states, then user and item state after each event, in turns.

    Attributes
    ----------
    events : int64 [n]
        Indices in the stream, in level order.
    users, items : int64 [n_window_users], [n_window_items]
        Distinct entities whose states the window reads, in buffer order.
    levels : LevelPlan
        The recursion's order.
    user_before, item_before, previous_item_before : int64 [n]
        Buffer rows, just before each event, of the user, of the item and of the item of
        the user's previous event.
    item_after : int64 [n]
        Buffer rows of the item states that the events write.
    last_user_row, last_item_row : int64 [n_window_users], [n_window_items]
        Buffer rows of the states at the window's end.
    item_keys : int64 [n]
        Sorted ``item * n + place in time`` of the window's events, for :func:`rows_at`.
    item_key_rows : int64 [n]
        Buffer row written by the event of each key.
    """

    events: Integers
    users: Tensor
    items: Tensor
    levels: LevelPlan
    user_before: Tensor
    item_before: Tensor
    previous_item_before: Tensor
    item_after: Tensor
    last_user_row: Tensor
    last_item_row: Tensor
    item_keys: Integers
    item_key_rows: Integers


def event_levels(*earlier: Integers) -> Integers:
    """Level of each event: one more than the highest level that it depends on.

    Parameters
    ----------
    *earlier : int64 [n]
        For each kind of dependence, the earlier event depended on; negative for none.

    Returns
    -------
    int64 [n]
        Levels from 0. Events of one level depend on none of each other (t-batches of
        JODIE, Kumar et al., KDD 2019).
    """
    levels: list[int] = []
    append = levels.append
    for parents in zip(*(column.tolist() for column in earlier), strict=True):
        level = 0
        for parent in parents:
            if parent >= 0 and levels[parent] >= level:
                level = levels[parent] + 1
        append(level)
    return np.asarray(levels, np.int64)


def plan_levels(rows: Integers, levels: Integers, n_initial: int) -> LevelPlan:
    """Cut events already in level order into levels.

    Parameters
    ----------
    rows : int64 [n, n_slots]
        Buffer rows that each event reads.
    levels : int64 [n]
        Level of each event, not decreasing.
    n_initial : int
        Rows of the buffer before the first written one.
    """
    sizes = tuple(np.bincount(levels).tolist())
    n_slots = rows.shape[1]
    flat = torch.from_numpy(np.ascontiguousarray(rows).reshape(-1))
    sources = flat.split([size * n_slots for size in sizes])
    return LevelPlan(tuple(sources), sizes, n_initial, n_slots)


def plan_window(stream: EventStream, start: int, stop: int) -> WindowPlan:
    """Plan the exact recursion over the events ``start <= k < stop``.

    Raises
    ------
    ValueError
        If the window is empty or outside the stream.
    """
    if not 0 <= start < stop <= len(stream):
        raise ValueError(f"window {start}..{stop} is not inside a stream of {len(stream)} events")
    window = slice(start, stop)
    n = stop - start
    user, item, previous_item = (
        stream.user[window],
        stream.item[window],
        stream.previous_item[window],
    )
    before_user = np.maximum(stream.last_user_event[window] - start, -1)
    before_item = np.maximum(stream.last_item_event[window] - start, -1)
    levels = event_levels(before_user, before_item)
    order = np.argsort(levels, kind="stable")
    place_in_order = np.empty(n, np.int64)
    place_in_order[order] = np.arange(n)

    users, user_entity = np.unique(user, return_inverse=True)
    items, item_entity = np.unique(np.concatenate([item, previous_item]), return_inverse=True)
    first_written = len(users) + len(items)
    written_user = first_written + 2 * place_in_order
    written_item = written_user + 1
    item_row = len(users) + item_entity

    user_rows = np.where(before_user >= 0, written_user[before_user], user_entity)
    item_rows = np.where(before_item >= 0, written_item[before_item], item_row[:n])
    key_order = np.argsort(item, kind="stable")
    keys = item[key_order] * n + key_order
    key_rows = written_item[key_order]
    previous_rows = rows_at(keys, key_rows, n, previous_item, np.arange(n), item_row[n:])

    last_user_row = np.arange(len(users))
    last_user_row[user_entity] = written_user
    last_item_row = len(users) + np.arange(len(items))
    last_item_row[item_entity[:n]] = written_item
    return WindowPlan(
        events=order + start,
        users=torch.from_numpy(users),
        items=torch.from_numpy(items),
        levels=plan_levels(
            np.stack([user_rows, item_rows], axis=1)[order], levels[order], first_written
        ),
        user_before=torch.from_numpy(user_rows[order]),
        item_before=torch.from_numpy(item_rows[order]),
        previous_item_before=torch.from_numpy(previous_rows[order]),
        item_after=torch.from_numpy(written_item[order]),
        last_user_row=torch.from_numpy(last_user_row),
        last_item_row=torch.from_numpy(last_item_row),
        item_keys=keys,
        item_key_rows=key_rows,
    )


def rows_at(
    keys: Integers,
    key_rows: Integers,
    n: int,
    item: Integers,
    place: Integers,
    otherwise: Integers,
) -> Integers:
    """Buffer row of an item's newest state strictly before a place in time.

    Parameters
    ----------
    keys, key_rows : int64 [n_keys]
        Sorted ``item * n + place`` of the events that wrote states, and their rows.
    n : int
        Number of places in time.
    item, place, otherwise : int64 (broadcast together)
        Items asked for, places in time (0..n), and rows where no event came before.
    """
    if len(keys) == 0:
        # A copy: a broadcast array may not be written to, and torch warns of it.
        return np.broadcast_to(otherwise, np.broadcast(item, place).shape).copy()
    newest = np.searchsorted(keys, item * n + place, side="left") - 1
    found = (newest >= 0) & (keys[np.maximum(newest, 0)] // n == item)
    return np.where(found, key_rows[newest], otherwise)


@dataclass(frozen=True)
class PurchasePlan:
    """The recursion of the limited user states over a window's purchases.

    Buffer rows: initial limited states of the window's users (in the order of
    ``WindowPlan.users``), then one row a purchase.

    Attributes
    ----------
    places : int64 [n_purchases]
        Places in the window's level order of the purchases, in this recursion's order.
    levels : LevelPlan
        The recursion's order.
    before : int64 [n]
        Buffer row of the user's limited state just before each event of the window.
    last_row : int64 [n_window_users]
        Buffer rows at the window's end.
    """

    places: Tensor
    levels: LevelPlan
    before: Tensor
    last_row: Tensor


def plan_purchases(stream: EventStream, window: WindowPlan) -> PurchasePlan:
    """Plan the limited states of a window: a chain of purchases for each user."""
    start = int(window.events.min())
    users = window.users.cpu().numpy()
    by_time = np.sort(window.events)
    purchases = by_time[stream.purchase[by_time]]
    levels = event_levels(previous_of_same(stream.user[purchases]))
    order = np.argsort(levels, kind="stable")
    ordered = purchases[order]
    written = np.full(len(by_time), -1, np.int64)
    written[ordered - start] = len(users) + np.arange(len(ordered))

    def rows(events: Integers) -> Integers:
        initial = np.searchsorted(users, stream.user[events])
        latest = stream.last_purchase[events] - start
        return np.where(latest >= 0, written[np.maximum(latest, 0)], initial)

    last_row = np.arange(len(users))
    last_row[np.searchsorted(users, stream.user[purchases])] = written[purchases - start]
    place_in_level_order = np.empty(len(by_time), np.int64)
    place_in_level_order[window.events - start] = np.arange(len(by_time))
    return PurchasePlan(
        places=torch.from_numpy(place_in_level_order[ordered - start]),
        levels=plan_levels(rows(ordered)[:, None], levels[order], len(users)),
        before=torch.from_numpy(rows(window.events)),
        last_row=torch.from_numpy(last_row),
    )


def plan_on(plan: Plan, device: torch.device) -> Plan:
    """Give a plan with its tensors on a device; numpy columns stay where they are."""
    if device.type == "cpu":
        return plan
    values = {field.name: getattr(plan, field.name) for field in fields(plan)}
    moved: dict[str, Any] = {
        name: value.to(device)
        for name, value in values.items()
        if isinstance(value, Tensor | LevelPlan)
    }
    return replace(plan, **moved)


def windows(start: int, stop: int, size: int) -> Iterable[tuple[int, int]]:
    """Consecutive windows of at most ``size`` events that cover ``start <= k < stop``."""
    for begin in range(start, stop, size):
        yield begin, min(begin + size, stop)
