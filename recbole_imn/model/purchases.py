"""What entered the latest purchases of every user, so that gradients reach them again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recbole_imn.kernels.purchases import begin, claim, find, take_turns, write
from recbole_imn.log import Integers
from recbole_imn.stream.memory import Memory
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
        self.reach, self.n_slots = reach, 0
        self.slots = np.full(n_users, -1, np.int32)
        self.counts = np.zeros(0, np.int64)
        self.events = np.full((0, reach), -1, np.int64)
        self.register_buffer("general", torch.zeros(0, reach, n_general), persistent=False)
        self.register_buffer("before", torch.zeros(0, reach, n_limited), persistent=False)

    def reset(self) -> None:
        """Forget everything."""
        self.slots.fill(-1)
        self.n_slots = 0
        self.counts, self.events = self.counts[:0], self.events[:0]
        self.general, self.before = self.general[:0], self.before[:0]

    def grow(self, n_users: int) -> None:
        """Make room for more users."""
        missing = n_users - len(self.slots)
        if missing > 0:
            self.slots = np.append(self.slots, np.full(missing, -1, np.int32))

    def state(self) -> dict[str, Any]:
        """Give everything as tensors."""
        n = self.n_slots
        arrays: dict[str, npt.NDArray[Any]]
        arrays = {"slots": self.slots, "counts": self.counts[:n], "events": self.events[:n]}
        return {
            **{name: torch.from_numpy(values.copy()) for name, values in arrays.items()},
            **{name: getattr(self, name)[:n].clone() for name in _TABLES},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` gave; users that came later have purchased nothing then."""
        n_users = len(self.slots)
        for name in ("slots", "counts", "events"):
            setattr(self, name, state[name].numpy().copy())
        for name in _TABLES:
            setattr(self, name, state[name].to(getattr(self, name), copy=True))
        self.n_slots = len(self.counts)
        self.grow(n_users)

    def begin(
        self, chain: PurchasePlan, purchasers: Tensor, users: Tensor, memory: Memory
    ) -> tuple[Tensor, Tensor]:
        """Give what the recursion of a window starts from.

        Parameters
        ----------
        chain : PurchasePlan
        purchasers : int64 [n_purchases]
            Who purchased.
        users : int64 [n_users]
            The window's users.
        memory : Memory
            The limited states. The one before any purchase is a weight.

        Returns
        -------
        initial : float [n_users, n_limited]
            The states in memory; for users with earlier purchases in the plan, the state
            before the first of them.
        general : float [n_earlier, n_general]

        Raises
        ------
        IndexError
            If an earlier purchase is not kept.
        """
        n = chain.n_earlier
        if n == 0:
            return memory.read(users), self.general.new_zeros(0, self.general.shape[2])
        slot, place = find(self.slots, self.events, purchasers[:n].cpu().numpy(), chain.events[:n])
        rows = torch.from_numpy(slot * self.reach + place).to(users.device)
        before, general = (
            table.flatten(0, 1).index_select(0, rows) for table in (self.before, self.general)
        )
        owners, first = chain.levels.sources[:n, 0], chain.first[:n]
        states = (memory.states, memory.known, users, memory.initial)
        return begin(*states, before, owners, first), general

    @torch.no_grad()
    def keep(
        self, chain: PurchasePlan, purchasers: Tensor, limited: Tensor, general: Tensor
    ) -> None:
        """Keep what entered the purchases of a window.

        Parameters
        ----------
        chain, purchasers
            As of :meth:`begin`.
        limited : float [n_window_users + n_purchases, n_limited]
        general : float [n_purchases, n_general]
        """
        n = chain.n_earlier
        if self.reach == 0 or len(chain.events) == n:
            return
        users = purchasers[n:].cpu().numpy()
        self.n_slots = claim(self.slots, users, self.n_slots)
        self._make_room()
        slot, place = take_turns(self.slots, self.counts, self.events, users, chain.events[n:])
        rows, sources = (general[n:], limited), chain.levels.sources[n:, 0]
        write((self.general, self.before), slot, place, rows, sources)

    def _make_room(self) -> None:
        """Make tables as long as there are slots, at least twice as long as they were."""
        if self.n_slots > len(self.counts):
            n = max(self.n_slots, 2 * len(self.counts))
            self.counts = _longer(self.counts, n, 0)
            self.events = _longer(self.events, n, -1)
        for name in _TABLES:
            table: Tensor = getattr(self, name)
            if self.n_slots > len(table):
                missing = max(self.n_slots, 2 * len(table)) - len(table)
                room = table.new_zeros(missing, *table.shape[1:])
                setattr(self, name, torch.cat([table, room]))


_TABLES = ("general", "before")


def _longer(table: Integers, n: int, fill: int) -> Integers:
    missing = n - len(table)
    return np.concatenate([table, np.full((missing, *table.shape[1:]), fill, table.dtype)])
