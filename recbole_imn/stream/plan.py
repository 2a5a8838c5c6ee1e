"""Window plans: where the states lie that events and rows of a window read.

The states of a window live in one append-only buffer: first the states that the window
starts from (users, then items), then the user's and the item's state after each event, in
turns. Nothing is ever overwritten, so the backward pass needs no copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import NO_EVENT, Flags, Ids, Integers
from recbole_imn.past import Facts, Past
from recbole_imn.past.before import latest_before
from recbole_imn.past.distinct import distinct, distinct_places, place_in, places_in
from recbole_imn.stream.levels import LevelPlan, plan_levels


@dataclass(frozen=True)
class PurchasePlan:
    """The recursion of the limited states over a window's purchases.

    Buffer rows: initial limited states of the window's users (in the order of
    ``WindowPlan.users``), then one row a purchase.

    Attributes
    ----------
    events : int64 [n_purchases]
        Purchases in time order; those before the window are unrolled again.
    n_earlier : int
        How many of them lie before the window.
    first : bool [n_purchases]
        Whether a purchase is its user's first.
    levels : LevelPlan
    row : int64 [n_rows]
        Buffer row of the limited state of each row's user, just before the row.
    last_row : int64 [n_window_users]
        Buffer rows at the window's end.
    """

    events: Integers
    n_earlier: int
    first: Flags
    levels: LevelPlan
    row: Tensor
    last_row: Tensor

    def to(self, device: torch.device) -> PurchasePlan:
        """Give the plan with its tensors on a device."""
        return replace(
            self,
            levels=self.levels.to(device),
            row=self.row.to(device),
            last_row=self.last_row.to(device),
        )


@dataclass(frozen=True)
class WindowPlan:
    """Where the states of a window of events lie; events and rows are in time order.

    Attributes
    ----------
    start, stop : int
        Events ``start <= k < stop``.
    users, items : int64 [n_window_users], [n_window_items]
        Distinct entities whose states the window reads, increasing.
    levels : LevelPlan
        The recursion; slot 0 of an event is its user, slot 1 its item.
    user_row, item_row : int64 [n_rows]
        Buffer rows, just before each row, of its user and of the item of his latest event.
    user_place, item_place : int64 [n_rows]
        Each row's user among :attr:`users`, and the item of his latest event among
        :attr:`latest_items`.
    latest_items : int64 [n_latest]
        Places among :attr:`items` of the distinct items of users' latest events.
    last_user_row, last_item_row : int64 [n_window_users], [n_window_items]
        Buffer rows at the window's end.
    purchases : PurchasePlan
    """

    start: int
    stop: int
    users: Tensor
    items: Tensor
    levels: LevelPlan
    user_row: Tensor
    item_row: Tensor
    user_place: Tensor
    item_place: Tensor
    latest_items: Tensor
    last_user_row: Tensor
    last_item_row: Tensor
    purchases: PurchasePlan

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self.stop - self.start

    def initial_item_row(self, items: Integers) -> Integers:
        """Give buffer rows of items as the window finds them, int64 [n]."""
        return len(self.users) + places_in(self.items.numpy(), items)

    def after(self, slot: int) -> Tensor:
        """Buffer rows that the events write, int64 [n_events]: slot 0 users, 1 items."""
        first = self.levels.n_initial + slot
        device = self.user_row.device
        return torch.arange(first, first + 2 * self.n_events, 2, device=device)

    def to(self, device: torch.device) -> WindowPlan:
        """Give the plan with its tensors on a device."""
        if device.type == "cpu":
            return self
        moved: dict[str, Any] = {
            name: value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(
            self, levels=self.levels.to(device), purchases=self.purchases.to(device), **moved
        )


def plan_window(
    past: Past,
    start: int,
    stop: int,
    rows: Facts,
    reach: int = 0,
    others: Integers | None = None,
) -> WindowPlan:
    """Plan the exact recursion over the events ``start <= k < stop``.

    Parameters
    ----------
    past : Past
        At ``stop``, or beyond it.
    start, stop : int
        The window may be empty: then the rows read what is in memory.
    rows : Facts
        Rows whose states are asked for, by position, each in ``start..stop``.
    reach : int
        How many purchases before the window are unrolled again, of each of its users.
    others : int64 [n_others], optional
        Further items whose states are read.

    Raises
    ------
    ValueError
        If the window or a row is outside the past, or rows are in no order.
    """
    _check(past, start, stop, rows)
    log = past.log
    user, item = log.user[start:stop], log.item[start:stop]
    users = distinct(user, rows.user)
    items = distinct(item, rows.item, *(() if others is None else (others,)))
    n_initial = len(users) + len(items)
    sources = np.empty((stop - start, 2), np.int64)
    row, place = np.empty((2, 2, len(rows)), np.int64)
    last = np.arange(n_initial)
    _place(
        users, items, user, item, rows.user, rows.item, rows.position - start, sources, row, place,
        last,
    )  # fmt: skip
    latest = distinct_places(place[1], len(items))
    return WindowPlan(
        start,
        stop,
        torch.from_numpy(users),
        torch.from_numpy(items),
        plan_levels(sources, n_initial),
        torch.from_numpy(row[0]),
        torch.from_numpy(row[1]),
        torch.from_numpy(place[0]),
        torch.from_numpy(place[1]),
        torch.from_numpy(latest),
        torch.from_numpy(last[: len(users)]),
        torch.from_numpy(last[len(users) :]),
        _plan_purchases(past, start, stop, users, rows, reach),
    )


def windows(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Give consecutive windows of at most ``size`` events that cover ``start <= k < stop``."""
    for begin in range(start, stop, size):
        yield begin, min(begin + size, stop)


def _plan_purchases(
    past: Past, start: int, stop: int, users: Integers, rows: Facts, reach: int
) -> PurchasePlan:
    """Plan the limited states of a window: a chain of purchases for each user."""
    log, chain = past.log, past.chains.purchase
    events = np.empty(reach * len(users) + stop - start, np.int64)
    n_earlier, n = _find_purchases(
        start, stop, reach, users, past.users.purchase, chain, log.purchase, events
    )
    events = events[:n]
    events[:n_earlier].sort()
    sources, first = np.empty((n, 1), np.int64), np.empty(n, np.bool_)
    row, last = np.empty(len(rows), np.int64), np.arange(len(users))
    _place_purchases(
        users, events, log.user, chain, rows.user, rows.position, sources, first, row, last
    )
    return PurchasePlan(
        events,
        n_earlier,
        first,
        plan_levels(sources, len(users)),
        torch.from_numpy(row),
        torch.from_numpy(last),
    )


def _check(past: Past, start: int, stop: int, rows: Facts) -> None:
    if not 0 <= start <= stop <= past.position:
        raise ValueError(f"window {start}..{stop} is not inside a past of {past.position} events")
    if len(rows) == 0:
        return
    if (np.diff(rows.position) < 0).any():
        raise ValueError("rows of a window must be in the order of their positions")
    if rows.position[0] < start or rows.position[-1] > stop:
        raise ValueError(
            f"rows at {rows.position[0]}..{rows.position[-1]} are outside the window "
            f"{start}..{stop}"
        )


@compiled
def _place(
    users: Integers,
    items: Integers,
    of_events: Ids,
    items_of_events: Ids,
    of_rows: Integers,
    items_of_rows: Integers,
    positions: Integers,
    sources: Integers,
    row: Integers,
    place: Integers,
    last: Integers,
) -> None:
    """Find what events and rows read; ``last`` holds the newest row of each entity."""
    n, n_users, asked = len(sources), len(users), 0
    n_initial = n_users + len(items)
    for event in range(n + 1):
        while asked < len(positions) and positions[asked] == event:
            user, item = place_in(users, of_rows[asked]), place_in(items, items_of_rows[asked])
            place[0, asked], place[1, asked] = user, item
            row[0, asked], row[1, asked] = last[user], last[n_users + item]
            asked += 1
        if event < n:
            user = place_in(users, of_events[event])
            item = n_users + place_in(items, items_of_events[event])
            sources[event, 0], sources[event, 1] = last[user], last[item]
            last[user] = n_initial + 2 * event
            last[item] = n_initial + 2 * event + 1


@compiled
def _find_purchases(
    start: int,
    stop: int,
    reach: int,
    users: Integers,
    latest: Ids,
    chain: Ids,
    purchases: Flags,
    found: Integers,
) -> tuple[int, int]:
    """Find the last purchases of users before a window, user by user, then those inside."""
    n = 0
    for user in users if reach > 0 else users[:0]:
        event = latest_before(latest[user], start, chain)
        for _ in range(reach):
            if event == NO_EVENT:
                break
            found[n] = event
            n += 1
            event = chain[event]
    n_earlier = n
    for event in range(start, stop):
        if purchases[event]:
            found[n] = event
            n += 1
    return n_earlier, n


@compiled
def _place_purchases(
    users: Integers,
    events: Integers,
    of_events: Ids,
    chain: Ids,
    of_rows: Integers,
    positions: Integers,
    sources: Integers,
    first: Flags,
    row: Integers,
    last: Integers,
) -> None:
    """Do the same for purchases, one state each; say which of them are their users' first."""
    n_users, asked = len(last), 0
    for place in range(len(events)):
        event = events[place]
        while asked < len(positions) and positions[asked] <= event:
            row[asked] = last[place_in(users, of_rows[asked])]
            asked += 1
        owner = place_in(users, of_events[event])
        sources[place, 0] = last[owner]
        first[place] = chain[event] == NO_EVENT
        last[owner] = n_users + place
    for rest in range(asked, len(positions)):
        row[rest] = last[place_in(users, of_rows[rest])]
