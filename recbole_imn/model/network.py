"""The interest-behaviour multiplicative network over an event stream, without RecBole.

Equation numbers are those of the IMN-Net paper (arXiv 2009.13249).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from recbole_imn.model.layers import Conditioning, ContextMap, Gate
from recbole_imn.model.losses import contrastive_loss, drift_loss, prediction_loss
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.states import RecursiveStates, Unrolled
from recbole_imn.stream import EventStream
from recbole_imn.stream.events import Integers
from recbole_imn.stream.versions import ItemVersions, VersionChunk, item_versions

# Rows that are compared with negatives at a time; few items move meanwhile.
ROWS_A_CHUNK = 256


class InterestBehaviourNetwork(RecursiveStates):
    """IMN-Net: the recursive states, and two ways to rank items by them.

    Parameters
    ----------
    stream, n_training, settings, item_features, inventory
        As of :class:`~recbole_imn.model.states.RecursiveStates`.
    """

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
        super().__init__(stream, n_training, settings, item_features, inventory)
        width = settings.embedding_size
        centre = 0.5 if settings.cell == "sigmoid" else 0.0
        unit = settings.conditioning == "unit"
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
            self._add_branch(n_training)
            if settings.fusion == "concat":
                self.limited_condition = Conditioning(width, centre, unit)
            if settings.fusion == "gate":
                self.fusion_gate = Gate(width)

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
        if fusion == "gate":
            return [self.user_condition(self.fusion_gate(interest, resources))]
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

    def query_parts(self, events: Integers, contexts: Tensor) -> Tensor:
        """Vectors whose products with :meth:`ranking_table` rows are the two parts of (24).

        The first gives minus the squared distance (11), the second log f1, both up to a
        constant of the row. :meth:`queries` joins them.

        Returns
        -------
        float [2, n, width]
            The width is 2d + 1 here.
        """
        nearest = functional.pad(2 * self.prediction(contexts), (0, 1), value=-1.0)
        ratio = functional.pad(self.inverse_temperature * self.density(contexts), (0, 1))
        return torch.stack([nearest, ratio])

    def queries(self, parts: Tensor) -> Tensor:
        """Weigh both parts [2, n, width] by alpha_m and alpha_n, float [n, width]."""
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
        loss = contexts.new_zeros(())
        for chunk, others in self._negative_scores(unrolled, queries, negatives, seen):
            rows = slice(chunk.start, chunk.stop)
            loss = loss + contrastive_loss(scores[rows], others, duplicate[rows])
        return loss

    def _negative_scores(
        self, unrolled: Unrolled, queries: Tensor, negatives: Tensor, seen: ItemVersions
    ) -> Iterator[tuple[VersionChunk, Tensor]]:
        """Give, for each chunk of rows, the scores of the versions that they see."""
        versions = self._versions(unrolled, negatives, seen.keys)
        for chunk in seen.chunks:
            others = queries[chunk.start : chunk.stop] @ versions[self._ids(chunk.table)].t()
            if len(chunk.table) > len(negatives):
                others = others.gather(1, self._ids(chunk.columns))
            yield chunk, others

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
