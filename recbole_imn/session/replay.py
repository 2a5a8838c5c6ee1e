"""Coming to events of the log in order, to score the rows before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from recbole_imn.log import Integers
from recbole_imn.model.network import Network
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.model.window import Window
from recbole_imn.past import Facts, Past
from recbole_imn.session.ranking import Ranked

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


class Replayable(Protocol):
    """What a replay needs of a session.

    Attributes
    ----------
    network : Network
    past : Past
    made_by : object
        Tells the weights that made the states; None before there are any.
    position : int
        Events that have made the states.
    held : Held or None
        The window that was asked for last.
    astray : object or None
        The learning whose weights made the latest states, if those of :attr:`made_by` did not.
    """

    network: Network
    past: Past
    made_by: Any
    position: int
    held: Held | None
    astray: object | None

    def go_astray(self, learning: object) -> None:
        """Say that other weights make the states from here on."""

    def come_back(self) -> None:
        """Go back to states by the present weights."""

    def go_to(self, position: int) -> None:
        """Move states to a position of the log."""

    def catalogue(self) -> Tensor:
        """Give all items as ranking sees them there, float [n_items, width]."""
        ...

    def look(self, start: int, stop: int, facts: Facts) -> Window:
        """Look at a window and rows in it."""
        ...

    def ranked(self, window: Window) -> tuple[Ranked, Unrolled]:
        """Give the rows of a window as ranking sees them, and the window unrolled."""
        ...

    def hold(self, held: Held) -> None:
        """Keep a window, to be asked for again."""

    def commit(self, unrolled: Unrolled) -> None:
        """Move on to a window's end."""

    def same_weights(self) -> None:
        """Say that the weights are those that made the states, though they were touched."""


Replay = Callable[[Replayable, Integers, int], Iterator[Replayed]]


def plain_replay(session: Replayable, events: Integers, chunk: int) -> Iterator[Replayed]:
    """Replay the log with the weights as they are.

    Parameters
    ----------
    session : Replayable
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


def _window(session: Replayable, events: Integers) -> Ranked:
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
