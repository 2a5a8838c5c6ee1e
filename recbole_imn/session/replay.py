"""Coming to events of the log in order, to score the rows before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recbole_imn.log import Integers
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.session.ranking import Ranked

if TYPE_CHECKING:
    from recbole_imn.session.session import Session

REPLAY_WINDOW = 4096


@dataclass(frozen=True)
class Replayed:
    """Some of the events that were asked for, with the session at their window's start.

    Attributes
    ----------
    place : slice
        Which of them.
    ranked : Ranked
    rows : int64 [n]
        Their rows in it.
    """

    place: slice
    ranked: Ranked
    rows: Integers


@dataclass(frozen=True)
class Held:
    """A window whose rows may be asked for again before its events have happened.

    Attributes
    ----------
    events : int64 [n]
        Those that were asked for.
    ranked : Ranked
    unrolled : Unrolled
    """

    events: Integers
    ranked: Ranked
    unrolled: Unrolled


Replay = Callable[["Session", Integers, int], Iterator[Replayed]]


def plain_replay(session: Session, events: Integers, chunk: int) -> Iterator[Replayed]:
    """Replay the log with the weights as they are.

    Parameters
    ----------
    session : Session
    events : int64 [n]
        Increasing.
    chunk : int
        Events at a time, at most.
    """
    first = 0
    while first < len(events):
        start = int(events[first])
        # Few events between the rows of a window, or their states would fill the memory.
        near = int(np.searchsorted(events, start + REPLAY_WINDOW))
        last = min(first + chunk, near)
        ranked = _window(session, events[first:last])
        yield Replayed(slice(first, last), ranked, np.arange(last - first))
        first = last


def _window(session: Session, events: Integers) -> Ranked:
    """Come to a window that ends before the last of some events."""
    if session.held is not None and np.array_equal(session.held.events, events):
        return session.held.ranked
    start, stop = int(events[0]), int(events[-1])
    session.go_to(start)
    session.catalogue()
    session.past.move_to(stop)
    window = session.look(start, stop, session.past.look_at_events(events))
    ranked, unrolled = session.ranked(window)
    session.hold(Held(events, ranked, unrolled))
    return ranked
