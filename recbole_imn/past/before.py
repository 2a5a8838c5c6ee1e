"""The past as of a position: chains of events lead back from what is the latest of all."""

from __future__ import annotations

from recbole_imn.kernels.compiled import compiled
from recbole_imn.log import Ids


@compiled
def latest_before(event: int, position: int, chain: Ids) -> int:
    """Find the latest event of a chain before a position; -1 for none.

    Parameters
    ----------
    event : int
        An event of the chain that is not older, or -1.
    position : int
    chain : int32 or int64 [n_events]
        The event before each one, or -1.
    """
    while event >= position:
        event = chain[event]
    return event


@compiled
def counted_before(event: int, count: int, position: int, chain: Ids) -> tuple[int, int]:
    """Find the latest event of a chain before a position, and how many there are up to it.

    Parameters
    ----------
    event, count : int
        An event of the chain that is not older, or -1, and how many there are up to it.
    position : int
    chain : int32 or int64 [n_events]
        The event before each one, or -1.
    """
    while event >= position:
        event = chain[event]
        count -= 1
    return event, count
