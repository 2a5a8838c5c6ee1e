"""Coming to events of the log in order, to score the rows before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recbole_imn.log import Integers
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
        session.go_to(start)
        session.catalogue()
        # Few events between the rows of a window, or their states would fill the memory.
        near = int(np.searchsorted(events, start + REPLAY_WINDOW))
        last = min(first + chunk, near)
        chosen = events[first:last]
        stop = int(chosen[-1])
        session.past.move_to(stop)
        window = session.look(start, stop, session.past.look_at_events(chosen))
        ranked, unrolled = session.ranked(window)
        yield Replayed(slice(first, last), ranked, np.arange(len(chosen)))
        session.commit(unrolled)
        first = last
