"""IMN-Net as a RecBole sequential recommender."""

from __future__ import annotations

from typing import Any

import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.utils import InputType
from torch import Tensor

from recbole_imn.model.build import build_network
from recbole_imn.model.parts import Making
from recbole_imn.model.rows import event_indices
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.session import Session
from recbole_imn.session.online import OnlineReplay


class IMNNet(SequentialRecommender):  # type: ignore[misc]  # RecBole is untyped
    r"""Interest-Behaviour Multiplicative Network (arXiv 2009.13249).

    A general user state and an item state, mutually recursive over one global log of
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
        Rows with the field ``event_index``, and the past.

    Attributes
    ----------
    session : Session
        The network and the log, at one position.
    learns_online : bool
        Whether weights go on learning during an evaluation.
    """

    input_type = InputType.POINTWISE

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        settings = NetworkSettings.from_mapping(config.final_config_dict)
        self.rows_per_loss = config["train_batch_size"]
        self.ranking_chunk = config["ranking_chunk_size"]
        bounds = dataset.event_bounds
        # Beside the weights in checkpoints: of what columns they learned.
        self.feature_maps = {key: m.to_values() for key, m in dataset.feature_maps.items()}
        self.other_parameter_name = ["feature_maps"]

        # define layers and loss
        past = dataset.new_past()
        fields = dataset.feature_maps["item_features"].owners
        making = Making(settings, past, bounds[1], dataset.item_features, item_fields=fields)
        self.network = build_network(making)
        options: dict[str, Any] = {}
        self.learns_online = bool(config["online_updates"])
        if self.learns_online:
            options["replay"] = OnlineReplay(
                self.network, bounds, config["learning_rate"], self.rows_per_loss, config["seed"]
            )
        self.session = Session(self.network, past, bounds[1], config["seed"], **options)

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
        loss: Tensor = self.session.train(start, stop) / self.rows_per_loss
        return loss

    @torch.no_grad()
    def predict(self, interaction: Interaction) -> Tensor:
        """Score one item a row, at the row's own time, float [n]."""
        events, items = event_indices(interaction), interaction[self.ITEM_ID]
        return self.session.score_before(events, items, self.ranking_chunk)

    @torch.no_grad()
    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the whole catalogue for each row, at the row's own time, float [n, n_items]."""
        return self.session.scores_before(event_indices(interaction), self.ranking_chunk)
