"""A recommender over a journal: what was acknowledged outlives processes and weights."""

from __future__ import annotations

import threading
from collections.abc import Callable
from logging import getLogger
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from recbole_imn.errors import ServingError
from recbole_imn.serving.journal.base import Journal, StateMachine
from recbole_imn.serving.journal.handle import Handle, Retired
from recbole_imn.serving.journal.snapshots import KEPT, Snapshots
from recbole_imn.serving.replica import Replica

Machine = TypeVar("Machine", bound=StateMachine)
Result = TypeVar("Result")
SNAPSHOT_EVERY = 100_000
"""Records between two snapshots."""


class Holder(Generic[Machine]):
    """Holds the present recommender over a journal, takes snapshots, and swaps weights.

    The newest snapshot of a folder that can be used is opened, or else a checkpoint, and the rest
    of the journal is applied.

    Parameters
    ----------
    load : function of (Path, Journal or None)
        Opens a checkpoint and applies what follows in the journal, if there is one, such as
        ``Recommender.load``; with policies: ``partial(Recommender.load, policies=...)``.
    journal : Journal
        To be written; closed with the holder.
    folder : str or Path
        For snapshots.
    checkpoint : str or Path, optional
        What is opened as long as there is no snapshot.
    snapshot_every : int
        Records between two snapshots.
    keep : int
        Newest snapshots that stay.

    Attributes
    ----------
    current : Recommender
        The present one; ask for it each time.

    Raises
    ------
    ServingError, CheckpointError
        If nothing can be opened.
    """

    def __init__(
        self,
        load: Callable[[Path, Any], Machine],
        journal: Journal,
        folder: str | Path,
        checkpoint: str | Path | None = None,
        snapshot_every: int = SNAPSHOT_EVERY,
        keep: int = KEPT,
    ) -> None:
        if snapshot_every < 1:
            raise ServingError(f"snapshot_every is {snapshot_every}; at least 1 record")
        self.journal = journal
        self.snapshots = Snapshots(folder, keep, journal.identity)
        self._load, self._every = load, snapshot_every
        # One snapshot or swap at a time; one append at a time, and none while weights change.
        self._saving, self._gate = threading.Lock(), threading.Lock()
        self._forgotten: list[tuple[str, str]] = []
        self._due, self._stop = threading.Event(), False
        self._handle = self._new_handle()
        self.current = self.snapshots.newest(lambda path: load(path, self._handle), checkpoint)
        self._find_forgotten()
        self.finish()
        self._thread = threading.Thread(target=self._keep_saving, name="snapshots", daemon=True)
        self._thread.start()

    def write(self, action: Callable[[Machine], Result]) -> Result:
        """Write to the present recommender, or to the next one if it is swapped just then.

        Parameters
        ----------
        action : function of the recommender
            Writes once, such as ``lambda one: one.observe("ada", "i1")``.
        """
        while True:
            recommender = self.current
            try:
                return action(recommender)
            except Retired:
                if self.current is recommender:
                    raise

    def snapshot(self) -> Path:
        """Write a snapshot of the present recommender now.

        Raises
        ------
        ServingError
            If it cannot be written.
        """
        with self._saving:
            return self.snapshots.save(self.current)

    def swap(self, checkpoint: str | Path) -> None:
        """Put the recommender of another checkpoint in the place of the present one.

        The present one answers and observes meanwhile; writers wait only while the last records
        are applied to the new one. A snapshot of the new one is on disk before it takes over.

        Parameters
        ----------
        checkpoint : str or Path
            Of new weights, say; its offset tells what of the journal it knows already.

        Raises
        ------
        ServingError, CheckpointError
            If it cannot be loaded, or if the journal cannot be applied to it; the present one
            stays.
        """
        with self._saving:
            incoming = Replica(self._load(Path(checkpoint), None), self.journal)
            incoming.catch_up()
            # It applies what waits, before anybody is kept waiting.
            kept = self.snapshots.save(incoming.recommender)
            try:
                self._exchange(incoming)
            except BaseException:
                kept.unlink(missing_ok=True)
                raise

    def finish(self) -> None:
        """Let forgotten ids vanish from files now; a thread does so soon after each forgetting.

        Raises
        ------
        ServingError
            If a file cannot be written; what is left is tried again later.
        """
        with self._saving:
            if not self._forgotten:
                return
            waiting = list(self._forgotten)
            # First a snapshot that does not need what the journal said before.
            self.snapshots.save(self.current)
            for user, replacement in waiting:
                self.journal.forget(user, replacement)
            self.snapshots.remove_older(1)
            del self._forgotten[: len(waiting)]

    def close(self) -> None:
        """Take a last snapshot if there is anything new, and close the journal."""
        self._stop = True
        self._due.set()
        self._thread.join()
        try:
            self.finish()
            if self.current.journal_offset > self.snapshots.newest_offset:
                self.snapshot()
        finally:
            self.journal.close()

    def __enter__(self) -> Holder[Machine]:
        """Give the holder."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _exchange(self, incoming: Replica[Machine]) -> None:
        incoming.catch_up()
        with self._gate:
            incoming.catch_up()
            self._handle.retired = True
            self._handle = self._new_handle()
            # The attribute of a recommender that was opened without a journal.
            incoming.recommender.journal = self._handle  # type: ignore[attr-defined]
            self.current = incoming.recommender

    def _new_handle(self) -> Handle:
        return Handle(self.journal, self._gate, self._when_appended, self._when_forgotten)

    def _when_appended(self, offset: int) -> None:
        if offset - self.snapshots.newest_offset >= self._every:
            self._due.set()

    def _when_forgotten(self, user: str, replacement: str) -> None:
        # Whoever forgets holds the recommender's lock, and a snapshot needs that: a thread saves.
        self._forgotten.append((user, replacement))
        self._due.set()

    def _keep_saving(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._stop:
                return
            try:
                if self._forgotten:
                    self.finish()
                else:
                    self.snapshot()
            except Exception as error:  # the journal has everything; the next one may succeed
                getLogger().warning(f"snapshots are not up to date: {error}")

    def _find_forgotten(self) -> None:
        """Find whose ids a process was killed before it could remove."""
        begin = max(self.journal.start, self.journal.rewritten)
        for _, record in self.journal.read(begin):
            if record.get("kind") == "forget" and record["user"] != record["as"]:
                self._forgotten.append((record["user"], record["as"]))
