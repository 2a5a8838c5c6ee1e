"""Records, and a state machine that tells any two histories apart."""

from __future__ import annotations

import hashlib
import json
import threading
import time as clock
from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import strategies as st

from recbole_imn.errors import ServingError
from recbole_imn.files import replaced

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
records = st.dictionaries(st.text(), values, max_size=4)
batches = st.lists(st.lists(records, min_size=1, max_size=4), max_size=5)


def event(user: str, item: str = "i1", time: float = 0.0) -> dict:
    """A record of one event."""
    return {
        "kind": "events",
        "user": [user],
        "item": [item],
        "time": [time],
        "behavior": ["view"],
        "purchase": [0],
        "features": {},
        "keys": [None],
    }


def events(first: int, number: int) -> list[dict]:
    """Records that differ, numbered."""
    return [event(f"u{k % 7}", f"i{k % 11}", k + 0.1) for k in range(first, first + number)]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads do, but not for ever."""
    until = clock.monotonic() + 30
    while not condition():
        assert clock.monotonic() < until, "it never came"
        clock.sleep(0.005)


class Machine:
    """A hash of all that was applied, in order, and the users that it names.

    A recommender in small: it keeps what it observes in its journal before it applies it.
    """

    def __init__(self, weights: str = "", journal=None) -> None:
        self.weights = weights
        self.state = hashlib.sha256(weights.encode()).hexdigest()
        self.users: list[str] = []
        self.journal_offset = 0
        self.journal, self.lock = journal, threading.RLock()

    def observe(self, user: str, item: str = "i1") -> None:
        self._keep(event(user, item))

    def forget(self, user: str) -> None:
        with self.lock:
            other = f"forgotten-{sum(name.startswith('forgotten') for name in self.users) + 1}"
            self._keep({"kind": "forget", "user": user, "as": other})
            self.journal.forget(user, other)

    def apply(self, records: Sequence[dict]) -> None:
        with self.lock:
            for record in records:
                self._apply(record)
                self.journal_offset += 1

    def save(self, path: str | Path) -> None:
        with self.lock, replaced(Path(path)) as part:
            part.write_text(json.dumps(self.values()), encoding="utf-8")

    def values(self) -> dict:
        """All there is to it."""
        return {key: value for key, value in vars(self).items() if key not in ("journal", "lock")}

    @classmethod
    def load(cls, path: str | Path, journal=None) -> Machine:
        machine = cls(journal=journal)
        try:
            machine.__dict__.update(json.loads(Path(path).read_text(encoding="utf-8")))
        except ValueError as error:
            raise ServingError(f"{path} is damaged") from error
        if journal is not None:
            machine.apply([record for _, record in journal.read(machine.journal_offset)])
        return machine

    def _keep(self, record: dict) -> None:
        with self.lock:
            self.journal.append([record])
            self.apply([record])

    def _apply(self, record: dict) -> None:
        if record["kind"] == "forget":
            if record["user"] in self.users:
                self.users[self.users.index(record["user"])] = record["as"]
            return
        for user in record["user"]:
            if user not in self.users:
                self.users.append(user)
        # Of users, what counts is who they are, not how they are called.
        known = {**record, "user": [self.users.index(user) for user in record["user"]]}
        self.state = hashlib.sha256((self.state + json.dumps(known)).encode()).hexdigest()


def having_applied(records: Sequence[dict], weights: str = "") -> Machine:
    """The machine that has applied records."""
    machine = Machine(weights)
    machine.apply(records)
    return machine
