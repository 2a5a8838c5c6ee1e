"""A session made of a checkpoint, at the end of the log that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from recbole_imn.checkpoints.loading import check_settings, misfit
from recbole_imn.errors import CheckpointError
from recbole_imn.model.build import build_network
from recbole_imn.model.network import Network
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.past import Past
from recbole_imn.serving.snapshot import Snapshot
from recbole_imn.session import Session

# What a RecBole model calls its network.
PREFIX = "network."


def open_session(checkpoint: Mapping[str, Any], snapshot: Snapshot, file: Any) -> Session:
    """Make the session of a checkpoint.

    Parameters
    ----------
    checkpoint : mapping
        From :func:`~recbole_imn.checkpoints.load_checkpoint`.
    snapshot : Snapshot
        Its own, with memories.
    file : path
        Named in messages.

    Returns
    -------
    Session
        With the states at the log's end.

    Raises
    ------
    CheckpointError
        If settings, weights and states do not fit together.
    """
    check_settings(str(file), checkpoint["config"])
    past = Past(snapshot.log)
    try:
        network = make_network(checkpoint, snapshot, past)
        session = Session(network, past, snapshot.n_training)
        session.frozen = True
        if snapshot.memories is not None:
            past.move_to(len(past.log))
            state = {"position": len(past.log), "passes": 0, "memories": snapshot.memories}
            session.load_state(state)
            session.same_weights()
        # From the beginning, where nobody has kept the states.
        session.seek(len(past.log))
    except CheckpointError:
        raise
    except Exception as error:  # a file of anybody may hold anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise CheckpointError(f"{file} cannot be used: {reason}") from error
    return session


def make_network(checkpoint: Mapping[str, Any], snapshot: Snapshot, past: Past) -> Network:
    """Make a network of the checkpoint's settings, with its weights.

    Raises
    ------
    CheckpointError
        If the weights are of another one.
    """
    settings = NetworkSettings.from_mapping(checkpoint["config"]["final"])
    making = Making(
        settings,
        past.beginning(),
        snapshot.n_training,
        snapshot.item_features,
        snapshot.n_fitted,
        snapshot.feature_maps["item_features"].owners,
    )
    # What is drawn here is overwritten, and nobody else's draws may move.
    with torch.random.fork_rng(devices=[]):
        network = build_network(making)
    weights = own_weights(checkpoint["state_dict"])
    wrong = misfit(network.state_dict(), weights)
    if wrong:
        raise CheckpointError(f"the weights are of another network than the settings: {wrong}")
    network.load_state_dict(weights)
    network.eval()
    return network


def own_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the weights of the network among those of a RecBole model."""
    return {name.removeprefix(PREFIX): weight for name, weight in state.items()}


def recbole_weights(network: Network) -> dict[str, Tensor]:
    """Give a network's weights by the names that they have in a RecBole model."""
    return {f"{PREFIX}{name}": weight for name, weight in network.state_dict().items()}
