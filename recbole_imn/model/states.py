"""The recursive states of users and items: equations (1) and (2) of arXiv 2009.13249."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.kernels.memory import read_both
from recbole_imn.log import Integers
from recbole_imn.model.event_input import EventInput, two_inputs
from recbole_imn.model.layers import ElapsedTime
from recbole_imn.model.parts import Making
from recbole_imn.model.window import EventColumns, features_of, ids_of, told_by
from recbole_imn.past import Past
from recbole_imn.stream import CELLS, Memory, recur
from recbole_imn.stream.plan import WindowPlan


class GeneralStates(nn.Module):
    """General user states and item states, mutually recursive over the events of a window.

    Parameters
    ----------
    making : Making
    """

    item_features: Tensor

    def __init__(self, making: Making) -> None:
        super().__init__()
        settings, log, width = making.settings, making.past.log, making.width
        self.cell = CELLS[settings.cell]
        gates, stored = self.cell.n_gates, self.cell.n_parts * width
        positive = settings.cell == "sigmoid"
        self.register_buffer("item_features", making.item_features, persistent=False)
        chains = making.past.chains
        scale = settings.elapsed_scale, settings.elapsed_origin
        self.elapsed_user = ElapsedTime(*making.since_previous(chains.user), *scale)
        self.elapsed_item = ElapsedTime(*making.since_previous(chains.item), *scale)
        kept = stored, positive, settings.state_precision
        self.users = Memory(log.n_users, *kept)
        self.items = Memory(log.n_items, *kept)
        self.transition = nn.Parameter(torch.empty(2 * width, 2 * gates * width))
        nn.init.xavier_uniform_(self.transition)
        told = log.n_behaviours, making.n_features, settings.biases
        self.user_input = EventInput(gates * width, *told)
        self.item_input = EventInput(gates * width, *told)
        self.sees_previous = settings.event_input == "previous"

    def look(self, past: Past, events: Integers) -> EventColumns:
        """Give what the updates of some events take from them."""
        user, item, behaviour = ids_of(past, events)
        chains = (past.chains.user, past.chains.item) if self.sees_previous else ()
        before = (
            told_by(past, chain[events].astype(np.int64), self.item_features) for chain in chains
        )
        return EventColumns(
            user,
            item,
            behaviour,
            features_of(past, events, item, self.item_features),
            self.elapsed_user(*past.since_previous(events, past.chains.user)),
            self.elapsed_item(*past.since_previous(events, past.chains.item)),
            *before,
        )

    def unroll(self, plan: WindowPlan, events: EventColumns) -> Tensor:
        """Run the recursion from the states in memory, float [n_buffer_rows, n_parts * d]."""
        initial = read_both(self.users.table(plan.users), self.items.table(plan.items))
        return recur(initial, self.inputs(events), self.transition, plan.levels, self.cell)

    def inputs(self, events: EventColumns) -> Tensor:
        """Give what the updates take from the events, float [n, 2 * n_gates * d]."""
        of_user, of_item = events.before_user, events.before_item
        if of_user is not None and of_item is not None:
            users = self.user_input.after(events.since_user, of_user.behaviour, of_user.features)
            items = self.item_input.after(events.since_item, of_item.behaviour, of_item.features)
            return torch.cat([users, items], dim=1)
        return two_inputs(
            self.user_input,
            self.item_input,
            (events.since_user, events.since_item),
            events.behaviour,
            events.features,
        )

    def moving_rows(self, plan: WindowPlan) -> Tensor:
        """Give the rows of the buffer whose gradient reaches a weight, int64 [n].

        They are what events write, and initial states of who has no other yet.
        """
        known = torch.cat([self.users.known[plan.users], self.items.known[plan.items]])
        first, n_written = plan.levels.n_initial, 2 * plan.n_events
        written = torch.arange(first, first + n_written, device=known.device)
        return torch.cat([(~known).nonzero().squeeze(1), written])

    def commit(self, plan: WindowPlan, states: Tensor) -> None:
        """Store the states at the window's end."""
        first = plan.levels.n_initial
        self.users.commit_rows(plan.users, states, plan.last_user_row, first)
        self.items.commit_rows(plan.items, states, plan.last_item_row, first)

    def grow(self, n_users: int, n_items: int, item_features: Tensor) -> None:
        """Make room for users and items that come later."""
        self.users.grow(n_users)
        self.items.grow(n_items)
        self.item_features = item_features
