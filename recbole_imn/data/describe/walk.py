"""One pass over the events of a log, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.data.describe.log import Log
from recbole_imn.kernels.compiled import exact
from recbole_imn.log import Floats, Integers


@dataclass(frozen=True)
class Walk:
    """What one pass over a log in order of time finds.

    Attributes
    ----------
    repeats : int
        Events on the item of the user's previous event.
    tied : int
        Events at the same time as another one.
    tied_same_user : int
        Events at the same time as the user's previous event.
    first, last : float64 [n_items]
        Seconds at which each item had its first and its last event.
    """

    repeats: int
    tied: int
    tied_same_user: int
    first: Floats
    last: Floats


def walk(log: Log) -> Walk:
    """Walk through a log once; beside it, memory is that of its users and items."""
    n_users, n_items = int(log.user.max()) + 1, int(log.item.max()) + 1
    first, last = np.full(n_items, np.nan), np.full(n_items, np.nan)
    item_before, time_before = np.full(n_users, -1, np.int64), np.full(n_users, np.nan)
    counts = _walk(log.user, log.item, log.time, item_before, time_before, first, last)
    repeats, tied, tied_same_user = map(int, counts)
    return Walk(repeats, tied, tied_same_user, first, last)


@exact
def _walk(
    user: Integers,
    item: Integers,
    time: Floats,
    item_before: Integers,
    time_before: Floats,
    first: Floats,
    last: Floats,
) -> tuple[int, int, int]:
    """Count, and fill the last four: what was before of each user, and ends of each item."""
    repeats, tied, tied_same_user = 0, 0, 0
    n = len(user)
    for k in range(n):
        who, what, when = user[k], item[k], time[k]
        if item_before[who] == what:
            repeats += 1
        # Not a number, and so equal to nothing, before the user's first event.
        if time_before[who] == when:
            tied_same_user += 1
        if (k > 0 and time[k - 1] == when) or (k + 1 < n and time[k + 1] == when):
            tied += 1
        item_before[who], time_before[who] = what, when
        if np.isnan(first[what]):
            first[what] = when
        last[what] = when
    return repeats, tied, tied_same_user
