"""Looking at the next window while the present one is learned from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from recbole_imn.model.window import Window

Look = Callable[[int, int], Window]


class LookAhead:
    """Looks at windows of training, the next one on a thread of its own if that is asked for.

    What is looked at does not depend on who looks, or when.

    Parameters
    ----------
    look : callable
        Gives the window of events ``start <= k < stop``.
    stop : int
        No window reaches beyond this position.
    threaded : bool
    """

    def __init__(self, look: Look, stop: int, threaded: bool) -> None:
        self._look, self._stop = look, stop
        self._executor = ThreadPoolExecutor(1, "look-ahead") if threaded else None
        self._next: tuple[int, int, Future[Window]] | None = None

    def window(self, start: int, stop: int) -> Window:
        """Give a window, and begin to look at the one that follows it."""
        ready, self._next = self._next, None
        if ready is not None and ready[:2] == (start, stop):
            window = ready[2].result()
        else:
            if ready is not None:
                ready[2].result()
            window = self._look(start, stop)
        following = min(2 * stop - start, self._stop)
        if self._executor is not None and following > stop:
            future = self._executor.submit(self._look, stop, following)
            self._next = stop, following, future
        return window

    def cancel(self) -> None:
        """Forget what was looked at; nobody looks when this returns."""
        ready, self._next = self._next, None
        if ready is not None:
            ready[2].result()
