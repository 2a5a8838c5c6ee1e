"""The resource-limited user state: only purchases change it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.model.layers import Affine, EventInput
from recbole_imn.stream import EventStream
from recbole_imn.stream.events import NO_EVENT, Integers

SESSION_GAP = 1800.0
REMEMBERED_PURCHASES = 10
RECENT_EVENTS = 20


class SimplifiedBranch(nn.Module):
    """Inputs of equation (6): W2 h_u^g(t) + W3 h_i(t) + W4 ubar + W5 ibar + W6 D_p + W7 v.

    Parameters
    ----------
    width, n_gates : int
        Size of a state, and pre-activations of the cell.
    n_behaviours, n_features : int
        As of :class:`~recbole_imn.model.layers.EventInput`.
    """

    uses_states_after = True

    def __init__(self, width: int, n_gates: int, n_behaviours: int, n_features: int) -> None:
        super().__init__()
        self.event = EventInput(n_gates * width, n_behaviours, n_features)
        self.context = Affine(4 * width, n_gates * width, bias=False)

    def forward(
        self, context: Tensor, elapsed: Tensor, behaviour: Tensor, features: Tensor, full: Tensor
    ) -> Tensor:
        """Give inputs of purchases, float [n, n_gates * d], from contexts [n, 4d]."""
        inputs: Tensor = self.context(context) + self.event(elapsed, behaviour, features)
        return inputs


class FullBranch(nn.Module):
    """Inputs of equations (3)-(5): W [Z_inv, Z_fin, ., h_u^g(t-)].

    Z_inv is a small network of shelf statistics and display strategy, Z_fin one of the
    purchase history and the behaviour in the present session.

    Parameters
    ----------
    width, n_gates : int
        As of :class:`SimplifiedBranch`.
    n_inventory, n_finance : int
        Width of the two kinds of input.
    """

    uses_states_after = False

    def __init__(self, width: int, n_gates: int, n_inventory: int, n_finance: int) -> None:
        super().__init__()
        self.n_inventory = n_inventory
        self.inventory = _two_layers(n_inventory, width)
        self.finance = _two_layers(n_finance, width)
        self.mix = Affine(3 * width, n_gates * width)

    def forward(
        self, context: Tensor, elapsed: Tensor, behaviour: Tensor, features: Tensor, full: Tensor
    ) -> Tensor:
        """Give inputs of purchases, float [n, n_gates * d], from general states [n, d]."""
        inventory = self.inventory(full[:, : self.n_inventory])
        finance = self.finance(torch.cat([full[:, self.n_inventory :], elapsed], dim=1))
        mixed: Tensor = self.mix(torch.cat([inventory, finance, context], dim=1))
        return mixed


def _two_layers(n_inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(Affine(n_inputs, width), nn.ReLU(), Affine(width, width))


def session_behaviour(stream: EventStream, events: Integers) -> Tensor:
    """Describe the user's present session before each event, float [n, 1 + n_behaviours].

    A session ends after half an hour without an event. The description is the logarithm of
    1 + its number of events so far, and the share of each behaviour among them; it looks at
    the latest 20 events at most.
    """
    past, _ = stream.histories(events, RECENT_EVENTS)
    inside = past != NO_EVENT
    places = np.maximum(past, 0)
    time = np.concatenate([stream.time[places], stream.time[events][:, None]], axis=1)
    # Histories are left-aligned; the event itself stands in for padding.
    time[:, :-1] = np.where(inside, time[:, :-1], time[:, -1:])
    broken = np.diff(time, axis=1) > SESSION_GAP
    ongoing = inside & ~np.flip(np.logical_or.accumulate(np.flip(broken & inside, 1), axis=1), 1)
    counts = np.zeros((len(events), stream.n_behaviours))
    row, column = np.nonzero(ongoing)
    np.add.at(counts, (row, stream.behaviour[past[row, column]]), 1)
    total = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(total, 1)
    described = np.concatenate([np.log1p(total), shares], axis=1)
    return torch.from_numpy(described).to(torch.get_default_dtype())


def purchase_history(stream: EventStream, events: Integers) -> tuple[Tensor, Tensor]:
    """Give the items of each user's latest purchases before each event.

    Returns
    -------
    items : int64 [n, 10]
        Newest first; 0 is padding.
    weights : float [n, 10, 1]
        One over the number of items, 0 for padding.
    """
    items = np.zeros((len(events), REMEMBERED_PURCHASES), np.int64)
    latest = stream.last_purchase[events]
    for place in range(REMEMBERED_PURCHASES):
        known = latest != NO_EVENT
        items[known, place] = stream.item[latest[known]]
        latest = np.where(known, stream.last_purchase[latest], NO_EVENT)
    bought = items > 0
    weights = bought / np.maximum(bought.sum(axis=1, keepdims=True), 1)
    shares = torch.from_numpy(weights).to(torch.get_default_dtype())
    return torch.from_numpy(items), shares.unsqueeze(2)
