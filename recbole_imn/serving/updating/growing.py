"""The network of a log that has grown: the weights as they were, with rows for new ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from recbole_imn.model.network import Network
from recbole_imn.model.statics import StaticTable
from recbole_imn.model.terms.taste import Taste
from recbole_imn.serving.market import Market
from recbole_imn.serving.opening import load_weights, new_network


def grown_network(config: Mapping[str, Any], market: Market, n_training: int) -> Network:
    """Make a network that scores as a market's does, and has more ids that can learn.

    Parameters
    ----------
    config : mapping
        Settings of the checkpoint.
    market : Market
        With the events to learn from in its log.
    n_training : int
        Ids of the events before this position have rows of their own. New ones begin as what
        they were: the row that ids share which training never saw, and no taste of their own.

    Returns
    -------
    Network
        With scales as they were fitted, and no states.

    Raises
    ------
    CheckpointError
        If a part of the network has weights of ids that nobody knows how to begin.
    """
    network = new_network(config, market.snapshot, market.session.past, n_training)
    weights = dict(market.session.network.state_dict())
    for name, module in network.named_modules():
        if isinstance(module, StaticTable) and module.unseen is not None:
            unseen = weights[f"{name}.unseen"]
            _extend(weights, f"{name}.table.weight", len(module.table.weight), unseen)
        elif isinstance(module, Taste):
            table = f"{name}.users.weight"
            _extend(weights, table, len(module.users.weight), weights[table].new_zeros(()))
    unknown = "nobody knows how weights of new ids begin, so train anew"
    load_weights(network, weights, market.snapshot, unknown)
    return network


def _extend(weights: dict[str, Tensor], name: str, n_rows: int, row: Tensor) -> None:
    """Let a table have more rows, all of them alike."""
    old = weights[name]
    added = row.expand(max(n_rows - len(old), 0), old.shape[1])
    weights[name] = torch.cat([old, added.to(old)])
