"""Loading beside the requests, and noticing when something has broken."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from recbole_imn.serving.http.opening import Running
from recbole_imn.serving.http.served import Served

# Seconds between two looks.
WATCH = 0.5


class Background:
    """A thread that fills the place of a recommender, and then watches.

    Parameters
    ----------
    served : Served
    open : callable
        Gives what is to be served.
    failed : callable
        Called once if it could not be opened, or cannot go on.

    Attributes
    ----------
    fault : BaseException or None
        Why.
    """

    def __init__(
        self, served: Served, open: Callable[[], Running], failed: Callable[[], None]
    ) -> None:
        self.fault: BaseException | None = None
        self._served, self._open, self._failed = served, open, failed
        self._running: Running | None = None
        self._stopped = Event()
        # What is still being loaded when the service ends is not waited for.
        self._thread = Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def stop(self) -> None:
        """Give back what is held.

        Raises
        ------
        BaseException
            What the thread has ended with, if it has.
        """
        self._stopped.set()
        if self._running is not None:
            self._thread.join()
            self._running.close()
        if self.fault is not None:
            raise self.fault

    def _run(self) -> None:
        try:
            self._running = self._open()
            self._served.fill(self._running)
            self._watch(self._running)
        except BaseException as error:
            self.fault = error
            self._failed()

    def _watch(self, running: Running) -> None:
        while not self._stopped.wait(WATCH):
            fault = running.fault()
            if fault is not None:
                raise fault
