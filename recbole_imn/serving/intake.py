"""Events on their way in: checked, and turned into a record that can be applied at any time."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from recbole_imn.data.feature_maps import FeatureMap
from recbole_imn.data.field_maps import spellings_of, whole_number
from recbole_imn.errors import DataError, ServingError, one_line
from recbole_imn.serving.columns import Columns
from recbole_imn.serving.names import raw_id
from recbole_imn.serving.policies import Policies
from recbole_imn.serving.times import LogClock, require_near
from recbole_imn.validation import shown

Record = dict[str, Any]
# User, item, seconds and behaviour: what makes two events the same.
Event = tuple[str, str, float, str | None]

PLAIN = ("user", "item", "time", "behavior", "purchase", "key")
# Keys that are remembered: who sends an event again, does so soon.
MOST_KEYS = 100_000


class Intake:
    """Decides which events are taken, and as of what time.

    Parameters
    ----------
    policies : Policies
    clock : LogClock
    behaviours : sequence of str
        Kinds of action that the model knows, the unknown one first.
    others : sequence of str
        Fields that events may have, though the model does not read them.
    purchase_of : mapping of str to bool
        Whether events of a kind are purchases, where all of the log's are alike.
    maps : sequence of FeatureMap
        How the cells of events become numbers.
    last : float
        Seconds of the last event.
    latest : iterable of tuple
        All events of that moment.
    happened : callable
        Says whether an event is in the log; asked for earlier ones.
    keys : iterable of str
        Of events that were taken before, oldest first.
    """

    def __init__(
        self,
        policies: Policies,
        clock: LogClock,
        behaviours: Sequence[str],
        others: Sequence[str],
        purchase_of: Mapping[str, bool],
        maps: Sequence[FeatureMap],
        last: float,
        latest: Iterable[Event],
        happened: Callable[[Event], bool],
        keys: Iterable[str],
    ) -> None:
        self.policies, self.clock = policies, clock
        self.behaviours, self.purchase_of = list(behaviours), dict(purchase_of)
        self.maps = list(maps)
        self.fields = [one.name for found in maps for one in found.fields]
        self.others = [name for name in others if name not in (*PLAIN, *self.fields)]
        self.last, self._happened = last, happened
        self.keys = OrderedDict.fromkeys(keys)
        self._latest: set[Event] = set(latest)

    def take(self, columns: Columns) -> tuple[Record | None, Counter[str]]:
        """Check events, and give a record of those to be taken.

        Parameters
        ----------
        columns : dict of str to list
            ``user`` and ``item``; ``time``, ``behavior``, ``purchase``, ``key`` and fields of
            events where there are some.

        Returns
        -------
        record : dict or None
            In order of time, those of one moment in the order that they came in; None if no
            event is left. Nothing is remembered of it before :meth:`taken`.
        dropped : Counter
            Events left out, by reason.

        Raises
        ------
        ServingError
            For the first event that cannot be taken; none is then.
        """
        rows = self._rows(columns)
        dropped: Counter[str] = Counter()
        kept: list[dict[str, Any]] = []
        last, latest, keys = self.last, set(self._latest), set[str]()
        for row in rows:
            # Whatever the rules: this is what keys are for.
            reason = "duplicate" if row["key"] in self.keys or row["key"] in keys else None
            reason = reason or self._timely(row, last)
            is_known = self._is_known(row, last)
            # From here on it is an event of the moment that it is taken as of.
            row["time"] = max(row["time"], last)
            if reason is None and (is_known or _event(row) in latest):
                reason = self._ruled("duplicate", row, "was observed before")
            if reason:
                dropped[reason] += 1
                continue
            if row["time"] > last:
                last, latest = row["time"], set()
            latest.add(_event(row))
            if row["key"] is not None:
                keys.add(row["key"])
            kept.append(row)
        if not kept:
            return None, dropped
        return self._record(kept), dropped

    def taken(self, record: Record) -> None:
        """Remember the events of a record, which has become part of what happened."""
        names = record["user"], record["item"], record["time"], record["behavior"]
        for event in zip(*names, strict=True):
            if event[2] > self.last:
                self.last, self._latest = event[2], set()
            self._latest.add(event)
        for key in record["keys"]:
            if key is not None:
                self.keys[key] = None
        while len(self.keys) > MOST_KEYS:
            self.keys.popitem(last=False)

    def forgotten(self, user: str, name: str) -> None:
        """Call a user otherwise, whom nobody may know any more."""
        self._latest = {
            (name if event[0] == user else event[0], *event[1:]) for event in self._latest
        }

    # -- rows --------------------------------------------------------------------------------

    def _rows(self, columns: Columns) -> list[dict[str, Any]]:
        """Read events one by one, in order of time."""
        for name in ("user", "item"):
            if name not in columns:
                raise ServingError(f"events have no column {name!r}, but {', '.join(columns)}")
        known = (*PLAIN, *self.fields, *self.others)
        unknown = [name for name in columns if name not in known]
        if unknown:
            raise ServingError(f"events have no field {unknown[0]!r} (known: {', '.join(known)})")
        names = list(columns)
        rows = []
        for number, cells in enumerate(zip(*columns.values(), strict=True), start=1):
            try:
                rows.append(self._row(dict(zip(names, cells, strict=True))))
            except ServingError as error:
                if len(columns["user"]) == 1:
                    raise
                raise ServingError(f"event {number}: {error}") from None
        return sorted(rows, key=lambda row: row["time"])

    def _row(self, cells: dict[str, Any]) -> dict[str, Any]:
        behavior = self._behavior(cells.get("behavior"))
        if behavior is not None and behavior not in self.behaviours[1:]:
            known = ", ".join(self.behaviours[1:]) or "none: the log has no behaviours"
            raise ServingError(f"behavior is {behavior!r}, which training never saw ({known})")
        row = {
            "user": raw_id(cells["user"], "user"),
            "item": raw_id(cells["item"], "item"),
            "time": self._time(cells.get("time")),
            "behavior": behavior,
            "purchase": self._purchase(cells.get("purchase"), behavior),
            "key": None if cells.get("key") is None else _key(cells["key"]),
            **{name: cells.get(name) for name in self.fields},
        }
        self._check_fields(row)
        return row

    def _behavior(self, told: Any) -> str | None:
        """Give a kind of action as the log calls it."""
        if told is None:
            return None
        spellings = spellings_of(told)
        return next((name for name in spellings if name in self.behaviours[1:]), spellings[0])

    def _time(self, moment: Any) -> float:
        if moment is not None:
            return self.clock.seconds(moment)
        now = self.clock.now()
        if now is None:
            raise ServingError(
                "an event needs its time, in seconds of the log: nobody knows when that began"
            )
        # A clock of another machine may run ahead: what has no time is never late for it.
        return max(now, self.last)

    def _purchase(self, value: Any, behavior: str | None) -> bool:
        if value is None and behavior is not None and behavior not in self.purchase_of:
            raise ServingError(
                f"purchase is missing, and events of behavior {behavior!r} are purchases at one "
                "time and none at another"
            )
        if value is None:
            return behavior is not None and self.purchase_of[behavior]
        if getattr(value, "ndim", 0) or value not in (0, 1, True, False):
            raise ServingError(f"purchase is {shown(value)}, neither true nor false")
        return bool(value)

    def _check_fields(self, row: Mapping[str, Any]) -> None:
        for found in self.maps:
            if all(row[field.name] is None for field in found.fields):
                # Empty cells can always be read.
                continue
            try:
                found.transform_cells({field.name: [row[field.name]] for field in found.fields})
            except (DataError, TypeError, ValueError, OverflowError) as error:
                raise ServingError(one_line(error)) from None

    # -- rules -------------------------------------------------------------------------------

    def _timely(self, row: dict[str, Any], last: float) -> str | None:
        """Give the reason to drop an event that comes too late or too early."""
        now = self.clock.now()
        if now is None:
            require_near(row["time"], last, row["time"])
        elif row["time"] > now + self.policies.future_tolerance:
            reason = self._ruled("future", row, "lies in the future")
            row["time"] = now
            return reason
        # An event that came again is late as well, but that is not what it is refused for.
        if row["time"] < last and not self._is_known(row, last):
            after = f"comes after one of {self.clock.text(last)}"
            return self._ruled("late", row, f"{after}; a log is in order of time")
        return None

    def _is_known(self, row: Mapping[str, Any], last: float) -> bool:
        return row["time"] < last and self._happened(_event(row))

    def _ruled(self, rule: str, row: Mapping[str, Any], what: str) -> str | None:
        """Give the reason to drop an event, or none if it is taken all the same."""
        decision = getattr(self.policies, rule)
        if decision == "refuse":
            moment = self.clock.text(row["time"])
            raise ServingError(
                f"the event of user {row['user']!r} with item {row['item']!r} at {moment} {what} "
                f"(policy {rule}: refuse)"
            )
        return rule if decision == "drop" else None

    def _record(self, rows: list[dict[str, Any]]) -> Record:
        plain = ("user", "item", "time", "behavior", "purchase")
        return {
            "kind": "events",
            **{name: [row[name] for row in rows] for name in plain},
            "features": {name: [_plain(row[name]) for row in rows] for name in self.fields},
            "keys": [row["key"] for row in rows],
        }


def _event(row: Mapping[str, Any]) -> Event:
    return row["user"], row["item"], row["time"], row["behavior"]


def _key(told: Any) -> str:
    """Give a key as text; whole numbers have no fraction, however they were given."""
    whole = whole_number(told)
    return str(told if whole is None else whole)


def _plain(cell: Any) -> Any:
    """Give a cell as JSON knows it."""
    if hasattr(cell, "tolist"):
        cell = cell.tolist()
    return list(cell) if isinstance(cell, tuple) else cell
