"""IMN-Net as a RecBole sequential recommender."""

from __future__ import annotations

from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.utils import InputType
from torch import Tensor

from recbole_imn.model.network import InterestBehaviourNetwork
from recbole_imn.model.online import OnlineUpdates
from recbole_imn.model.playback import Playback, Segment
from recbole_imn.model.rows import event_indices
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.stream.events import Integers


class IMNNet(SequentialRecommender):  # type: ignore[misc]  # RecBole is untyped
    r"""Interest-Behaviour Multiplicative Network (arXiv 2009.13249).

    A general user state and an item state, mutually recursive over one global stream of
    events; a resource-limited user state that only purchases change; a prediction of the
    next item and a contrastive density ratio, ranked jointly:

    .. math::
        s_{ui} = -\alpha_m \lVert \tilde{j} - x_i(t) \rVert^2 + \alpha_n x_i(t)^\top W c_u(t)

    States are no parameters. Training moves them window by window; scores come from a
    replay of the log up to each row's own time with the weights being judged.

    Parameters
    ----------
    config : recbole.config.Config
        Options as in :class:`~recbole_imn.model.settings.NetworkSettings`.
    dataset : IMNNetDataset
        Rows with the field ``event_index``, and the stream.
    """

    input_type = InputType.POINTWISE
    network_class = InterestBehaviourNetwork

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        settings = NetworkSettings.from_mapping(config.final_config_dict)
        self.rows_per_loss = config["train_batch_size"]
        self.ranking_chunk = config["ranking_chunk_size"]

        # define layers and loss
        self.network = self.network_class(
            dataset.stream,
            dataset.event_bounds[1],
            settings,
            dataset.item_features,
            dataset.inventory,
        )
        online = None
        if config["online_updates"]:
            online = OnlineUpdates(self.network, config["learning_rate"], config["seed"])
        self.playback = Playback(self.network, dataset.event_bounds, online, self.rows_per_loss)

    def calculate_loss(self, interaction: Interaction) -> Tensor:
        """Give the loss of a window of consecutive events, an event's share of a full batch.

        Parameters
        ----------
        interaction : Interaction
            Field ``event_index``, int64 [n]: consecutive events.

        Returns
        -------
        float []

        Raises
        ------
        ValueError
            If the events are not consecutive.
        """
        events = event_indices(interaction)
        start, stop = int(events[0]), int(events[-1]) + 1
        if stop - start != len(events) or (events[1:] <= events[:-1]).any():
            raise ValueError(
                f"a training batch must be consecutive events, got {len(events)} events from "
                f"{events.min()} to {events.max()}: its rows come from a loader that leaves events "
                "out or shuffles them; let RecBole's data_preparation make the loaders, for a "
                "class of your own after recbole_imn.register_model(CLASS)"
            )
        loss: Tensor = self.playback.train_window(start, stop) / self.rows_per_loss
        return loss

    @torch.no_grad()
    def predict(self, interaction: Interaction) -> Tensor:
        """Score one item a row, at the row's own time, float [n]."""
        segment, events, places = self._locate(interaction)
        items = interaction[self.ITEM_ID]
        queries = self.network.queries(segment.query_parts[:, places])
        scores = segment.timeline.score(queries, events, items)
        return self.network.complete_one(scores, events, items, segment.weights[places])

    @torch.no_grad()
    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the whole catalogue for each row, at the row's own time, float [n, n_items]."""
        segment, events, places = self._locate(interaction)
        queries = self.network.queries(segment.query_parts[:, places])
        scores = segment.timeline.score_all(queries, events, self.ranking_chunk)
        return self.network.complete(scores, events, segment.weights[places])

    def _locate(self, interaction: Interaction) -> tuple[Segment, Integers, Tensor]:
        """Give the replayed segment of rows in any order, their events and places in it."""
        events = event_indices(interaction)
        segment = self.playback.segment(events)
        places = torch.from_numpy(events - segment.start).to(segment.query_parts.device)
        return segment, events, places
