"""Sessions of the toy log, cut and copied for the tests of this folder."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch

from recbole_imn.log import EventLog
from recbole_imn.past import Past
from recbole_imn.session import Session
from recbole_imn.stream.plan import windows
from tests.conftest import PRICED

COLUMNS = ("user", "item", "time", "behaviour", "purchase", "features", "inventory")
FULL_BRANCH = {"resource_branch": "full", "inventory_features": ["behavior"]}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("IMNNet", {}),
    ("IMN_MSE", {}),
    ("IMN_NCE", {}),
    ("IMNNetStar", {}),
    ("IMNNetLiteral", {}),
    ("IMNNet", {"cell": "self_attention", "negatives": "in_batch"}),
    ("IMNNet", {"distance": "euclidean", "negatives": "row", "event_input": "previous"}),
    ("JODIE", {"first_events": True}),
    ("IMNNetPlus", {"attended_events": 5, "first_events": True}),
    ("IMNNetPlus", {**PRICED, "resource_branch": "simplified"}),
    ("IMNNetPlus", {**PRICED, "sources": ["successors", "predecessors"], "id_dropout": 0.2}),
    ("IMNNet", {**FULL_BRANCH, "fusion": "concat", "cell": "lstm"}),
    ("IMNNet", {**FULL_BRANCH, "fusion": "gate", "cell": "tanh", "purchase_reach": 0}),
    ("IMNNet", {"fusion": "product", "cell": "gru", "elapsed_scale": "linear"}),
]


def columns(log: EventLog, start: int, stop: int) -> dict[str, Any]:
    """Columns of some events of a log."""
    return {name: getattr(log, name)[start:stop] for name in COLUMNS}


def log_of(found: dict[str, Any], like: EventLog) -> EventLog:
    """A log of columns, with the id spaces of another."""
    return EventLog.from_columns(
        **found, n_users=like.n_users, n_items=like.n_items, n_behaviours=like.n_behaviours
    )


def log_until(log: EventLog, stop: int) -> EventLog:
    """The first events of a log, as a log of their own."""
    return log_of(columns(log, 0, stop), log)


def with_other_future(log: EventLog, k: int, seed: int = 1) -> EventLog:
    """The log with what event k is, but for its user and time, and all after it replaced."""
    rng = np.random.default_rng(seed)
    found = {name: values.copy() for name, values in columns(log, 0, len(log)).items()}
    n = len(log) - k
    found["item"][k:] = rng.integers(1, log.n_items, n)
    found["behaviour"][k:] = rng.integers(1, log.n_behaviours, n)
    found["purchase"][k:] = rng.random(n) < 0.5
    found["user"][k + 1 :] = rng.integers(1, log.n_users, n - 1)
    found["time"][k + 1 :] = found["time"][k] + np.cumsum(rng.random(n - 1))
    found["inventory"][k:] += 1
    return log_of(found, log)


def dataset_of(dataset: Any, log: EventLog) -> Any:
    """The data set, of another log."""
    other = copy.copy(dataset)
    other.log, other.past = log, Past(log)
    other.past.move_to(len(log))
    other.event_bounds = (*dataset.event_bounds[:3], len(log))
    return other


def session_on(log: EventLog, like: Session, **options: Any) -> Session:
    """A session of another log with a copy of a session's network, states forgotten."""
    network = copy.deepcopy(like.network)
    network.reset()
    return Session(network, Past(log), min(like.n_training, len(log)), like.seed, **options)


def learn(session: Session, size: int = 32, rate: float = 0.02, epochs: int = 1) -> list[float]:
    """Train by plain steps; give the losses of windows."""
    losses, weights = [], list(session.network.parameters())
    for _ in range(epochs):
        for start, stop in windows(0, session.n_training, size):
            losses.append(step(session, weights, start, stop, rate))
    return losses


def step(session: Session, weights: list[Any], start: int, stop: int, rate: float) -> float:
    """Train on one window."""
    for weight in weights:
        weight.grad = None
    loss = session.train(start, stop) / (stop - start)
    loss.backward()
    with torch.no_grad():
        for weight in weights:
            if weight.grad is not None:
                weight -= rate * weight.grad.to_dense()
    return float(loss.detach())


def ranks(scores: torch.Tensor, items: Any) -> list[int]:
    """Items of each row that are ranked above the row's own."""
    own = scores.gather(1, torch.as_tensor(np.asarray(items, np.int64))[:, None])
    return (scores > own).sum(dim=1).tolist()
