"""Where requests find the recommender, which may still be on its way."""

from __future__ import annotations

from typing import Any

from recbole_imn.serving.http.about import weights_version
from recbole_imn.serving.http.opening import Running
from recbole_imn.serving.http.problems import NotReadyError


class Served:
    """A place for a recommender, empty until it is ready.

    Parameters
    ----------
    recommender : Recommender, optional
        Where there is one already.
    """

    def __init__(self, recommender: Any | None = None) -> None:
        self._running: Running | None = None
        self._versioned: tuple[Any, str] = (None, "")
        if recommender is not None:
            self.fill(Running(lambda: recommender))

    @property
    def ready(self) -> bool:
        """Whether the recommender is there, with the journal's tail in it."""
        return self._running is not None

    @property
    def lag(self) -> int:
        """Records of the journal that a replica has still to apply."""
        return self._running.lag() if self._running else 0

    def fill(self, running: Running) -> None:
        """Let requests in."""
        self._running = running

    def get(self) -> Any:
        """Give the present recommender.

        Raises
        ------
        NotReadyError
            While there is none.
        """
        if self._running is None:
            raise NotReadyError
        return self._running.current()

    def version(self) -> str:
        """Name the weights in use; the same for the same weights."""
        recommender = self.get()
        known, version = self._versioned
        if known is not recommender:
            version = weights_version(recommender)
            self._versioned = (recommender, version)
        return version
