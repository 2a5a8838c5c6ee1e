"""What would be, had the last purchases of a user not happened."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from recbole_imn.errors import CounterfactualError
from recbole_imn.log import EventLog, Integers
from recbole_imn.model.network import Network
from recbole_imn.past import Past
from recbole_imn.session.session import Session

# One to two seconds of replay on one core.
MOST_EVENTS = 200_000
COLUMNS = ("user", "item", "time", "behaviour", "purchase", "features", "inventory")


@dataclass(frozen=True)
class Anchor:
    """States of a session at a position of its log, from where others may begin.

    Takes as many bytes as all states do. What happens to the session later does not change it.

    Attributes
    ----------
    position : int
        Number of events before it.
    memories : tuple of dict of str to Tensor
    lineage : object
        Of the session that made them, by the weights that it had.
    """

    position: int
    memories: tuple[dict[str, Any], ...]
    lineage: object


@dataclass(frozen=True)
class Counterfactual:
    """Scores as they would be.

    Attributes
    ----------
    scores : float [n_items]
    events : int64 [n]
        Events of the log that are taken away, oldest first.
    replayed : int
        How many events were replayed for it.
    """

    scores: Tensor
    events: Integers
    replayed: int


def keep_anchor(session: Session) -> Anchor:
    """Copy the states of a session as they are, to begin from later.

    Raises
    ------
    CounterfactualError
        If no states are there that its present weights have made.
    """
    with session.lock.reading():
        lineage = session.lineage
        if lineage is None:
            raise CounterfactualError(
                "the session has no states of its present weights; ask it for scores, or seek a "
                "position, before an anchor is kept"
            )
        memories = tuple(memory.state() for memory in session.network.memories())
        return Anchor(session.position, memories, lineage)


def without_purchases(
    session: Session,
    user: int,
    n: int = 1,
    at: float | None = None,
    anchors: Sequence[Anchor] = (),
    most_events: int = MOST_EVENTS,
) -> Counterfactual:
    """Score the catalogue as if a user's last purchases had not happened.

    All other events of everybody have happened as they did; states, candidates and terms are
    what the present weights make of such a log, bit for bit, with the features that items have
    now. The session itself stays as it is.

    Parameters
    ----------
    session : Session
    user : int
    n : int
        How many of the user's last purchases.
    at : float, optional
        Seconds; by default, and at the earliest, the time of the last event of the log as it
        is.
    anchors : sequence of Anchor
        Of this session. The replay begins at the latest one before the first of the purchases,
        else at the log's beginning.
    most_events : int
        Events to be replayed, at most.

    Raises
    ------
    CounterfactualError
        If the user has not purchased so often, or too many events would have to be replayed.
    """
    events = last_purchases(session, user, n)
    last = float(session.past.log.time[-1])
    fork = without_events(session, events, anchors, most_events)
    start = fork.position
    scores = fork.scores(fork.query([user], [last if at is None else max(at, last)]))[0]
    return Counterfactual(scores, events, len(fork.past.log) - start)


def last_purchases(session: Session, user: int, n: int) -> Integers:
    """Give the last purchases of a user, oldest first, int64 [n].

    Raises
    ------
    CounterfactualError
        If there are fewer.
    """
    if n < 1:
        raise CounterfactualError(f"{n} purchases are to be taken away; it must be 1 or more")
    known = latest_purchases(session, user, n)
    if len(known) < n:
        raise CounterfactualError(
            f"user {user} has {len(known)} purchases in the log, so {n} cannot be taken away"
        )
    return known


def latest_purchases(session: Session, user: int, n: int) -> Integers:
    """Give up to n last purchases of a user, oldest first, int64 [n or fewer]."""
    with session.lock.reading():
        whole = _whole(session)
        found = whole.purchases(whole.look([user], [0.0]).purchase, n)[0]
    known: Integers = found[found >= 0][::-1].copy()
    return known


def has_events(session: Session, user: int) -> tuple[bool, bool]:
    """Say whether the log has any event of a user, and any purchase."""
    with session.lock.reading():
        facts = _whole(session).look([user], [0.0])
    return bool(facts.latest[0] >= 0), bool(facts.purchase[0] >= 0)


def without_events(
    session: Session,
    events: Integers,
    anchors: Sequence[Anchor] = (),
    most_events: int = MOST_EVENTS,
) -> Session:
    """Give a session of its own, of a log that lacks some events of another's.

    It shares the weights, and has memories, a log and a past of its own. Its states are those
    of the anchor that it begins from; the rest is replayed when it is asked for scores.

    Parameters
    ----------
    session : Session
    events : int64 [n]
        Positions in its log.
    anchors, most_events
        As of :func:`without_purchases`.

    Raises
    ------
    CounterfactualError
        If too many events would have to be replayed.
    """
    if session.lineage is None:
        # Nobody can tell which anchors its weights have made before it knows itself.
        session.query([], [])
    with session.lock.reading():
        length = len(session.past.log)
        first = int(np.min(events, initial=length))
        anchor = nearest_anchor(session, anchors, first)
        start = 0 if anchor is None else anchor.position
        n_replayed = length - len(np.unique(events)) - start
        if n_replayed > most_events:
            raise CounterfactualError(
                f"{n_replayed} events would be replayed to take away event {first}, from position "
                f"{start}, more than most_events={most_events}; keep an anchor nearer before it, "
                "or allow more"
            )
        fork = Session(
            fork_network(session.network),
            Past(log_without(session.past.log, events)),
            n_training=0,
            seed=session.seed,
        )
    # It has forgotten all; now its weights count as those that made the states it is given.
    fork.seek(0)
    if anchor is not None:
        state = {"position": start, "passes": 0, "memories": list(anchor.memories)}
        fork.load_state(state)
        fork.same_weights()
    return fork


def with_all_events(session: Session, fork: Session, anchors: Sequence[Anchor] = ()) -> Session:
    """Give what a fork without events can be compared with: what has all, made in the same way.

    Features that have changed since events happened act on a replay, and not on the states of
    the session. Where they may have, another fork replays all events from where the first began.

    Parameters
    ----------
    session : Session
    fork : Session
        That :func:`without_events` gave, and that has not been asked yet.
    anchors
        As it was given.
    """
    if session.as_made or not session.network.states.item_features.shape[1]:
        return session
    usable = [anchor for anchor in anchors if anchor.position <= fork.position]
    return without_events(session, np.empty(0, np.int64), usable, len(session.past.log))


def nearest_anchor(session: Session, anchors: Sequence[Anchor], position: int) -> Anchor | None:
    """Give the latest anchor that does not lie behind a position, of states that still hold."""
    lineage = session.lineage
    usable = [
        anchor
        for anchor in anchors
        if anchor.position <= position and anchor.lineage is lineage is not None
    ]
    return max(usable, key=lambda anchor: anchor.position, default=None)


def fork_network(network: Network) -> Network:
    """Give a network with memories of its own, empty, that shares all weights with another."""
    own = {id(tensor) for memory in network.memories() for tensor in memory.buffers()}
    memo: dict[int, Any] = {id(tensor): tensor for tensor in _tensors(network, own)}
    other = copy.deepcopy(network, memo)
    other.reset()
    return other


def _tensors(network: Network, own: set[int]) -> Iterator[Tensor]:
    """Give weights and buffers that are no memories."""
    yield from network.parameters()
    yield from (buffer for buffer in network.buffers() if id(buffer) not in own)


def log_without(log: EventLog, events: Integers) -> EventLog:
    """Give a log in memory that lacks some events of another; ids keep their spaces.

    Raises
    ------
    CounterfactualError
        If there are no others.
    """
    kept = np.ones(len(log), np.bool_)
    kept[events] = False
    if not kept.any():
        raise CounterfactualError("nothing would be left of the log; it must keep one event")
    columns: dict[str, Any] = {name: np.asarray(getattr(log, name)[kept]) for name in COLUMNS}
    return EventLog.from_columns(
        **columns, n_users=log.n_users, n_items=log.n_items, n_behaviours=log.n_behaviours
    )


def _whole(session: Session) -> Past:
    """Give the past behind the log's last event."""
    past, length = session.past, len(session.past.log)
    return past if past.position == length else _moved(past, length)


def _moved(past: Past, position: int) -> Past:
    """Give a past at another position, without moving the one that is there."""
    other = past.beginning()
    other.move_to(position)
    return other
