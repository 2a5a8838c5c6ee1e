"""One log of all users' events, appended to and never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recbole_imn.errors import LogError
from recbole_imn.files import replace_text
from recbole_imn.log.columns import Column, Flags, Floats, Ids, Integers
from recbole_imn.log.completing import complete_columns
from recbole_imn.log.cutting import split_positions, time_positions

NO_EVENT = -1
MOST_EVENTS = 2**31 - 2
_HEADER = "log.json"


@dataclass(frozen=True)
class Sizes:
    """Sizes of the id spaces, padding included."""

    n_users: int
    n_items: int
    n_behaviours: int


class EventLog:
    """Events of all users in time order, as columns that only grow.

    Attributes
    ----------
    user, item : int32 [n_events]
        Ids from 1; 0 is padding and never occurs.
    time : float64 [n_events]
        Seconds, not decreasing.
    behaviour : int16 [n_events]
        Kind of action from 1; 0 where it is unknown, or the log has no such column.
    purchase : bool [n_events]
        Whether the event uses up the user's limited resource.
    features : float32 [n_events, n_features]
        Numeric features of the event itself; width 0 where there are none.
    inventory : float32 [n_events, n_inventory]
        The shelf as the user saw it; width 0 where it is not known.
    n_users, n_items, n_behaviours : int
        Sizes of the id spaces, padding included.
    """

    def __init__(
        self,
        n_users: int = 1,
        n_items: int = 1,
        n_behaviours: int = 1,
        n_features: int = 0,
        n_inventory: int = 0,
        folder: Path | None = None,
    ) -> None:
        self.sizes = Sizes(n_users, n_items, n_behaviours)
        self.folder = folder
        self._columns = _make_columns(folder, n_features, n_inventory, 0)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._write_header()

    @classmethod
    def from_columns(
        cls,
        user: npt.ArrayLike,
        item: npt.ArrayLike,
        time: npt.ArrayLike,
        behaviour: npt.ArrayLike | None = None,
        purchase: npt.ArrayLike | None = None,
        features: npt.ArrayLike | None = None,
        inventory: npt.ArrayLike | None = None,
        n_users: int | None = None,
        n_items: int | None = None,
        n_behaviours: int | None = None,
        folder: Path | None = None,
    ) -> EventLog:
        """Make a log of columns sorted by time.

        Parameters
        ----------
        user, item, time, behaviour, purchase, features, inventory : array_like
            As in the class attributes; one entry an event.
        n_users, n_items, n_behaviours : int, optional
            Sizes of the id spaces; by default one more than the largest id.
        folder : Path, optional
            Where to keep the columns, mapped; by default they are in memory.

        Raises
        ------
        LogError
            If a column is empty, too short, out of range, or times decrease or are not finite.
        """
        n = len(np.atleast_1d(np.asarray(time)))
        if n == 0:
            raise LogError("the log has no events")
        columns = complete_columns(user, item, time, behaviour, purchase, features, inventory)
        sizes = (
            _size(columns["user"], n_users),
            _size(columns["item"], n_items),
            _size(columns["behaviour"], n_behaviours),
        )
        widths = columns["features"].shape[1], columns["inventory"].shape[1]
        log = cls(*sizes, *widths, folder=folder)
        for column in log._columns.values():
            column.fit(n)
        log.append(columns)
        return log

    @classmethod
    def open(cls, folder: Path) -> EventLog:
        """Open a log that was kept in a folder.

        Raises
        ------
        LogError
            If there is none.
        """
        path = folder / _HEADER
        if not path.is_file():
            raise LogError(f"{folder} holds no event log: there is no {_HEADER}")
        header = json.loads(path.read_text(encoding="utf-8"))
        log = cls.__new__(cls)
        log.sizes = Sizes(**header["sizes"])
        log.folder = folder
        n_features, n_inventory = header["widths"]
        log._columns = _make_columns(folder, n_features, n_inventory, header["events"])
        return log

    @property
    def user(self) -> Ids:
        """Users, int32 [n_events]."""
        return self._columns["user"].values

    @property
    def item(self) -> Ids:
        """Items, int32 [n_events]."""
        return self._columns["item"].values

    @property
    def time(self) -> Floats:
        """Seconds, float64 [n_events]."""
        return self._columns["time"].values

    @property
    def behaviour(self) -> npt.NDArray[np.int16]:
        """Kinds of action, int16 [n_events]."""
        return self._columns["behaviour"].values

    @property
    def purchase(self) -> Flags:
        """Whether events are purchases, bool [n_events]."""
        return self._columns["purchase"].values

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """Features of events, float32 [n_events, n_features]."""
        return self._columns["features"].values

    @property
    def inventory(self) -> npt.NDArray[np.float32]:
        """The shelf at events, float32 [n_events, n_inventory]."""
        return self._columns["inventory"].values

    @property
    def n_users(self) -> int:
        """Size of the space of user ids, padding included."""
        return self.sizes.n_users

    @property
    def n_items(self) -> int:
        """Size of the space of item ids, padding included."""
        return self.sizes.n_items

    @property
    def n_behaviours(self) -> int:
        """Kinds of action, the unknown one included."""
        return self.sizes.n_behaviours

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self._columns["time"])

    def __deepcopy__(self, memo: dict[int, Any]) -> EventLog:
        """Return the log itself: what it holds never changes."""
        return self

    def append(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append events that are not earlier than the last one; all of them, or none.

        Parameters
        ----------
        columns : mapping
            As :func:`complete_columns` gives them.

        Raises
        ------
        LogError
            If they are earlier, or ids are outside their spaces; :meth:`grow` makes those larger.
        """
        start = len(self)
        _check_times(columns["time"], float(self.time[-1]) if start else -np.inf, start)
        _check_ids("user", columns["user"], self.n_users, 1, start)
        _check_ids("item", columns["item"], self.n_items, 1, start)
        _check_ids("behaviour", columns["behaviour"], self.n_behaviours, 0, start)
        if start + len(columns["time"]) > MOST_EVENTS:
            raise LogError(f"a log holds {MOST_EVENTS} events at most")
        for name, column in self._columns.items():
            if columns[name].shape[1:] != column.values.shape[1:]:
                raise LogError(
                    f"events have {columns[name].shape[1]} {name}, the log has "
                    f"{column.values.shape[1]}"
                )
        for name, column in self._columns.items():
            column.append(columns[name])
        if self.folder is not None:
            for column in self._columns.values():
                column.flush()
            self._write_header()

    def grow(self, n_users: int = 0, n_items: int = 0, n_behaviours: int = 0) -> None:
        """Make the spaces of ids larger; what is in the log keeps its ids."""
        self.sizes = Sizes(
            max(n_users, self.n_users),
            max(n_items, self.n_items),
            max(n_behaviours, self.n_behaviours),
        )

    def bytes_an_event(self) -> int:
        """Bytes that an event takes, beside its features and inventory."""
        plain = (name for name in self._columns if name not in ("features", "inventory"))
        return sum(self._columns[name].values.dtype.itemsize for name in plain)

    def split(self, ratios: Sequence[float], between_times: bool = False) -> tuple[int, ...]:
        """Cut the log in time, as :func:`split_positions` says; ties keep their order.

        With ``between_times`` as :func:`time_positions` says, which leaves ties together.
        """
        if between_times:
            return time_positions(self.time, ratios)
        return split_positions(len(self), ratios)

    def _write_header(self) -> None:
        assert self.folder is not None
        header = {
            "events": len(self),
            "sizes": vars(self.sizes),
            "widths": [self.features.shape[1], self.inventory.shape[1]],
        }
        # Last of all: entries behind the length that it says do not exist.
        replace_text(self.folder / _HEADER, json.dumps(header))


def _make_columns(
    folder: Path | None, n_features: int, n_inventory: int, length: int
) -> dict[str, Column]:
    kinds: dict[str, tuple[npt.DTypeLike, tuple[int, ...]]] = {
        "user": (np.int32, ()),
        "item": (np.int32, ()),
        "time": (np.float64, ()),
        "behaviour": (np.int16, ()),
        "purchase": (np.bool_, ()),
        "features": (np.float32, (n_features,)),
        "inventory": (np.float32, (n_inventory,)),
    }
    return {
        name: Column(*kind, None if folder is None else folder / f"{name}.column", length)
        for name, kind in kinds.items()
    }


def _size(ids: Integers, size: int | None) -> int:
    return int(ids.max(initial=0)) + 1 if size is None else size


def _check_times(time: Floats, last: float, start: int) -> None:
    if not np.isfinite(time).all():
        event = int(np.flatnonzero(~np.isfinite(time))[0])
        raise LogError(
            f"time of event {start + event} is {time[event]}, not a finite number of seconds"
        )
    earlier = np.concatenate([[last], time[:-1]])
    backwards = np.flatnonzero(time < earlier)
    if len(backwards):
        event = int(backwards[0])
        raise LogError(
            f"time of event {start + event} is {time[event]}, earlier than {earlier[event]} "
            "before it; sort the log by time"
        )


def _check_ids(name: str, ids: Integers, size: int, smallest: int, start: int) -> None:
    outside = np.flatnonzero((ids < smallest) | (ids >= size))
    if len(outside):
        event = int(outside[0])
        raise LogError(
            f"{name} of event {start + event} is {ids[event]}, outside {smallest}..{size - 1}"
        )
