"""Sessions of users: events that follow each other without a longer break.

A session is named by its first event. Whoever knows one of its events gets to the first, and from
there forward. Links forward are the only entries that later events write; a walk that ends at a
position reads the same, whatever comes after it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from recbole_imn.kernels.compiled import exact
from recbole_imn.log import NO_EVENT, Floats, Ids
from recbole_imn.log.columns import Column
from recbole_imn.past.past import Past


class Sessions(NamedTuple):
    """Entries an event, int32 [n_events].

    Attributes
    ----------
    first : int32
        The first event of the event's session.
    following : int32
        The next event of the session; -1 for none so far. It may lie beyond a row's position.
    """

    first: Ids
    following: Ids


class SessionIndex:
    """The sessions of a past's log, kept as the log grows; 8 bytes an event.

    Parameters
    ----------
    past : Past
        All of its log is indexed, whatever its position.
    longest_break : float
        Seconds; a user's event that is later than that after his previous one begins a session.
    """

    def __init__(self, past: Past, longest_break: float) -> None:
        self.past, self.longest_break = past, longest_break
        self._columns = [Column(np.int32) for _ in Sessions._fields]
        self.extend()

    def __len__(self) -> int:
        """Return the number of indexed events."""
        return len(self._columns[0])

    @property
    def sessions(self) -> Sessions:
        """The sessions of the indexed events, without a copy."""
        return Sessions(*(column.values for column in self._columns))

    def extend(self) -> None:
        """Index the events of the log that are not indexed yet."""
        log, start = self.past.log, len(self)
        for column in self._columns:
            column.extend(len(log) - start)
        _extend(start, log.time, self.past.chains.user, self.longest_break, self.sessions)


@exact
def _extend(
    start: int, times: Floats, user_chain: Ids, longest_break: float, sessions: Sessions
) -> None:
    """Write the entries of the events from ``start`` on."""
    for event in range(start, len(times)):
        before = user_chain[event]
        sessions.first[event] = event
        sessions.following[event] = NO_EVENT
        if before >= 0 and times[event] - times[before] <= longest_break:
            sessions.first[event] = sessions.first[before]
            sessions.following[before] = event
