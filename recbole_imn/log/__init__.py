"""The event log: append-only columns of what happened, in time order."""

from recbole_imn.log.columns import Flags, Floats, Ids, Integers
from recbole_imn.log.cutting import split_positions, time_positions
from recbole_imn.log.event_log import NO_EVENT, EventLog

__all__ = [
    "NO_EVENT",
    "EventLog",
    "Flags",
    "Floats",
    "Ids",
    "Integers",
    "split_positions",
    "time_positions",
]
