"""Three ways to serve a checkpoint: alone, as a journal's writer, and as its replica."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from recbole_imn.serving.policies import Policies


@dataclass(frozen=True)
class Running:
    """A recommender that is being served.

    Attributes
    ----------
    current : callable
        Gives the recommender, which may be another one later.
    lag : callable
        Gives how many records of the journal it has still to apply.
    fault : callable
        Gives what has stopped it from going on, if anything has.
    close : callable
        Gives back what is held.
    """

    current: Callable[[], Any]
    lag: Callable[[], int] = lambda: 0
    fault: Callable[[], BaseException | None] = lambda: None
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Opening:
    """What is to be served.

    Attributes
    ----------
    checkpoint : Path
        With a snapshot in it.
    rules : Policies
        For events.
    journal : str or None
        A path, or the address of a Redis server.
    follow : bool
        Whether another process writes the journal.
    folder : Path
        For snapshots of what the journal has made of the checkpoint.
    every : int
        Records between two snapshots.
    """

    checkpoint: Path
    rules: Policies
    journal: str | None
    follow: bool
    folder: Path
    every: int

    def open(self) -> Running:
        """Load the recommender and replay the journal's tail.

        Raises
        ------
        ServingError, CheckpointError
            If that cannot be.
        """
        running = self._alone() if self.journal is None else self._with_journal(self.journal)
        try:
            warm_up(running.current())
        except BaseException:
            running.close()
            raise
        return running

    def _with_journal(self, where: str) -> Running:
        journal = open_journal(where, read_only=self.follow)
        try:
            return self._replica(journal) if self.follow else self._writer(journal)
        except BaseException:
            journal.close()
            raise

    def _load(self, path: Path, journal: Any = None) -> Any:
        # Training and reports need none of it.
        from recbole_imn.serving.recommender import Recommender

        return Recommender.load(path, journal, self.rules)

    def _alone(self) -> Running:
        recommender = self._load(self.checkpoint)
        return Running(lambda: recommender)

    def _writer(self, journal: Any) -> Running:
        from recbole_imn.serving.durable import Holder

        held = Holder(self._load, journal, self.folder, self.checkpoint, self.every)
        return Running(lambda: held.current, close=held.close)

    def _replica(self, journal: Any) -> Running:
        from recbole_imn.serving.journal.snapshots import Snapshots
        from recbole_imn.serving.replica import Replica

        folder = Snapshots(self.folder, identity=journal.identity)
        newest = partial(folder.newest, self._load, self.checkpoint)
        replica = Replica(newest(), journal, newest)
        replica.catch_up()
        replica.start()

        def close() -> None:
            replica.stop()
            journal.close()

        return Running(
            lambda: replica.recommender, lambda: max(0, replica.lag), lambda: replica.failed, close
        )


def warm_up(recommender: Any) -> None:
    """Ask once for everything, so that no client waits while loops are compiled.

    On a machine that has never run them, that takes some 15 seconds.
    """
    user = next(iter(recommender.users), "nobody")
    recommender.recommend(user, k=1)
    for item in recommender.items[:1]:
        recommender.similar(item, k=1)
        recommender.explain(user, item)


def open_journal(where: str, read_only: bool) -> Any:
    """Open a journal by its path, or by the address of its Redis server.

    Raises
    ------
    ServingError
        If it cannot be opened, or has a writer already.
    """
    from recbole_imn.serving.journal import RedisJournal, SqliteJournal

    if where.startswith(("redis://", "rediss://", "unix://")):
        return RedisJournal(where, "recbole_imn", read_only=read_only)
    return SqliteJournal(where, read_only=read_only)
