"""A session made of a checkpoint, at the end of the log that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recbole_imn.checkpoints.loading import check_settings, load_checkpoint, misfit
from recbole_imn.errors import CheckpointError, named_line
from recbole_imn.model.build import build_network
from recbole_imn.model.network import Network
from recbole_imn.model.parts import Making
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.past import Past
from recbole_imn.serving.snapshot import Snapshot, snapshot_of
from recbole_imn.session import Session

# What a RecBole model calls its network.
PREFIX = "network."
# Where a taste keeps the features that it was fitted on, each column sorted.
REFERENCE = "products.taste.reference"


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
        _recall_fitted_features(snapshot, own_weights(checkpoint["state_dict"]))
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
        reason = named_line(error)
        raise CheckpointError(f"{file} cannot be used: {reason}") from error
    return session


def require_openable(part: Path, path: Any) -> None:
    """Open a file that is to take another one's place, and let it go again.

    Parameters
    ----------
    part : Path
        What was written.
    path : path
        Whose place it is to take; named in messages.

    Raises
    ------
    CheckpointError
        If that cannot be.
    """
    try:
        checkpoint = load_checkpoint(part)
        open_session(checkpoint, snapshot_of(checkpoint, part), part)
    except CheckpointError as error:
        reason = str(error).replace(str(part), "it")
        raise CheckpointError(
            f"{path} was not written, since it could not be opened again ({reason}); what was "
            "there stays"
        ) from error


def make_network(checkpoint: Mapping[str, Any], snapshot: Snapshot, past: Past) -> Network:
    """Make a network of the checkpoint's settings, with its weights.

    Raises
    ------
    CheckpointError
        If the weights are of another one.
    """
    network = new_network(checkpoint["config"]["final"], snapshot, past, snapshot.n_training)
    load_weights(
        network,
        own_weights(checkpoint["state_dict"]),
        snapshot,
        "the weights are of another network than the settings",
    )
    return network


def _recall_fitted_features(snapshot: Snapshot, weights: Mapping[str, Tensor]) -> None:
    """Find what scales were fitted on in files that did not keep it when items were told of.

    Tastes keep it column by column, and column by column it is all that scales depend on.
    """
    kept = weights.get(REFERENCE)
    if snapshot.fitted_features is not None or kept is None:
        return
    present = snapshot.item_features[snapshot.fitted_items]
    if present.shape == kept.shape and not torch.equal(present.sort(dim=0).values, kept):
        snapshot.fitted_features = kept.to(present)


def new_network(
    config: Mapping[str, Any], snapshot: Snapshot, past: Past, n_training: int
) -> Network:
    """Make a network of settings, with weights that are to be overwritten.

    It is made of items as they were when scales were fitted, whatever has been told since.

    Parameters
    ----------
    config : mapping
    snapshot : Snapshot
        With the features of items, and the events that scales were fitted on.
    past : Past
    n_training : int
        Ids of the events before this position have rows of their own.
    """
    making = Making(
        NetworkSettings.from_mapping(config),
        past.beginning(),
        n_training,
        snapshot.features_as_fitted(),
        snapshot.fitted,
        snapshot.feature_maps["item_features"].owners,
        weights_follow=True,
    )
    # What is drawn here is overwritten, and nobody else's draws may move.
    with torch.random.fork_rng(devices=[]):
        return build_network(making)


def load_weights(
    network: Network, weights: Mapping[str, Tensor], snapshot: Snapshot, complaint: str
) -> None:
    """Give a network of :func:`new_network` its weights, and let it score items as they are.

    Parameters
    ----------
    network : Network
    weights : mapping of str to Tensor
    snapshot : Snapshot
        That the network was made of.
    complaint : str

    Raises
    ------
    CheckpointError
        The complaint, and what does not fit, if the weights are of another network.
    """
    wrong = misfit(network.state_dict(), weights)
    if wrong:
        raise CheckpointError(f"{complaint}: {wrong}")
    network.load_state_dict(weights)
    if snapshot.fitted_features is not None:
        log = snapshot.log
        network.grow(log.n_users, log.n_items, snapshot.item_features)
    network.eval()


def own_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the weights of the network among those of a RecBole model."""
    return {name.removeprefix(PREFIX): weight for name, weight in state.items()}


def recbole_weights(network: Network) -> dict[str, Tensor]:
    """Give a network's weights by the names that they have in a RecBole model."""
    return {f"{PREFIX}{name}": weight for name, weight in network.state_dict().items()}
