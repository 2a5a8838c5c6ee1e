"""Trivial baselines: show the user's own recent items, then popular ones. Nothing is learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.utils import InputType
from torch import Tensor, nn

from recbole_imn.log import Ids, Integers
from recbole_imn.model.rows import event_indices
from recbole_imn.past import Past
from recbole_imn.rank_metrics import RankMetric


def popularity(items: Ids, n_items: int) -> Tensor:
    """Give scores below 1 in order of the number of events, float32 [n_items].

    Parameters
    ----------
    items : int [n_events]
    n_items : int
    """
    counts = np.bincount(items, minlength=n_items)
    order = np.argsort(-counts, kind="stable")
    scores = np.empty(n_items, np.float32)
    scores[order] = 1 - (1 + np.arange(n_items)) / (1 + n_items)
    return torch.from_numpy(scores)


def recent_first(past: Past, events: Integers, popular: Tensor, n_recent: int) -> Tensor:
    """Score the whole catalogue before events: the user's own items by recency, then others.

    Parameters
    ----------
    past : Past
    events : int64 [n]
    popular : float32 [n_items]
        Scores below 1 of all items.
    n_recent : int
        How many of the user's latest events count.

    Returns
    -------
    float32 [n, n_items]
        Own items have 1 to 2.
    """
    latest = past.histories(past.chains.user[events], n_recent)
    known = np.where(latest >= 0, past.log.item[latest], 0)
    items = torch.from_numpy(known.astype(np.int64))
    # Newest first, and an item counts at its latest place.
    n_kept = np.minimum((latest >= 0).sum(axis=1, keepdims=True), n_recent)
    places = torch.from_numpy(n_kept) - torch.arange(n_recent)
    recency = 1 + places / max(n_recent, 1)
    scores: Tensor = popular.expand(len(events), -1).clone()
    recency = recency.to(scores.dtype).to(scores.device)
    scores.scatter_reduce_(1, items.to(scores.device), recency, "amax")
    return scores


class RecentHistory(SequentialRecommender):  # type: ignore[misc]  # RecBole is untyped
    """Rank the user's own past items, newest first, then all others by popularity.

    Own items score 1 to 2 by their recency, others below 1 by their number of training
    events; equal counts keep the order of ids, so that there are no ties.

    Parameters
    ----------
    config : recbole.config.Config
        ``recent_events``: how many of the user's latest events count.
    dataset : IMNNetDataset
    """

    input_type = InputType.POINTWISE
    # Whether anything is chosen on validation rows.
    chooses = False
    popularity: Tensor

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        self.past = dataset.past
        self.recent_events = config["recent_events"]
        self.register_buffer("popularity", self._popularity(dataset.event_bounds[1]))
        # RecBole's trainer needs something to train.
        self.nothing = nn.Parameter(torch.zeros(1))

    def _popularity(self, n_training: int) -> Tensor:
        """Give scores below 1 in order of training events, float32 [n_items]."""
        return popularity(self.past.log.item[:n_training], self.n_items)

    def learn(self) -> None:
        """Learn from the training part, all at once; nothing, unless a subclass does."""

    def choose(self, events: Integers, metric: RankMetric) -> str:
        """Choose by validation rows what is not learned, where :attr:`chooses` says so.

        Parameters
        ----------
        events : int64 [n]
            The rows' positions in the log.
        metric : RankMetric
            What is to be large.

        Returns
        -------
        str
            What was chosen, for the log of the run.
        """
        raise NotImplementedError

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Give 0."""
        loss: Tensor = self.nothing.sum()
        return loss

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the whole catalogue for each row, float32 [n, n_items]."""
        events = event_indices(interaction)
        return recent_first(self.past, events, self.popularity, self.recent_events)

    def predict(self, interaction: Interaction) -> Tensor:
        """Score one item a row, float32 [n]."""
        scores = self.full_sort_predict(interaction)
        items: Tensor = interaction[self.ITEM_ID].reshape(-1, 1)
        return scores.gather(1, items).squeeze(1)


class LastItem(RecentHistory):
    """Rank the user's previous item first, then all others by popularity.

    The same with ``recent_events: 1`` in its property file.
    """


class Popularity(RecentHistory):
    """Rank all items by their number of training events, whoever the user is.

    The same with ``recent_events: 0`` in its property file. RecBole's own Pop is no
    sequential model and cannot be asked about the rows of a stream.
    """
