"""What a shop asks: who would like what now, of a checkpoint that lives on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_imn.checkpoints import load_checkpoint
from recbole_imn.checkpoints.ids import IDS
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_part
from recbole_imn.files import replaced
from recbole_imn.serving.answers import Answers
from recbole_imn.serving.columns import Columns, columns_of, with_features
from recbole_imn.serving.intake import Intake, Record
from recbole_imn.serving.joining import joined
from recbole_imn.serving.journal.base import check_position
from recbole_imn.serving.journal.handle import Handle
from recbole_imn.serving.journal.marks import ORIGIN, check_same, in_own_time, mark_of
from recbole_imn.serving.lists import Lists
from recbole_imn.serving.market import Market
from recbole_imn.serving.names import raw_id, raw_ids
from recbole_imn.serving.opening import open_session, recbole_weights, require_openable
from recbole_imn.serving.policies import Observed, Policies
from recbole_imn.serving.snapshot import EVENT_FIELDS, KEY, snapshot_of
from recbole_imn.serving.times import LogClock, require_near
from recbole_imn.session.counterfactual import keep_anchor
from recbole_imn.session.locks import ReadWriteLock

if TYPE_CHECKING:
    from recbole_imn.serving.journal import Journal

# Records that wait for the next reader; more are applied at once.
MOST_WAITING = 4096


class Recommender(Answers):
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
        self.lists = Lists(self.market)
        #: States as they were opened, from where a replay without some events may begin.
        self.anchors = [keep_anchor(self.market.session)]
        self.clock = LogClock(snapshot.origin)
        self.data_name, self.simulated = snapshot.data_name, snapshot.simulated
        #: Records of the journal that are part of all this, and the sum of the last one.
        self.journal_offset = snapshot.journal_offset
        self.journal_mark = snapshot.journal_mark
        self._writing, self._lock = RLock(), ReadWriteLock()
        self._waiting: list[Record] = []
        self._position = len(snapshot.log)
        times = snapshot.log.time
        self._intake = Intake(
            policies,
            self.clock,
            snapshot.behaviours,
            snapshot.other_fields,
            self.market.usual_purchases,
            [snapshot.feature_maps[key] for key in EVENT_FIELDS],
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
        return self._take(with_features(columns, [features or {}]))

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
            if record["item"]:
                self._keep(record)
                self._settle()
        return new

    def tell_items(self, told: Sequence[tuple[Any, Mapping[str, Any]]]) -> int:
        """Do as :meth:`add_items` with pairs of an item and its own attributes; all others stay."""
        with self._writing:
            self._settle()
            return self.add_items(self.market.item_columns(told))

    def list_items(self, items: Iterable[Any], at: Any = None) -> None:
        """Put items on the shelf from a moment on, that of the last event by default.

        Raises
        ------
        UnknownItemError
            If an item is not known; nothing has changed then.
        """
        self._change_shelf("list", items, at)

    def delist_items(self, items: Iterable[Any], at: Any = None) -> None:
        """Take items off the shelf, where they are not at that moment any more; as `list_items`."""
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
            other = self.market.name_to_forget()
            self._keep({"kind": "forget", "user": name, "as": other})
            self._settle()
            if self.journal is not None:
                self.journal.forget(name, other)
        return True

    def apply(self, records: Sequence[Record]) -> None:
        """Take records from a journal, in their order; they were checked when they were written."""
        with self._writing:
            for record in records:
                self._remember(in_own_time(record, self.clock.origin))
            self.journal_offset += len(records)
            self.journal_mark = mark_of(records[-1]) if records else self.journal_mark

    def save(self, path: str | Path) -> None:
        """Write a checkpoint of all this as it is now, which takes the place of an older one.

        Raises
        ------
        CheckpointError
            If it could not be opened again; the older one stays.
        """
        with replaced(Path(path)) as part:
            self._write(part)
            require_openable(part, path)

    def _write(self, part: Path) -> None:
        with self._writing:
            self._settle()
            session, snapshot = self.market.session, self.market.snapshot
            session.seek(len(session.past.log))
            snapshot.memories = session.state()["memories"]
            snapshot.journal_offset, snapshot.journal_mark = self.journal_offset, self.journal_mark
            snapshot.keys = list(self._intake.keys)
            # Users and items may be more by now than those of the data set.
            names = {IDS: "", KEY: snapshot.to_values()}
            values = {**self._checkpoint, "state_dict": recbole_weights(session.network), **names}
            snapshot.memories = None
            write_part(part, values, CHECKPOINT)

    def _take(self, columns: Columns) -> Observed:
        with self._writing:
            record, dropped = self._intake.take(columns)
            if record is not None:
                self._keep(record)
            accepted = len(record["user"]) if record is not None else 0
            return Observed(accepted, dict(dropped), self.position)

    def _change_shelf(self, kind: str, items: Iterable[Any], at: Any) -> None:
        names = raw_ids(items, "item")
        with self._writing:
            self._settle()
            for name in names:
                self.market.number_of(name)
            moment = self._seconds(at)
            require_near(moment, self.last_time, at, also_before=True)
            if names:
                self._keep({"kind": kind, "item": names, "at": moment})
                self._settle()

    def _keep(self, record: Record) -> None:
        """Make a record durable, and only then part of what happened."""
        if self.journal is not None:
            if self.clock.origin is not None:
                record[ORIGIN] = self.clock.origin
            self.journal.append([record])
            self.journal_offset += 1
            self.journal_mark = mark_of(record)
        self._remember(record)

    def _remember(self, record: Record) -> None:
        if record["kind"] == "events":
            self._intake.taken(record)
            self._position += len(record["user"])
        elif record["kind"] == "forget":
            self._intake.forgotten(record["user"], record["as"])
        self._waiting.append(record)
        if len(self._waiting) >= MOST_WAITING:
            self._settle()

    def _catch_up(self, journal: Journal) -> None:
        if not isinstance(journal, Handle):
            check_position(journal, self.journal_offset)
        check_same(journal, self.journal_offset, self.journal_mark)
        for _, record in journal.read(self.journal_offset):
            self.apply([record])

    def _settle(self) -> None:
        """Apply what waits."""
        if not self._waiting:
            return
        with self._writing, self._lock.writing():
            waiting = list(joined(self._waiting))
            while waiting:
                # What cannot be applied stays, so that nobody is answered as if it had not been.
                self._waiting = waiting
                self.market.apply(waiting[0])
                waiting = waiting[1:]
            self._waiting = []

    def _happened(self, event: Any) -> bool:
        self._settle()
        return self.market.happened(event)

    def moment(self, at: Any = None) -> float:
        """Give the moment that lists are made for; see :meth:`Answers.moment`."""
        asked = self._seconds(at)
        require_near(asked, self.last_time, at)
        return max(asked, self.last_time) if np.isfinite(self.last_time) else asked

    def _seconds(self, at: Any) -> float:
        """Give seconds of the log; those of the last event by default."""
        if at is None:
            return self.last_time if np.isfinite(self.last_time) else 0.0
        return (
            self.clock.present() if isinstance(at, str) and at == "now" else self.clock.seconds(at)
        )
