"""Records, and a state machine that tells any two histories apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from recbole_imn.files import replaced
from recbole_imn.serving.errors import ServingError

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


class Machine:
    """A hash of all that was applied, in order, and the users that it names."""

    def __init__(self, weights: str = "") -> None:
        self.state = hashlib.sha256(weights.encode()).hexdigest()
        self.users: list[str] = []
        self.journal_offset = 0

    def apply(self, records: Sequence[dict]) -> None:
        for record in records:
            self._apply(record)
            self.journal_offset += 1

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

    def save(self, path: str | Path) -> None:
        with replaced(Path(path)) as part:
            part.write_text(json.dumps(vars(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Machine:
        machine = cls()
        try:
            machine.__dict__.update(json.loads(Path(path).read_text(encoding="utf-8")))
        except ValueError as error:
            raise ServingError(f"{path} is damaged") from error
        return machine


def after(journal_records: Sequence[dict], weights: str = "") -> Machine:
    """The machine that has applied records."""
    machine = Machine(weights)
    machine.apply(journal_records)
    return machine
