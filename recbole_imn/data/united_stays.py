"""Stays of items on the shelf with what overlaps united, and which events are in none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.log import Floats, Integers

# Events looked at at once.
ROWS = 1 << 20


@dataclass(frozen=True)
class Stays:
    """Stays on the shelf, in order of item and start.

    Attributes
    ----------
    item : int64 [n_stays]
    start, end : float64 [n_stays]
        Seconds of the log.
    """

    item: Integers
    start: Floats
    end: Floats


def united(item: Integers, start: Floats, end: Floats, last: float) -> Stays:
    """Give stays as they are within a log, those of an item that overlap or touch as one.

    Parameters
    ----------
    item : int64 [n_stays]
    start, end : float64 [n_stays]
        Seconds of the log; infinity where the end is open.
    last : float
        Time of the last event: what comes later is not known, and every end is cut there, but
        not before its start.
    """
    order = np.lexsort((start, item))
    item, start = item[order], start[order]
    end = np.minimum(end[order], np.maximum(start, last))
    latest = _latest_so_far(item, end)
    is_first = np.ones(len(item), np.bool_)
    is_first[1:] = (item[1:] != item[:-1]) | (start[1:] > latest[:-1])
    heads = np.flatnonzero(is_first)
    ends = latest[np.append(heads[1:], len(item))[: len(heads)] - 1]
    return Stays(item[heads], start[heads], ends)


def _latest_so_far(item: Integers, end: Floats) -> Floats:
    """Give the latest end of each item's stays up to each, of stays in order of item."""
    ends, rank = np.unique(end, return_inverse=True)
    number = np.cumsum(np.append(0, item[1:] != item[:-1])[: len(item)])
    # Ranks of a later item are above all of an earlier one, so that one pass serves all.
    highest = np.maximum.accumulate(number * len(ends) + rank)
    latest: Floats = ends[highest - number * len(ends)]
    return latest


def missed(stays: Stays, item: Integers, time: Floats) -> npt.NDArray[np.bool_]:
    """Tell which events are of items that were not for sale then, bool [n_events].

    Parameters
    ----------
    stays : Stays
        Those of an item apart.
    item : int64 [n_events]
    time : float64 [n_events]
    """
    off = np.ones(len(item), np.bool_)
    if not len(stays.item):
        return off
    moments = np.unique(stays.start)
    width = len(moments) + 1
    keys = stays.item * width + np.searchsorted(moments, stays.start, side="right")
    for first in range(0, len(item), ROWS):
        who, when = item[first : first + ROWS], time[first : first + ROWS]
        key = who * width + np.searchsorted(moments, when, side="right")
        # The item's last stay that began by then; before all stays, the last of all.
        place = np.searchsorted(keys, key, side="right") - 1
        off[first : first + ROWS] = (stays.item[place] != who) | ~_covers(stays, place, when)
    return off


def _covers(stays: Stays, place: Integers, time: Floats) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (stays.start[place] <= time) & (time <= stays.end[place])
    return found
