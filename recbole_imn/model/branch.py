"""The resource-limited user state: only purchases change it.

Equation numbers are those of the IMN-Net paper (arXiv 2009.13249).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recbole_imn.errors import SettingsError
from recbole_imn.log import NO_EVENT, Integers
from recbole_imn.model.event_input import EventInput
from recbole_imn.model.layers import Affine, ElapsedTime, Projection
from recbole_imn.model.parts import Making
from recbole_imn.model.purchases import PurchaseStore
from recbole_imn.model.statics import Statics
from recbole_imn.model.window import PurchaseColumns, features_of, ids, ids_of
from recbole_imn.past import Facts, Past
from recbole_imn.stream import CELLS, Memory, recur
from recbole_imn.stream.plan import WindowPlan

SESSION_GAP = 1800.0
REMEMBERED_PURCHASES = 10
RECENT_EVENTS = 20


class Branch(nn.Module):
    """A state a user that purchases alone update; subclasses say what enters the update.

    The update of the k-th purchase is ``cell(inputs_k + W h)``. Gradients reach the latest
    ``purchase_reach`` purchases of a user whatever time has passed: what entered their updates
    is kept, and they are unrolled again with the present weights.

    Parameters
    ----------
    making : Making
    """

    # States of the width d that an update takes from the general ones.
    n_general = 2
    item_features: Tensor

    def __init__(self, making: Making) -> None:
        super().__init__()
        settings, log, width = making.settings, making.past.log, making.width
        self.cell = CELLS[settings.cell]
        scale = settings.elapsed_scale, settings.elapsed_origin
        purchases = making.past.chains.purchase
        self.elapsed = ElapsedTime(*making.since_previous(purchases), *scale)
        self.register_buffer("item_features", making.item_features, persistent=False)
        positive = settings.cell == "sigmoid"
        stored, gates = self.cell.n_parts * width, self.cell.n_gates
        self.memory = Memory(log.n_users, stored, positive, settings.state_precision)
        self.transition = nn.Parameter(torch.empty(width, gates * width))
        nn.init.xavier_uniform_(self.transition)
        self.projection = None if settings.shared_projection else Projection(width)
        n_kept = self.n_general * width
        self.kept = PurchaseStore(log.n_users, settings.purchase_reach, n_kept, stored)

    @property
    def width(self) -> int:
        """Width d of a state."""
        return self.transition.shape[0]

    # -- what subclasses say ---------------------------------------------------------------

    def inputs(self, general: Tensor, purchases: PurchaseColumns, statics: Statics) -> Tensor:
        """Give what enters the updates beside the limited state, float [n, n_gates * d].

        Parameters
        ----------
        general : float [n, n_general * d]
            What :meth:`context` gave of each purchase.
        purchases : PurchaseColumns
        statics : Statics
            Tables of static embeddings.
        """
        raise NotImplementedError

    def context(self, plan: WindowPlan, states: Tensor, places: Tensor) -> Tensor:
        """Give what an update takes from the general states, float [n, n_general * d].

        By default both states just after the purchase, as equation (6) has them.

        Parameters
        ----------
        plan : WindowPlan
        states : float [n_buffer_rows, n_parts * d]
        places : int64 [n]
            Places of the purchases in the window.
        """
        # The two rows that an event writes lie beside each other.
        after: Tensor = states[plan.levels.n_initial :].unflatten(0, (-1, 2))
        return after.index_select(0, places)[..., : self.width].flatten(1)

    def extra(self, past: Past, purchases: Integers) -> dict[str, Tensor]:
        """Look up what else of the past the updates need; nothing by default."""
        return {}

    # -- the recursion ---------------------------------------------------------------------

    def look(self, past: Past, purchases: Integers) -> PurchaseColumns:
        """Give what the updates of some purchases take from them."""
        user, item, behaviour = ids_of(past, purchases)
        return PurchaseColumns(
            user,
            item,
            behaviour,
            features_of(past, purchases, item, self.item_features),
            self.elapsed(*past.since_previous(purchases, past.chains.purchase)),
            self.extra(past, purchases),
        )

    def unroll(
        self,
        plan: WindowPlan,
        states: Tensor,
        purchases: PurchaseColumns,
        statics: Statics,
    ) -> tuple[Tensor, Tensor]:
        """Run the recursion over the window's purchases, and earlier ones of its users.

        Returns
        -------
        limited : float [n_users + n_purchases, n_parts * d]
        general : float [n_purchases, n_general * d]
            What :meth:`context` gave of each.
        """
        chain = plan.purchases
        initial, general = self.kept.begin(chain, purchases.user, plan.users, self.memory)
        if len(chain.events) == 0:
            return initial, general
        if chain.n_earlier < len(chain.events):
            inside = torch.from_numpy(chain.events[chain.n_earlier :] - plan.start)
            present = self.context(plan, states, inside.to(states.device))
            general = torch.cat([general, present]) if chain.n_earlier else present
        inputs = self.inputs(general, purchases, statics)
        return recur(initial, inputs, self.transition, chain.levels, self.cell), general

    def grow(self, n_users: int, item_features: Tensor) -> None:
        """Make room for users and items that come later."""
        self.memory.grow(n_users)
        self.kept.grow(n_users)
        self.item_features = item_features

    def commit(self, plan: WindowPlan, limited: Tensor, general: Tensor, users: Tensor) -> None:
        """Store the states at the window's end, and what entered its purchases."""
        chain = plan.purchases
        self.memory.commit_rows(plan.users, limited, chain.last_row, len(plan.users))
        self.kept.keep(chain, users, limited, general)


class SimplifiedBranch(Branch):
    """Equation (6): W2 h_u^g(t) + W3 h_i(t) + W4 ubar + W5 ibar + W6 D_p + W7 v."""

    def __init__(self, making: Making) -> None:
        super().__init__(making)
        n_out = self.cell.n_gates * self.width
        told = making.past.log.n_behaviours, making.n_features, making.settings.biases
        self.event = EventInput(n_out, *told)
        self.general = Affine(4 * self.width, n_out, bias=False)

    def inputs(self, general: Tensor, purchases: PurchaseColumns, statics: Statics) -> Tensor:
        """Add what both states, both embeddings and the event itself say."""
        event = self.event(purchases.since_purchase, purchases.behaviour, purchases.features)
        embedded = [statics.user(purchases.user), statics.item(purchases.item)]
        inputs: Tensor = self.general(torch.cat([general, *embedded], dim=1)) + event
        return inputs


class FullBranch(Branch):
    """Equations (3)-(5): W [Z_inv, Z_fin, ., h_u^g(t-)].

    Z_inv is a small network of shelf statistics and display strategy, Z_fin one of the
    purchase history and the behaviour in the present session. Both keep their biases whatever
    the settings: the paper calls them multilayer perceptrons, and prints no equation.

    Raises
    ------
    SettingsError
        If the log has no columns that tell of the shelf.
    """

    n_general = 1

    def __init__(self, making: Making) -> None:
        super().__init__(making)
        log, width = making.past.log, making.width
        n_inventory = log.inventory.shape[1]
        if n_inventory == 0:
            raise SettingsError(
                "resource_branch is 'full', which needs shelf statistics; name columns of the log "
                "in inventory_features, or use 'simplified'"
            )
        self.inventory = _two_layers(n_inventory, width)
        # Purchased items, session length, behaviours of the session, time since the purchase.
        self.finance = _two_layers(width + 1 + log.n_behaviours + 2, width)
        biases = making.settings.biases
        self.mix = Affine(3 * width, self.cell.n_gates * width, bias=biases)

    def context(self, plan: WindowPlan, states: Tensor, places: Tensor) -> Tensor:
        """Give the general user state just before the purchase, float [n, d]."""
        return states[plan.levels.sources[places, 0], : self.width]

    def extra(self, past: Past, purchases: Integers) -> dict[str, Tensor]:
        """Look up shelf, purchase history and session."""
        facts = past.look_at_events(purchases)
        bought, weights = purchase_history(past, facts)
        return {
            "inventory": torch.from_numpy(past.log.inventory[purchases]),
            "bought": bought,
            "weights": weights,
            "session": session_behaviour(past, facts),
        }

    def inputs(self, general: Tensor, purchases: PurchaseColumns, statics: Statics) -> Tensor:
        """Mix inventory, finance and the general state."""
        extra = purchases.extra
        inventory = self.inventory(extra["inventory"])
        bought = statics.item(extra["bought"])
        history = (bought * extra["weights"]).sum(dim=1)
        told = [history, extra["session"], purchases.since_purchase]
        finance = self.finance(torch.cat(told, dim=1))
        mixed: Tensor = self.mix(torch.cat([inventory, finance, general], dim=1))
        return mixed


BRANCHES: dict[str, type[Branch]] = {"simplified": SimplifiedBranch, "full": FullBranch}


def _two_layers(n_inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(Affine(n_inputs, width), nn.ReLU(), Affine(width, width))


def session_behaviour(past: Past, facts: Facts) -> Tensor:
    """Describe each user's present session, float [n, 1 + n_behaviours].

    A session ends after half an hour without an event. The description is the logarithm of
    1 + its number of events so far, and the share of each behaviour among them; it looks at
    the latest 20 events at most.
    """
    log, recent = past.log, past.histories(facts.latest, RECENT_EVENTS)
    inside, places = recent != NO_EVENT, np.maximum(recent, 0)
    later = np.concatenate([facts.at[:, None], log.time[places[:, :-1]]], axis=1)
    joined = inside & (later - log.time[places] <= SESSION_GAP)
    ongoing = np.logical_and.accumulate(joined, axis=1)
    counts = np.zeros((len(facts), log.n_behaviours))
    row, column = np.nonzero(ongoing)
    np.add.at(counts, (row, log.behaviour[recent[row, column]]), 1)
    total = counts.sum(axis=1, keepdims=True)
    described = np.concatenate([np.log1p(total), counts / np.maximum(total, 1)], axis=1)
    return _default(described)


def purchase_history(past: Past, facts: Facts) -> tuple[Tensor, Tensor]:
    """Give the items of each user's latest purchases.

    Returns
    -------
    items : int64 [n, 10]
        Newest first; 0 is padding.
    weights : float [n, 10, 1]
        One over the number of items, 0 for padding.
    """
    found = past.purchases(facts.purchase, REMEMBERED_PURCHASES)
    items = np.where(found != NO_EVENT, past.log.item[np.maximum(found, 0)], 0)
    bought = items > 0
    weights = bought / np.maximum(bought.sum(axis=1, keepdims=True), 1)
    return ids(items), _default(weights).unsqueeze(2)


def _default(values: npt.NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values).to(torch.get_default_dtype())
