"""The recursive states of users and items over an event stream.

Equation numbers are those of the IMN-Net paper (arXiv 2009.13249).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recbole_imn.model.branch import (
    FullBranch,
    SimplifiedBranch,
    purchase_history,
    session_behaviour,
)
from recbole_imn.model.layers import ElapsedTime, EventInput, Projection, StaticTable
from recbole_imn.model.settings import NetworkSettings, SettingsError
from recbole_imn.stream import CELLS, EventStream, Memory, WindowPlan, recur
from recbole_imn.stream.events import Flags, Floats, Integers
from recbole_imn.stream.tbatch import PurchasePlan, plan_on, plan_purchases


@dataclass(frozen=True)
class Unrolled:
    """States of a window after the recursion.

    Attributes
    ----------
    plan : WindowPlan
    states : float [n_rows, d]
        The state buffer of the plan.
    limited : float [n_users + n_purchases, d] or None
        The buffer of the limited states; None without a resource branch.
    purchases : PurchasePlan or None
    """

    plan: WindowPlan
    states: Tensor
    limited: Tensor | None
    purchases: PurchasePlan | None


class RecursiveStates(nn.Module):
    """General user states, item states and resource-limited user states: equations (1)-(6).

    Parameters
    ----------
    stream : EventStream
        The log. Only events before ``n_training`` influence the parameters.
    n_training : int
        Number of training events, at the start of the stream.
    settings : NetworkSettings
    item_features : float32 [n_items, n_item_features], optional
        Numeric features of items, standardised; part of v in equations (1), (2) and (6).
    inventory : float32 [n_events, n_inventory], optional
        Shelf statistics and display strategy of events, for the full branch (3).

    Raises
    ------
    SettingsError
        If the full branch is asked for without inventory features.
    """

    item_features: Tensor

    def __init__(
        self,
        stream: EventStream,
        n_training: int,
        settings: NetworkSettings,
        item_features: Tensor | None = None,
        inventory: npt.NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self.stream = stream
        self.settings = settings
        self.cell = CELLS[settings.cell]
        self.inventory = inventory
        width, gates = settings.embedding_size, self.cell.n_gates
        stored, positive = self.cell.n_parts * width, settings.cell == "sigmoid"
        if item_features is None:
            item_features = torch.zeros(stream.n_items, 0)
        self.register_buffer("item_features", item_features, persistent=False)
        n_features = self.n_features

        self.elapsed_user = self._elapsed(stream.delta_user, stream.first_user, n_training)
        self.elapsed_item = self._elapsed(stream.delta_item, stream.first_item, n_training)
        self.users = Memory(stream.n_users, stored, positive)
        self.items = Memory(stream.n_items, stored, positive)
        self.static_user = StaticTable(stream.n_users, width, settings.static_geometry == "unit")
        self.static_item = StaticTable(
            stream.n_items,
            width,
            settings.static_geometry == "unit",
            item_features if settings.static_features else None,
        )
        self.transition = nn.Parameter(torch.empty(2 * width, 2 * gates * width))
        nn.init.xavier_uniform_(self.transition)
        self.user_input = EventInput(gates * width, stream.n_behaviours, n_features)
        self.item_input = EventInput(gates * width, stream.n_behaviours, n_features)
        self.user_projection = Projection(width)

    @property
    def has_branch(self) -> bool:
        """Whether there is a resource-limited state."""
        return self.settings.resource_branch != "none"

    @property
    def n_features(self) -> int:
        """Width of v, the features of an event and of its item."""
        n_own: int = self.stream.features.shape[1]
        return n_own + self.item_features.shape[1]

    def _elapsed(self, seconds: Floats, first: Flags, n_training: int) -> ElapsedTime:
        scale = self.settings.elapsed_scale
        return ElapsedTime(seconds[:n_training], first[:n_training], scale)

    def _add_branch(self, n_training: int) -> None:
        width = self.settings.embedding_size
        stream, settings, gates = self.stream, self.settings, self.cell.n_gates
        self.elapsed_purchase = self._elapsed(
            stream.delta_purchase, stream.first_purchase, n_training
        )
        positive = settings.cell == "sigmoid"
        self.limited = Memory(stream.n_users, self.cell.n_parts * width, positive)
        self.limited_transition = nn.Parameter(torch.empty(width, gates * width))
        nn.init.xavier_uniform_(self.limited_transition)
        self.limited_projection = Projection(width)
        self.branch: SimplifiedBranch | FullBranch
        if settings.resource_branch == "simplified":
            self.branch = SimplifiedBranch(width, gates, stream.n_behaviours, self.n_features)
            return
        n_inventory = 0 if self.inventory is None else self.inventory.shape[1]
        if n_inventory == 0:
            raise SettingsError(
                "resource_branch is 'full', which needs shelf statistics; name columns of the log "
                "in inventory_features, or use 'simplified'"
            )
        # Purchased items, session length, behaviours of the session, time since the purchase.
        n_finance = width + 1 + stream.n_behaviours + 2
        self.branch = FullBranch(width, gates, n_inventory, n_finance)

    # -- states ---------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget every state."""
        for memory in self._memories():
            memory.reset()

    def _memories(self) -> list[Memory]:
        return [self.users, self.items, *([self.limited] if self.has_branch else [])]

    def unroll(self, plan: WindowPlan) -> Unrolled:
        """Run the recursion over a window, from the states in memory; commits nothing."""
        plan = plan_on(plan, self.transition.device)
        initial = torch.cat([self.users.read(plan.users), self.items.read(plan.items)])
        inputs = self._inputs(plan.events)
        states = recur(initial, inputs, self.transition, plan.levels, self.cell)
        if not self.has_branch:
            return Unrolled(plan, states, None, None)
        purchases = plan_on(plan_purchases(self.stream, plan), self.transition.device)
        return Unrolled(plan, states, self._unroll_limited(plan, states, purchases), purchases)

    def _inputs(self, events: Integers) -> Tensor:
        """W3 D + W4 v of equations (1) and (2), side by side, float [n, 2d]."""
        stream = self.stream
        behaviour, features = self._behaviour(events), self._features(events)
        user_time = self.elapsed_user(stream.delta_user[events], stream.first_user[events])
        item_time = self.elapsed_item(stream.delta_item[events], stream.first_item[events])
        return torch.cat(
            [
                self.user_input(user_time, behaviour, features),
                self.item_input(item_time, behaviour, features),
            ],
            dim=1,
        )

    def _unroll_limited(self, plan: WindowPlan, states: Tensor, purchases: PurchasePlan) -> Tensor:
        """Equation (6), or (3)-(5): only purchases change the limited state."""
        initial = self.limited.read(plan.users)
        if len(purchases.places) == 0:
            return initial
        events = plan.events[purchases.places.cpu().numpy()]
        if self.branch.uses_states_after:
            context, full = self._purchase_context(plan, states, purchases, events), states[:0]
        else:
            context = self._hidden(states[plan.user_before[purchases.places]])
            full = self._resources(events)
        inputs = self.branch(
            context,
            self._elapsed_purchase(events),
            self._behaviour(events),
            self._features(events),
            full,
        )
        return recur(initial, inputs, self.limited_transition, purchases.levels, self.cell)

    def _purchase_context(
        self, plan: WindowPlan, states: Tensor, purchases: PurchasePlan, events: Integers
    ) -> Tensor:
        """Both general states after each purchase and both static embeddings, float [n, 4d]."""
        item_after = plan.item_after[purchases.places]
        return torch.cat(
            [
                self._hidden(states[item_after - 1]),
                self._hidden(states[item_after]),
                self.static_user(self._ids(self.stream.user[events])),
                self.static_item(self._ids(self.stream.item[events])),
            ],
            dim=1,
        )

    def _resources(self, events: Integers) -> Tensor:
        """Inventory features, purchase history and session behaviour, side by side."""
        device = self.transition.device
        assert self.inventory is not None  # checked when the branch was made
        inventory = torch.from_numpy(self.inventory[events]).to(device)
        items, weights = purchase_history(self.stream, events)
        bought = self.static_item(items.reshape(-1).to(device))
        history = (bought.view(*items.shape, -1) * weights.to(device)).sum(dim=1)
        session = session_behaviour(self.stream, events).to(device)
        return torch.cat([inventory, history, session], dim=1)

    def _hidden(self, states: Tensor) -> Tensor:
        """Give the hidden part of stored states, float [n, d]."""
        return states[:, : self.settings.embedding_size]

    def commit(self, unrolled: Unrolled) -> None:
        """Store the states at the window's end."""
        plan = unrolled.plan
        _commit_changed(
            self.users, plan.users, unrolled.states, plan.last_user_row, plan.levels.n_initial
        )
        _commit_changed(
            self.items, plan.items, unrolled.states, plan.last_item_row, plan.levels.n_initial
        )
        if unrolled.limited is not None and unrolled.purchases is not None:
            rows = unrolled.purchases.last_row
            _commit_changed(self.limited, plan.users, unrolled.limited, rows, len(plan.users))

    # -- columns of the stream as tensors -------------------------------------------------

    def _ids(self, column: Integers) -> Tensor:
        return torch.from_numpy(column).to(self.transition.device)

    def _behaviour(self, events: Integers) -> Tensor:
        return self._ids(self.stream.behaviour[events])

    def _features(self, events: Integers) -> Tensor:
        own = torch.from_numpy(self.stream.features[events]).to(self.transition.device)
        return torch.cat([own, self.item_features[self._ids(self.stream.item[events])]], dim=1)

    def _elapsed_purchase(self, events: Integers) -> Tensor:
        stream = self.stream
        elapsed: Tensor = self.elapsed_purchase(
            stream.delta_purchase[events], stream.first_purchase[events]
        )
        return elapsed


def _commit_changed(
    memory: Memory, ids: Tensor, states: Tensor, rows: Tensor, n_initial: int
) -> None:
    """Store the states that the window wrote; the others stay as they are."""
    changed = rows >= n_initial
    memory.commit(ids[changed], states[rows[changed]])
