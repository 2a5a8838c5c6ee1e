"""The interest-behaviour multiplicative network over an event stream, without RecBole.

Equation numbers are those of the IMN-Net paper (arXiv 2009.13249).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from recbole_imn.model.branch import (
    FullBranch,
    SimplifiedBranch,
    purchase_history,
    session_behaviour,
)
from recbole_imn.model.layers import (
    Conditioning,
    ContextMap,
    ElapsedTime,
    EventInput,
    Projection,
    StaticTable,
)
from recbole_imn.model.losses import contrastive_loss, drift_loss, prediction_loss
from recbole_imn.model.settings import NetworkSettings, SettingsError
from recbole_imn.stream import CELLS, EventStream, Memory, WindowPlan, recur
from recbole_imn.stream.events import Flags, Floats, Integers
from recbole_imn.stream.tbatch import PurchasePlan, plan_on, plan_purchases
from recbole_imn.stream.versions import item_versions

# Rows that are compared with negatives at a time; few items move meanwhile.
ROWS_A_CHUNK = 256


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


class InterestBehaviourNetwork(nn.Module):
    """IMN-Net: general, item and resource-limited states, and two ways to rank items.

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
    ranking_weights: Tensor
    ranking_scales: Tensor

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
        centre = 0.5 if positive else 0.0
        unit = settings.conditioning == "unit"
        if item_features is None:
            item_features = torch.zeros(stream.n_items, 0)
        self.register_buffer("item_features", item_features, persistent=False)
        n_features = stream.features.shape[1] + item_features.shape[1]

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
        summed = self.has_branch and settings.fusion == "sum"
        self.user_condition = Conditioning(width, 2 * centre if summed else centre, unit)
        self.item_condition = Conditioning(width, centre, unit)
        n_parts = 5 if self.has_branch and settings.fusion == "concat" else 4
        self.prediction = ContextMap(n_parts, width, settings.context_start)
        self.density = ContextMap(n_parts, width, settings.context_start)
        self.log_temperature = nn.Parameter(torch.tensor(float(np.log(settings.temperature))))
        # Buffers: a checkpoint ranks by the weights that were found for it.
        weights = [settings.ranking_mse_weight, settings.ranking_nce_weight]
        self.register_buffer("ranking_weights", torch.tensor(weights))
        self.register_buffer("ranking_scales", torch.ones(2))
        if self.has_branch:
            self._add_branch(width, n_features, n_training)

    @property
    def has_branch(self) -> bool:
        """Whether there is a resource-limited state."""
        return self.settings.resource_branch != "none"

    def _elapsed(self, seconds: Floats, first: Flags, n_training: int) -> ElapsedTime:
        scale = self.settings.elapsed_scale
        return ElapsedTime(seconds[:n_training], first[:n_training], scale)

    def _add_branch(self, width: int, n_features: int, n_training: int) -> None:
        stream, settings, gates = self.stream, self.settings, self.cell.n_gates
        self.elapsed_purchase = self._elapsed(
            stream.delta_purchase, stream.first_purchase, n_training
        )
        positive = settings.cell == "sigmoid"
        self.limited = Memory(stream.n_users, self.cell.n_parts * width, positive)
        self.limited_transition = nn.Parameter(torch.empty(width, gates * width))
        nn.init.xavier_uniform_(self.limited_transition)
        self.limited_projection = Projection(width)
        if settings.fusion == "concat":
            unit = settings.conditioning == "unit"
            self.limited_condition = Conditioning(width, 0.5 if positive else 0.0, unit)
        self.branch: SimplifiedBranch | FullBranch
        if settings.resource_branch == "simplified":
            self.branch = SimplifiedBranch(width, gates, stream.n_behaviours, n_features)
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

    # -- contexts and representations ------------------------------------------------------

    def contexts(self, unrolled: Unrolled, places: Integers | None = None) -> Tensor:
        """Contexts of a window's events from what lies before each, float [n, n_parts * d].

        Parameters
        ----------
        unrolled : Unrolled
        places : int64 [n], optional
            Places of events in the plan's order; all by default.
        """
        plan, stream, states = unrolled.plan, self.stream, unrolled.states
        places = np.arange(len(plan.events)) if places is None else places
        events, rows = plan.events[places], self._ids(places)
        elapsed = self.elapsed_user(stream.delta_user[events], stream.first_user[events])
        interest = self._hidden(states[plan.user_before[rows]])
        return torch.cat(
            [
                *self._fuse(self.user_projection(interest, elapsed), unrolled, places),
                self.static_user(self._ids(stream.user[events])),
                self.item_condition(self._hidden(states[plan.previous_item_before[rows]])),
                self.static_item(self._ids(stream.previous_item[events])),
            ],
            dim=1,
        )

    def _fuse(self, interest: Tensor, unrolled: Unrolled, places: Integers) -> list[Tensor]:
        """Make f of (11) of the projected general and limited states, conditioned."""
        if unrolled.limited is None or unrolled.purchases is None:
            return [self.user_condition(interest)]
        before = self._hidden(unrolled.limited[unrolled.purchases.before[self._ids(places)]])
        elapsed = self._elapsed_purchase(unrolled.plan.events[places])
        resources = self.limited_projection(before, elapsed)
        fusion = self.settings.fusion
        if fusion == "concat":
            return [self.user_condition(interest), self.limited_condition(resources)]
        fused = interest + resources if fusion == "sum" else interest * resources
        return [self.user_condition(fused)]

    def represent(self, states: Tensor, ids: Tensor) -> Tensor:
        """Representations [item state, static item], float [n, 2d], of items in some states."""
        hidden = self._hidden(states)
        return torch.cat([self.item_condition(hidden), self.static_item(ids)], dim=1)

    @property
    def inverse_temperature(self) -> Tensor:
        """Scale of the log density ratio, a positive scalar."""
        return torch.exp(-self.log_temperature)

    def query_parts(self, contexts: Tensor) -> Tensor:
        """Vectors whose products with :meth:`ranking_table` rows are the two parts of (24).

        The first gives minus the squared distance (11), the second log f1, both up to a
        constant of the row. :meth:`queries` joins them.

        Returns
        -------
        float [2, n, 2d + 1]
        """
        nearest = functional.pad(2 * self.prediction(contexts), (0, 1), value=-1.0)
        ratio = functional.pad(self.inverse_temperature * self.density(contexts), (0, 1))
        return torch.stack([nearest, ratio])

    def queries(self, parts: Tensor) -> Tensor:
        """Weigh both parts [2, n, 2d + 1] by alpha_m and alpha_n, float [n, 2d + 1]."""
        weights = (self.ranking_weights / self.ranking_scales).view(2, 1, 1)
        return (weights * parts).sum(dim=0)

    def set_ranking(self, weights: tuple[float, float], scales: tuple[float, float]) -> None:
        """Set alpha_m and alpha_n, and what the two parts are divided by."""
        self.ranking_weights.copy_(torch.tensor(weights))
        self.ranking_scales.copy_(torch.tensor(scales))

    def ranking_table(self, states: Tensor, ids: Tensor) -> Tensor:
        """Representations with their squared lengths, float [n, 2d + 1]."""
        items = self.represent(states, ids)
        return torch.cat([items, items.square().sum(dim=1, keepdim=True)], dim=1)

    def point(self, events: Integers, contexts: Tensor) -> Tensor:
        """Give what ranking needs beside queries, float [n, width]; nothing in the paper."""
        return contexts.new_zeros(len(contexts), 0)

    def complete(self, scores: Tensor, events: Integers, weights: Tensor) -> Tensor:
        """Add to scores of the catalogue, float [n, n_items], what is no inner product."""
        return scores

    def complete_one(
        self, scores: Tensor, events: Integers, items: Tensor, weights: Tensor
    ) -> Tensor:
        """Do the same for the score of one item a row, float [n]."""
        return scores

    # -- losses ----------------------------------------------------------------------------

    def loss(self, unrolled: Unrolled) -> Tensor:
        """Equation (22), summed over the window's events that have a history."""
        settings, plan = self.settings, unrolled.plan
        in_time = np.argsort(plan.events)
        learned = settings.first_events | (self.stream.history_length[plan.events] > 0)
        places = in_time[learned[in_time]]
        contexts = self.contexts(unrolled, places)
        positive_row = plan.item_before if settings.positive_state == "before" else plan.item_after
        ids = self._ids(self.stream.item[plan.events[places]])
        positive = self.represent(unrolled.states[positive_row[self._ids(places)]], ids)
        loss = contexts.new_zeros(())
        if settings.mse_weight:
            predicted = self.prediction(contexts)
            loss = loss + settings.mse_weight * prediction_loss(predicted, positive)
        if settings.nce_weight:
            ratio = self._contrastive(unrolled, places, contexts, positive, ids)
            loss = loss + settings.nce_weight * ratio
        return loss + self._drift(unrolled)

    def _contrastive(
        self, unrolled: Unrolled, places: Integers, contexts: Tensor, positive: Tensor, ids: Tensor
    ) -> Tensor:
        """Equations (13)-(19) with shared negatives in their states before each event."""
        plan = unrolled.plan
        queries = self.density(contexts) * self.inverse_temperature
        scores = (queries * positive).sum(dim=1)
        negatives = torch.randint(1, self.stream.n_items, (self.settings.n_negatives,))
        duplicate = ids.unsqueeze(1) == negatives.to(ids.device)
        when = plan.events[places] - plan.events.min()
        seen = item_versions(plan, when, negatives.numpy(), ROWS_A_CHUNK)
        versions = self._versions(unrolled, negatives, seen.keys)
        loss = contexts.new_zeros(())
        for chunk in seen.chunks:
            rows = slice(chunk.start, chunk.stop)
            others = queries[rows] @ versions[self._ids(chunk.table)].t()
            if len(chunk.table) > len(negatives):
                others = others.gather(1, self._ids(chunk.columns))
            loss = loss + contrastive_loss(scores[rows], others, duplicate[rows])
        return loss

    def _versions(self, unrolled: Unrolled, items: Tensor, keys: Integers) -> Tensor:
        """Represent items as the window found them, then their moves, float [n, 2d]."""
        plan = unrolled.plan
        found = items.to(self.transition.device)
        states = unrolled.states[self._ids(plan.item_key_rows[keys])]
        ids = self._ids(plan.item_keys[keys] // len(plan.events))
        return self.represent(torch.cat([self.items.read(found), states]), torch.cat([found, ids]))

    def _drift(self, unrolled: Unrolled) -> Tensor:
        settings, plan, states = self.settings, unrolled.plan, unrolled.states
        loss = states.new_zeros(())
        if settings.user_drift_weight:
            old, new = states[plan.user_before], states[plan.item_after - 1]
            change = drift_loss(self._hidden(new), self._hidden(old))
            loss = loss + settings.user_drift_weight * change
        if settings.item_drift_weight:
            old, new = states[plan.item_before], states[plan.item_after]
            change = drift_loss(self._hidden(new), self._hidden(old))
            loss = loss + settings.item_drift_weight * change
        return loss

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
