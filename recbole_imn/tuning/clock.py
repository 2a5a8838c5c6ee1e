"""The time of a trial: seconds of a processor, which other programs do not take away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from numba.core import event

# Seconds after which what was spent is kept, so that a study that is killed has counted it.
KEPT_EVERY = 10.0


class TimeUp(Exception):  # no error
    """A trial has had its share of the budget."""


def processor_seconds() -> float:
    """Give the seconds that all threads and finished children of this process have computed."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Clock:
    """What a trial has spent, and what it may.

    A thread that computes counts a second a second; two count two. Waiting for other programs
    or the disk does not count.

    Parameters
    ----------
    limit : float
        Seconds of the trial.
    first_is_free : bool
        Whether the first epoch is finished even if it takes longer.
    keep : callable
        Called with the seconds so far, every few seconds.
    now : callable
        Gives seconds.
    """

    def __init__(
        self,
        limit: float,
        first_is_free: bool,
        keep: Callable[[float], None],
        now: Callable[[], float] = processor_seconds,
    ) -> None:
        self.limit, self._first_is_free, self._keep, self._now = limit, first_is_free, keep, now
        self._start = now()
        self._epochs, self._longest, self._epoch_start = 0, 0.0, 0.0
        self._kept = 0.0

    @property
    def spent(self) -> float:
        """Seconds since the trial began."""
        return self._now() - self._start

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let what is done in a block not count: what all trials of all models need alike."""
        before = self._now()
        try:
            yield
        finally:
            self._start += self._now() - before

    def batch(self) -> None:
        """Look at the time between two batches.

        Raises
        ------
        TimeUp
            If nothing is left.
        """
        spent = self.spent
        if spent - self._kept >= KEPT_EVERY:
            self._kept = spent
            self._keep(spent)
        if spent > self.limit and not (self._first_is_free and self._epochs == 0):
            raise TimeUp

    def epoch(self) -> None:
        """Look at the time after an epoch with its validation.

        Raises
        ------
        TimeUp
            If another epoch as long as the longest so far would end too late.
        """
        spent = self.spent
        self._longest = max(self._longest, spent - self._epoch_start)
        self._epochs, self._epoch_start = self._epochs + 1, spent
        if spent + self._longest > self.limit:
            raise TimeUp


@contextmanager
def compiling_is_free(clock: Clock) -> Iterator[None]:
    """Let the compiling of loops not count: a machine does it once and keeps the result."""
    with event.install_listener("numba:compile", _Compiling(clock)):
        yield


class _Compiling(event.Listener):
    """Pauses a clock while numba compiles; a loop may compile others that it calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._depth, self._pause = clock, 0, ExitStack()

    def on_start(self, event: Any) -> None:
        if not self._depth:
            self._pause.enter_context(self._clock.paused())
        self._depth += 1

    def on_end(self, event: Any) -> None:
        self._depth -= 1
        if not self._depth:
            self._pause.close()
