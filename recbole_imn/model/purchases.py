"""What entered the latest purchases of every user, so that gradients reach them again."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.log import Integers
from recbole_imn.stream.plan import PurchasePlan


class PurchaseStore(nn.Module):
    """General and limited states at the latest purchases of users who purchased at all.

    Parameters
    ----------
    n_users : int
    reach : int
        Purchases of a user that are kept; 0 keeps none.
    n_general, n_limited : int
        Widths of what is kept of each: what an update took from the general states, and the
        limited state before it.
    """

    general: Tensor
    before: Tensor

    def __init__(self, n_users: int, reach: int, n_general: int, n_limited: int) -> None:
        super().__init__()
        self.reach = reach
        self.slots = np.full(n_users, -1, np.int32)
        self.counts = np.zeros(0, np.int64)
        self.events = np.full((0, reach), -1, np.int64)
        self.register_buffer("general", torch.zeros(0, reach, n_general), persistent=False)
        self.register_buffer("before", torch.zeros(0, reach, n_limited), persistent=False)

    def reset(self) -> None:
        """Forget everything."""
        self.slots.fill(-1)
        self._resize(0)

    def grow(self, n_users: int) -> None:
        """Make room for more users."""
        missing = n_users - len(self.slots)
        if missing > 0:
            self.slots = np.append(self.slots, np.full(missing, -1, np.int32))

    def state(self) -> dict[str, Any]:
        """Give everything as tensors."""
        arrays = {name: torch.from_numpy(getattr(self, name).copy()) for name in _ARRAYS}
        return {**arrays, "general": self.general.clone(), "before": self.before.clone()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` gave; users that came later have purchased nothing then."""
        n_users = len(self.slots)
        for name in _ARRAYS:
            setattr(self, name, state[name].numpy().copy())
        self.general = state["general"].to(self.general, copy=True)
        self.before = state["before"].to(self.before, copy=True)
        self.grow(n_users)

    def begin(
        self, chain: PurchasePlan, users: Tensor, initial: Tensor, none_before: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Give what the recursion of a window starts from.

        Parameters
        ----------
        chain : PurchasePlan
        users : int64 [n_purchases]
            Who purchased.
        initial : float [n_users, n_limited]
            The limited states in memory of the window's users.
        none_before : float [n_limited]
            The limited state before any purchase.

        Returns
        -------
        initial : float [n_users, n_limited]
            For users with earlier purchases in the plan, the state before the first of them.
        general : float [n_earlier, n_general]
        """
        n = chain.n_earlier
        if n == 0:
            return initial, self.general.new_zeros(0, self.general.shape[2])
        slots = self.slots[users[:n].cpu().numpy()]
        places = (self.events[slots] == chain.events[:n, None]).argmax(axis=1)
        slot, place = torch.from_numpy(slots.astype(np.int64)), torch.from_numpy(places)
        owners = chain.levels.sources[:n, 0]
        oldest = (owners < len(initial)).nonzero().squeeze(1)
        before = self.before[slot[oldest.cpu()], place[oldest.cpu()]]
        # With no purchase before it, the state is a weight, and gradients reach it.
        first = torch.from_numpy(chain.first[:n]).to(initial.device)[oldest].unsqueeze(1)
        before = torch.where(first, none_before, before)
        return initial.index_copy(0, owners[oldest], before), self.general[slot, place]

    @torch.no_grad()
    def keep(self, chain: PurchasePlan, users: Tensor, limited: Tensor, general: Tensor) -> None:
        """Keep what entered the purchases of a window.

        Parameters
        ----------
        chain, users
            As of :meth:`begin`.
        limited : float [n_window_users + n_purchases, n_limited]
        general : float [n_purchases, n_general]
        """
        n = chain.n_earlier
        if self.reach == 0 or len(chain.events) == n:
            return
        slots, places = self._claim(users[n:].cpu().numpy(), chain.events[n:])
        # Of several purchases that would lie in the same place, the last stays.
        flat = slots * self.reach + places
        last = len(flat) - 1 - np.unique(flat[::-1], return_index=True)[1]
        slot, place = torch.from_numpy(slots[last]), torch.from_numpy(places[last])
        rows = torch.from_numpy(n + last).to(limited.device)
        self.events[slots[last], places[last]] = chain.events[n + last]
        self.general[slot, place] = general[rows]
        self.before[slot, place] = limited[chain.levels.sources[rows, 0]]

    def _claim(self, users: Integers, events: Integers) -> tuple[Integers, Integers]:
        """Give each purchase its place: a slot for the user, and one of its rows in turns."""
        new = np.unique(users[self.slots[users] < 0])
        first = len(self.counts)
        self.slots[new] = first + np.arange(len(new))
        self._resize(first + len(new))
        slots = self.slots[users].astype(np.int64)
        order = np.argsort(slots, kind="stable")
        ordered = slots[order]
        earlier = np.empty(len(slots), np.int64)
        earlier[order] = np.arange(len(slots)) - np.searchsorted(ordered, ordered)
        places = (self.counts[slots] + earlier) % self.reach
        np.add.at(self.counts, slots, 1)
        return slots, places

    def _resize(self, n: int) -> None:
        self.counts = np.resize(self.counts, n) if n == 0 else _longer(self.counts, n, 0)
        self.events = self.events[:0] if n == 0 else _longer(self.events, n, -1)
        for name in ("general", "before"):
            table: Tensor = getattr(self, name)
            if n == 0:
                setattr(self, name, table[:0])
            elif n > len(table):
                room = table.new_zeros(max(n, 2 * len(table)) - len(table), *table.shape[1:])
                setattr(self, name, torch.cat([table, room]))


_ARRAYS = ("slots", "counts", "events")


def _longer(table: Integers, n: int, fill: int) -> Integers:
    missing = n - len(table)
    return np.concatenate([table, np.full((missing, *table.shape[1:]), fill, table.dtype)])
