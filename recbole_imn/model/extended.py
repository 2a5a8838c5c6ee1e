"""What goes beyond the paper: a density ratio that points to the past and knows the shelf."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recbole_imn.model.freshness import Freshness
from recbole_imn.model.mixture import mix, mixture_loss
from recbole_imn.model.negatives import draw_negatives
from recbole_imn.model.network import ROWS_A_CHUNK, InterestBehaviourNetwork
from recbole_imn.model.pointer import Pointer, log_time
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.states import Unrolled
from recbole_imn.model.taste import Taste
from recbole_imn.stream.candidates import CandidateIndex, SlotLayout, repeat_rates
from recbole_imn.stream.events import EventStream, Integers
from recbole_imn.stream.versions import item_versions


class ExtendedNetwork(InterestBehaviourNetwork):
    r"""IMN-Net with a mixture as density ratio.

    .. math::
        p(x \mid c) \propto f_1(x, c) \, g(x, t) \, e^{\psi(x)^\top v(u, t)}
        + \sum_{s: x_s = x} e^{w_s(c)}

    f_1 is the paper's density ratio (13); g is the item's freshness; psi are the item's
    features and v the user's taste; the sum is over candidates from the past
    (:mod:`recbole_imn.stream.candidates`) with learned weights. Each part has a switch in
    the settings. The loss is the negative log probability, with sampled negatives for the
    first part, each standing for its share of the catalogue.

    Parameters
    ----------
    stream, n_training, settings, item_features, inventory
        As of :class:`~recbole_imn.model.network.InterestBehaviourNetwork`.
    """

    def __init__(
        self,
        stream: EventStream,
        n_training: int,
        settings: NetworkSettings,
        item_features: Tensor | None = None,
        inventory: npt.NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(stream, n_training, settings, item_features, inventory)
        if settings.pointer:
            layout = SlotLayout(neighbours=settings.pointer_neighbours)
            self.index = CandidateIndex(stream, layout)
            self.repeat_rates = repeat_rates(stream)
            self.pointer = Pointer(layout, stream.n_behaviours, self.density.linear.in_features)
        if settings.freshness:
            self.freshness = Freshness(stream, n_training)
        self.taste = None
        if settings.taste and self.item_features.shape[1]:
            self.taste = Taste(stream, self.item_features, n_training)

    # -- ranking ---------------------------------------------------------------------------

    def query_parts(self, events: Integers, contexts: Tensor) -> Tensor:
        """Add the taste to the second part, for the features in :meth:`ranking_table`."""
        parts = super().query_parts(events, contexts)
        if self.taste is None:
            return parts
        taste = self.taste(events)
        return torch.cat([parts, torch.stack([torch.zeros_like(taste), taste])], dim=2)

    def ranking_table(self, states: Tensor, ids: Tensor) -> Tensor:
        """Add descriptions of items by their features, float [n, 2d + 1 + n_columns]."""
        table = super().ranking_table(states, ids)
        if self.taste is None:
            return table
        return torch.cat([table, self.taste.descriptions[ids]], dim=1)

    def point(self, events: Integers, contexts: Tensor) -> Tensor:
        """Give log weights of the candidates of events, float [n, n_slots]."""
        return self._candidates(events, contexts)[1]

    def _candidates(self, events: Integers, contexts: Tensor) -> tuple[Tensor, Tensor]:
        """Give candidates and their log weights, both [n, n_slots]."""
        if not self.settings.pointer:
            weights = contexts.new_zeros(len(contexts), 0)
            return weights.long(), weights
        candidates = self.index.candidates(events)
        behaviours = np.where(candidates.sources >= 0, self.stream.behaviour[candidates.sources], 0)
        user = torch.from_numpy(_user_numbers(self.stream, self.repeat_rates, events))
        weights = self.pointer(
            candidates, self._ids(behaviours), user.to(contexts.device), contexts
        )
        return self._ids(candidates.items), weights

    def complete(self, scores: Tensor, events: Integers, weights: Tensor) -> Tensor:
        """Add freshness and pointer to log density ratios of the catalogue, in place."""
        if self.settings.freshness:
            self.freshness.add_to(scores, events)
        if self.settings.pointer:
            mix(scores, self._ids(self.index.candidates(events).items), weights)
        return scores

    def complete_one(
        self, scores: Tensor, events: Integers, items: Tensor, weights: Tensor
    ) -> Tensor:
        """Do the same for the score of one item a row, float [n]."""
        if self.settings.freshness:
            scores = scores + self.freshness.of_items(events, items.cpu().numpy())
        if self.settings.pointer:
            candidates = self._ids(self.index.candidates(events).items)
            hits = candidates == items.unsqueeze(1)
            hit_weights = weights.masked_fill(~hits, -torch.inf).logsumexp(dim=1)
            scores = torch.logaddexp(scores, hit_weights)
        return scores

    # -- loss ------------------------------------------------------------------------------

    def _contrastive(
        self, unrolled: Unrolled, places: Integers, contexts: Tensor, positive: Tensor, ids: Tensor
    ) -> Tensor:
        """Sum of the negative log probabilities of the events' items."""
        events = unrolled.plan.events[places]
        queries = self.density(contexts) * self.inverse_temperature
        taste = None if self.taste is None else (self.taste(events), self.taste.descriptions)
        scores = (queries * positive).sum(dim=1)
        if self.settings.freshness:
            latest = self.stream.last_item_event[events]
            scores = scores + self.freshness.of_latest(latest, events)
        if taste is not None:
            wanted, descriptions = taste
            scores = scores + (wanted * descriptions[ids]).sum(dim=1)
        items, weights = self._candidates(events, contexts)
        hits = items == ids.unsqueeze(1)
        loss = contexts.new_zeros(())
        for rows, others in self._others(unrolled, events, queries, taste, ids):
            loss = loss + mixture_loss(scores[rows], others, weights[rows], hits[rows])
        return loss

    def _others(
        self,
        unrolled: Unrolled,
        events: Integers,
        queries: Tensor,
        taste: tuple[Tensor, Tensor] | None,
        ids: Tensor,
    ) -> Iterator[tuple[slice, Tensor]]:
        """Give, chunk by chunk, rows and the log ratios of negatives, each with its share."""
        plan, settings, start = unrolled.plan, self.settings, int(unrolled.plan.events.min())
        drawn = draw_negatives(
            self.stream, start, settings.n_active_negatives, settings.n_negatives
        )
        negatives, shares = drawn.items.numpy(), drawn.log_shares.to(ids.device)
        duplicate = ids.unsqueeze(1) == drawn.items.to(ids.device)
        seen = item_versions(plan, events - start, negatives, ROWS_A_CHUNK)
        if settings.freshness:
            moved = start + plan.item_keys[seen.keys] % len(plan.events)
            latest = np.concatenate([self.freshness.clock.latest(start)[negatives], moved])
        if taste is not None:
            wanted, described = taste[0], taste[1][self._ids(negatives)].t()
        for chunk, others in self._negative_scores(unrolled, queries, drawn.items, seen):
            rows = slice(chunk.start, chunk.stop)
            others = others + shares
            if taste is not None:
                others = others + wanted[rows] @ described
            if settings.freshness:
                last = latest[chunk.table][chunk.columns]
                others = others + self.freshness.of_latest(last, events[rows])
            yield rows, others.masked_fill(duplicate[rows], -torch.inf)


def _user_numbers(
    stream: EventStream, rates: npt.NDArray[np.float32], events: Integers
) -> npt.NDArray[np.float32]:
    """Give what the pointer's gates see of the user before events, float32 [n, 3]."""
    columns = [
        np.log(rates[events]),
        np.log1p(stream.history_length[events]) / 5,
        log_time(stream.delta_user[events]),
    ]
    return np.stack(columns, axis=1).astype(np.float32)
