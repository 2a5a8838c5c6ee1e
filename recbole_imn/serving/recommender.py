"""What a shop asks: who would like what now, of a checkpoint that lives on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.serving.columns import Columns, columns_of
from recbole_imn.serving.errors import ServingError
from recbole_imn.serving.intake import Intake, Record
from recbole_imn.serving.journal.base import check_position
from recbole_imn.serving.journal.handle import Handle
from recbole_imn.serving.lists import Candidates, Lists, Wish
from recbole_imn.serving.market import FORGOTTEN, Market
from recbole_imn.serving.names import raw_id
from recbole_imn.serving.opening import open_session, recbole_weights
from recbole_imn.serving.policies import Observed, Policies
from recbole_imn.serving.snapshot import EVENT_FIELDS, KEY, snapshot_of
from recbole_imn.serving.times import LogClock
from recbole_imn.session.counterfactual import keep_anchor
from recbole_imn.session.locks import ReadWriteLock

if TYPE_CHECKING:
    from recbole_imn.serving.allocation import Allocation
    from recbole_imn.serving.explanation import Explanation
    from recbole_imn.serving.journal import Journal

# Records that wait for the next reader; more are applied at once.
MOST_WAITING = 4096


class Recommender:
    """Recommendations for users as of now, of a model that goes on observing.

    Events are checked, kept in the journal if there is one, and acknowledged; states move on
    before the next answer. One thread writes at a time; any number may read.

    Parameters
    ----------
    checkpoint : dict
        From :func:`~recbole_imn.checkpoints.load_checkpoint`.
    file : path
        Where it is from; named in messages.
    journal : Journal, optional
        Keeps what is observed. What it holds already, and the checkpoint has not seen, is
        applied.
    policies : Policies
        For events that come late, twice or from the future.
    """

    def __init__(
        self,
        checkpoint: dict[str, Any],
        file: Any,
        journal: Journal | None = None,
        policies: Policies = Policies(),  # noqa: B008  # frozen
    ) -> None:
        snapshot = snapshot_of(checkpoint, file)
        self.file, self.journal = file, journal
        self._checkpoint = {name: value for name, value in checkpoint.items() if name != KEY}
        self.market = Market(snapshot, open_session(checkpoint, snapshot, file))
        self._lists = Lists(self.market)
        #: States as they were opened, from where a replay without some events may begin.
        self.anchors = [keep_anchor(self.market.session)]
        self.clock = LogClock(snapshot.origin)
        self.data_name, self.simulated = snapshot.data_name, snapshot.simulated
        #: Records of the journal that have become part of all this.
        self.journal_offset = snapshot.journal_offset
        self._writing, self._lock = RLock(), ReadWriteLock()
        self._waiting: list[Record] = []
        self._position = len(snapshot.log)
        maps = [snapshot.feature_maps[key] for key in EVENT_FIELDS]
        times = snapshot.log.time
        self._intake = Intake(
            policies,
            self.clock,
            snapshot.behaviours,
            snapshot.other_fields,
            self.market.purchase_of(),
            maps,
            float(times[-1]) if len(times) else -np.inf,
            self.market.latest_events(),
            self._happened,
            snapshot.keys,
        )
        if journal is not None:
            self._catch_up(journal)

    @classmethod
    def load(
        cls,
        checkpoint: str | Path,
        journal: Journal | None = None,
        policies: Policies = Policies(),  # noqa: B008  # frozen
    ) -> Recommender:
        """Open a checkpoint; neither its data set nor its log is needed.

        Raises
        ------
        CheckpointError
            If it is damaged, of another format, or has no snapshot.
        """
        return cls(load_checkpoint(checkpoint), checkpoint, journal, policies)

    # -- what there is ---------------------------------------------------------------------------

    @property
    def is_simulated(self) -> bool:
        """Whether the model has learned from simulated data."""
        return self.simulated is not None

    @property
    def position(self) -> int:
        """Events that have been observed."""
        return self._position

    @property
    def last_time(self) -> float:
        """Seconds of the log at the last event that was observed."""
        return self._intake.last

    @property
    def users(self) -> list[str]:
        """Raw ids of users, in the order in which they came."""
        self._settle()
        return list(self.market.users)

    @property
    def items(self) -> list[str]:
        """Raw ids of items, in the order in which they came."""
        self._settle()
        return list(self.market.items)

    @property
    def behaviors(self) -> list[str]:
        """Kinds of action that events may have."""
        return self.market.snapshot.behaviours[1:]

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is known of items, by name."""
        self._settle()
        return self.market.snapshot.attributes.names

    # -- writing -----------------------------------------------------------------------------

    def observe(
        self,
        user: Any,
        item: Any,
        time: Any = None,
        behavior: str | None = None,
        purchase: bool | None = None,
        features: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> Observed:
        """Take one event; users and items that are new are known from then on.

        Parameters
        ----------
        user, item : str or int
            Raw ids.
        time : moment, optional
            As of :meth:`~recbole_imn.serving.times.LogClock.seconds`; now by default.
        behavior : str, optional
            One of :attr:`behaviors`.
        purchase : bool, optional
            By default what events of this behaviour are.
        features : dict of str to value, optional
            Fields of the event that the model reads; an empty cell where one is missing.
        key : str, optional
            The same key is never taken twice.

        Returns
        -------
        Observed

        Raises
        ------
        ServingError
            If the event is not as it should be, or a policy refuses it. Nothing has changed then.
        """
        columns = {"user": [user], "item": [item], "time": [time], "behavior": [behavior]}
        columns |= {"purchase": [purchase], "key": [key]}
        return self._take(columns | {name: [cell] for name, cell in (features or {}).items()})

    def observe_many(self, frame: Any) -> Observed:
        """Take many events, in the order of their times.

        Parameters
        ----------
        frame : pandas.DataFrame, polars.DataFrame or mapping of str to sequence
            Columns ``user``, ``item``, ``time``, ``behavior``, ``purchase``, ``key`` and fields
            of events, as of :meth:`observe`; only the first two must be there.

        Raises
        ------
        ServingError
            For the first event that cannot be taken; none is taken then.
        """
        return self._take(columns_of(frame))

    def add_items(self, frame: Any) -> int:
        """Make items known, or tell more of them.

        Parameters
        ----------
        frame : pandas.DataFrame, polars.DataFrame or mapping of str to sequence
            Column ``item``, and any attributes; those that the model reads are its features.

        Returns
        -------
        int
            Number of items that were not known.

        Raises
        ------
        ServingError
        """
        with self._writing:
            self._settle()
            record = self.market.items_record(columns_of(frame))
            new = sum(name not in self.market.items for name in record["item"])
            self._keep(record)
            self._settle()
        return new

    def list_items(self, items: Iterable[Any], at: Any = None) -> None:
        """Put items on the shelf from a moment on, that of the last event by default.

        Raises
        ------
        UnknownItemError
            If an item is not known; nothing has changed then.
        """
        self._change_shelf("list", items, at)

    def delist_items(self, items: Iterable[Any], at: Any = None) -> None:
        """Take items off the shelf; parameters and errors as of :meth:`list_items`."""
        self._change_shelf("delist", items, at)

    def forget(self, user: Any) -> bool:
        """Let nobody know any more who a user was.

        Their events stay, since the states of items come from them, under a name that tells
        nothing; whoever comes with the same id is a stranger.

        Returns
        -------
        bool
            Whether they were known.
        """
        name = raw_id(user, "user")
        with self._writing:
            self._settle()
            if name not in self.market.users:
                return False
            other = f"{FORGOTTEN}{self.market.snapshot.forgotten + 1}"
            self._keep({"kind": "forget", "user": name, "as": other})
            self._settle()
            if self.journal is not None:
                self.journal.forget(name, other)
        return True

    def apply(self, records: Sequence[Record]) -> None:
        """Take records from a journal, in their order; they were checked when they were written."""
        with self._writing:
            for record in records:
                self._remember(record)
            self.journal_offset += len(records)

    def save(self, path: str | Path) -> None:
        """Write a checkpoint of all this as it is now."""
        with self._writing:
            self._settle()
            session, snapshot = self.market.session, self.market.snapshot
            session.seek(len(session.past.log))
            snapshot.memories = session.state()["memories"]
            snapshot.journal_offset = self.journal_offset
            snapshot.keys = list(self._intake.keys)
            weights = recbole_weights(session.network)
            values = {**self._checkpoint, "state_dict": weights, KEY: snapshot.to_values()}
            snapshot.memories = None
            write_sealed(Path(path), values, CHECKPOINT)

    def _take(self, columns: Columns) -> Observed:
        with self._writing:
            record, dropped = self._intake.take(columns)
            if record is not None:
                self._keep(record)
            accepted = len(record["user"]) if record is not None else 0
            return Observed(accepted, dict(dropped), self.position)

    def _change_shelf(self, kind: str, items: Iterable[Any], at: Any) -> None:
        names = [raw_id(item, "item") for item in items]
        with self._writing:
            self._settle()
            for name in names:
                self.market.number_of(name)
            self._keep({"kind": kind, "item": names, "at": self._moment(at)})
            self._settle()

    def _keep(self, record: Record) -> None:
        """Make a record durable, and only then part of what happened."""
        if self.journal is not None:
            self.journal.append([record])
            self.journal_offset += 1
        self._remember(record)

    def _remember(self, record: Record) -> None:
        if record["kind"] == "events":
            self._intake.taken(record)
            self._position += len(record["user"])
        self._waiting.append(record)
        if len(self._waiting) >= MOST_WAITING:
            self._settle()

    def _catch_up(self, journal: Journal) -> None:
        if not isinstance(journal, Handle):
            check_position(journal, self.journal_offset)
        for _, record in journal.read(self.journal_offset):
            self.apply([record])

    def _settle(self) -> None:
        """Apply what waits."""
        if not self._waiting:
            return
        with self._writing, self._lock.writing():
            waiting, self._waiting = self._waiting, []
            for record in _joined(waiting):
                self.market.apply(record)

    def _happened(self, event: Any) -> bool:
        self._settle()
        return self.market.happened(event)

    def _moment(self, at: Any) -> float:
        """Give seconds of the log; those of the last event by default."""
        if at is None:
            return self.last_time if np.isfinite(self.last_time) else 0.0
        if at == "now":
            now = self.clock.now()
            if now is None:
                raise ServingError(
                    "nobody knows when the log began, so that 'now' is no time of it"
                )
            return now
        return self.clock.seconds(at)

    # -- reading -----------------------------------------------------------------------------

    def recommend(
        self,
        user: Any,
        at: Any = None,
        k: int = 10,
        candidates: Candidates = None,
        exclude: Sequence[str] | str = (),
        diversify: float = 0.0,
        attributes: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Rank items for a user.

        Parameters
        ----------
        user : str or int
            A raw id; one that is not known is a new user.
        at : moment, optional
            As of :meth:`~recbole_imn.serving.times.LogClock.seconds`, or 'now' for the present
            by the machine's clock. By default the time of the last event, before which nobody
            can be asked.
        k : int
            Length of the list.
        candidates : {'on_shelf'} or sequence of str, optional
            What is for sale at that time, or some items; the whole catalogue by default.
        exclude : sequence of str, or {'seen', 'purchased'}
            Items to be left out, or those that the user had events with, or purchased.
        diversify : float
            0 to 1: how much a list's items shall differ.
        attributes : sequence of str
            What is to be told of each item, such as its title.

        Returns
        -------
        DataFrame
            ``rank`` from 1, ``item``, ``score``, and the attributes. Scores of a row compare
            items for one user; they are log densities up to a constant.

        Raises
        ------
        ServingError
            If something that is asked for does not exist.
        """
        name = raw_id(user, "user")
        wish = Wish(k, candidates, exclude, diversify, attributes)
        self._settle()
        with self._lock.reading():
            return self._lists.recommend_one(name, self._moment(at), wish)

    def recommend_many(
        self,
        users: Iterable[Any],
        at: Any = None,
        k: int = 10,
        candidates: Candidates = None,
        exclude: Sequence[str] | str = (),
        diversify: float = 0.0,
        attributes: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Rank items for many users at one moment.

        Parameters and errors as of :meth:`recommend`.

        Returns
        -------
        DataFrame
            ``user``, ``rank``, ``item``, ``score``, and the attributes.
        """
        names = [raw_id(user, "user") for user in users]
        wish = Wish(k, candidates, exclude, diversify, attributes)
        self._settle()
        with self._lock.reading():
            return self._lists.recommend(names, self._moment(at), wish)

    def similar(
        self,
        item: Any,
        k: int = 10,
        candidates: Candidates = None,
        attributes: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Rank items by how like they are to another, in what the model knows of them now.

        Parameters
        ----------
        item : str or int
        k, candidates, attributes
            As of :meth:`recommend`, at the time of the last event.

        Returns
        -------
        DataFrame
            ``rank``, ``item``, ``score`` (cosine of states and embeddings), and the attributes.

        Raises
        ------
        UnknownItemError
        """
        name, wish = raw_id(item, "item"), Wish(k, candidates, attributes=attributes)
        self._settle()
        with self._lock.reading():
            return self._lists.similar(name, self._moment(None), wish)

    def explain(
        self,
        user: Any,
        item: Any,
        at: Any = None,
        purchases: int = 1,
        candidates: Candidates = None,
    ) -> Explanation:
        """Say what an item's score for a user is made of.

        Parameters
        ----------
        user, item, at, candidates
            As of :meth:`recommend`; the item's rank is that among the candidates.
        purchases : int
            How many of the user's last purchases are thought away, to see what they changed.

        Raises
        ------
        UnknownItemError
        """
        from recbole_imn.serving.explanation import explain

        return explain(self, user, item, at, purchases, candidates, self.anchors)

    def allocate(
        self, users: Iterable[Any], capacity: Any = 1, k: int = 10, **how: Any
    ) -> Allocation:
        """Make lists for many users in which no item stands more often than there is stock.

        Parameters
        ----------
        users : iterable of str or int
        capacity : int, or mapping of item to int
            How many lists an item may be on.
        k : int
            Length of a list.
        **how
            As of :func:`~recbole_imn.serving.allocation.lists.allocate_lists`.
        """
        from recbole_imn.serving.allocation.lists import allocate_lists

        return allocate_lists(self, users, capacity, k, **how)

    def scores(self, users: Sequence[Any], at: Any = None, candidates: Candidates = None) -> Any:
        """Give the scores behind the lists.

        Parameters
        ----------
        users : sequence of str or int
        at, candidates
            As of :meth:`recommend`.

        Returns
        -------
        items : list of str
            Of the columns.
        scores : float32 [n_users, n_items]
        """
        names = [raw_id(user, "user") for user in users]
        self._settle()
        with self._lock.reading():
            moment = self._moment(at)
            items = self._lists.candidates(candidates, moment)
            scores = self._lists.scores(names, moment, items)
            return [self.market.items.name(int(item)) for item in items], scores.cpu().numpy()


def _joined(records: Sequence[Record]) -> list[Record]:
    """Join neighbouring records of events, which are then applied together."""
    joined: list[Record] = []
    for record in records:
        last = joined[-1] if joined else None
        if last is None or record["kind"] != "events" or last["kind"] != "events":
            joined.append(_copied(record))
            continue
        for name in ("user", "item", "time", "behavior", "purchase", "keys"):
            last[name] += record[name]
        for name, cells in record["features"].items():
            last["features"][name] += cells
    return joined


def _copied(record: Record) -> Record:
    if record["kind"] != "events":
        return record
    lists = {name: list(cells) for name, cells in record.items() if isinstance(cells, list)}
    features = {name: list(cells) for name, cells in record["features"].items()}
    return {**record, **lists, "features": features}
