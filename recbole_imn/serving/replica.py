"""A recommender that follows what another process writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from recbole_imn.errors import ServingError
from recbole_imn.serving.journal.base import PAGE, Journal, Record, StateMachine, check_position
from recbole_imn.serving.journal.marks import check_same

Machine = TypeVar("Machine", bound=StateMachine)
WAIT = 0.5
"""Seconds after which a waiting thread looks whether it shall stop."""


class Replica(Generic[Machine]):
    """A recommender that applies the records of a journal, from its own offset on.

    Any number of replicas go beside one writer; each has the writer's ranks bit for bit as soon
    as it has applied the same records.

    Parameters
    ----------
    recommender : Recommender
        Opened without a journal.
    journal : Journal
        To be read.
    reload : function, optional
        Gives a newer recommender when this one cannot go on, because records it needs were
        trimmed or rewritten; such as one of the newest snapshot. Without it, that is an error.

    Attributes
    ----------
    recommender : Recommender
        The present one; another after a reload or :meth:`swap`, so ask for it each time.
    failed : Exception or None
        Why the thread of :meth:`start` has ended, if it has.
    """

    def __init__(
        self, recommender: Machine, journal: Journal, reload: Callable[[], Machine] | None = None
    ) -> None:
        check_same(journal, recommender.journal_offset, getattr(recommender, "journal_mark", ""))
        self.recommender, self.journal = recommender, journal
        self.failed: Exception | None = None
        self._reload = reload
        self._applying = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def offset(self) -> int:
        """Offset of the last record that was applied."""
        return self.recommender.journal_offset

    @property
    def lag(self) -> int:
        """Records of the journal that were not applied yet."""
        return self.journal.end - self.offset

    def catch_up(self) -> int:
        """Apply all that is in the journal.

        Returns
        -------
        int
            Number of records that were applied.

        Raises
        ------
        ServingError
            If records are missing or damaged, or if users were forgotten since this one's offset;
            nothing is applied from there on.
        """
        count = 0
        while applied := self._step(timeout=0.0):
            count += applied
        return count

    def start(self) -> None:
        """Follow the journal on a thread, until :meth:`stop`.

        Raises
        ------
        ServingError
            If it follows already.
        """
        if self._thread is not None and self._thread.is_alive():
            raise ServingError("the replica follows its journal already; stop it first")
        self.failed = None
        self._stop.clear()
        self._thread = threading.Thread(target=self._follow, name="replica", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread.

        Raises
        ------
        Exception
            What has ended it before, if anything has.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self.failed is not None:
            raise self.failed

    def swap(self, recommender: Machine) -> None:
        """Put another recommender, such as one of new weights, in the place of the present one.

        It catches up first; the present one answers meanwhile.

        Raises
        ------
        ServingError
            If the journal cannot be applied to it.
        """
        Replica(recommender, self.journal).catch_up()
        with self._applying:
            Replica(recommender, self.journal).catch_up()
            self.recommender = recommender

    def _follow(self) -> None:
        try:
            while not self._stop.is_set():
                self._step(WAIT)
        except Exception as error:  # whoever watches the replica must learn of anything
            self.failed = error

    def _step(self, timeout: float) -> int:
        """Apply one page, after waiting for it; give how many records it had."""
        try:
            page = self.journal.follow(self.offset, timeout, PAGE)
            with self._applying:
                return self._apply(page)
        except ServingError:
            if self._reload is None or not self._is_passed():
                raise
        return self._start_anew(self._reload)

    def _apply(self, page: Sequence[tuple[int, Record]]) -> int:
        """Apply the records of a page that are new: somebody may have caught up meanwhile."""
        # After reading: what is rewritten from here on, this page has as it was.
        check_position(self.journal, self.offset)
        fresh = [record for offset, record in page if offset > self.offset]
        if not fresh or page[0][0] > self.offset + 1:
            return 0
        expected = self.offset + len(fresh)
        self.recommender.apply(fresh)
        if self.offset != expected:
            raise ServingError(
                f"the recommender is at {self.offset}, and its journal at {expected}"
            )
        return len(fresh)

    def _is_passed(self) -> bool:
        """Whether this one cannot go on because the journal has changed behind it."""
        return self.offset < max(self.journal.start, self.journal.rewritten)

    def _start_anew(self, reload: Callable[[], Machine]) -> int:
        """Go on from a newer recommender; give how many records it is ahead."""
        newer, offset = reload(), self.offset
        if newer.journal_offset < max(self.journal.start, self.journal.rewritten):
            raise ServingError(
                f"neither the replica, at {offset}, nor what it reloads, at "
                f"{newer.journal_offset}, can go on with its journal; its writer must take a "
                "snapshot"
            )
        with self._applying:
            self.recommender = newer
        return newer.journal_offset - offset
