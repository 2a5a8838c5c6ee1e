"""Bins and curves of a page: some hundred numbers, however long the log is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from recbole_imn.data.describe.days import HOUR, moments_of_days
from recbole_imn.log import Floats, Integers
from recbole_imn.units import DAY

# Points of a curve, at most.
MOST_POINTS = 366
# Bins of a curve of shares, each with as many events.
SHARES = 40
LIVES = (
    ("under an hour", HOUR),
    ("1 to 6 hours", 6 * HOUR),
    ("6 to 24 hours", DAY),
    ("1 to 3 days", 3 * DAY),
    ("3 to 7 days", 7 * DAY),
    ("1 to 2 weeks", 14 * DAY),
    ("2 to 4 weeks", 28 * DAY),
    ("4 to 13 weeks", 91 * DAY),
    ("longer", np.inf),
)


@dataclass(frozen=True)
class Curve:
    """Values at equal distances, and the seconds of the first, the middle and the last.

    Attributes
    ----------
    values : float64 [n_points]
    times : tuple of float
        Three moments in seconds since the origin.
    days : int
        That each value is the mean of, 0 where it is none of days.
    """

    values: Floats
    times: tuple[float, float, float]
    days: int = 0


def by_number(counts: Integers) -> list[tuple[str, int]]:
    """Count entities by their number of events: 1, 2-3, 4-7 and so on, empty ones included.

    Parameters
    ----------
    counts : int64 [n]
        Not zero.
    """
    # 1 for 1, 2 for 2 and 3, and so on: exact for any integer.
    powers = np.frexp(counts.astype(np.float64))[1]
    found = np.bincount(powers)[1:].tolist()
    return [(_range(2**power, 2 ** (power + 1) - 1), n) for power, n in enumerate(found)]


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def by_life(seconds: Floats, counts: Integers) -> list[tuple[str, int]]:
    """Count items by the time between their first and their last event.

    Parameters
    ----------
    seconds : float64 [n_items]
    counts : int64 [n_items]
        Events of each; those with a single one have a row of their own.
    """
    lives = np.sort(seconds[counts > 1])
    ends = np.searchsorted(lives, [end for _, end in LIVES[:-1]], side="left")
    found = np.diff(ends, prepend=0, append=len(lives)).tolist()
    names = [name for name, _ in LIVES]
    return [("a single event", int((counts == 1).sum())), *zip(names, found, strict=True)]


def per_day(times: Floats, log_times: Floats, origin: datetime | None = None) -> Curve:
    """Give the number of times a day, the mean of several days where there are many.

    Parameters
    ----------
    times : float64 [n]
        Seconds, in order.
    log_times : float64 [n_events]
        Seconds, in order; days are counted from the first to the last.
    origin : datetime, optional
        The moment that times count from, with the time zone in which days begin.
    """
    days = moments_of_days(float(log_times[0]), float(log_times[-1]), origin)
    before = np.searchsorted(times, days, side="left")
    return of_days(days, np.diff(before, append=len(times)))


def of_days(days: Floats, values: Integers) -> Curve:
    """Average values of days over as many days as leave few enough points.

    Parameters
    ----------
    days : float64 [n_days]
        Seconds at which they begin.
    values : int64 [n_days]
    """
    width = -(-len(days) // MOST_POINTS)
    starts = np.arange(0, len(days), width)
    numbers = np.diff(starts, append=len(days))
    means: Floats = np.add.reduceat(values, starts) / numbers
    return Curve(means, _three(days), width)


def shares(flags: npt.NDArray[np.bool_], times: Floats) -> Curve:
    """Give the percentage of flags in bins of equally many events.

    Parameters
    ----------
    flags : bool [n]
    times : float64 [n]
        Seconds, in order.
    """
    if not len(flags):
        return Curve(np.zeros(0), (0.0, 0.0, 0.0))
    edges = np.unique(np.linspace(0, len(flags), SHARES + 1).astype(np.int64))
    sums = np.add.reduceat(flags, edges[:-1], dtype=np.int64)
    return Curve(100 * sums / np.diff(edges), _three(times))


def _three(times: Floats) -> tuple[float, float, float]:
    """Give the first, the middle and the last of some moments."""
    return float(times[0]), float(times[len(times) // 2]), float(times[-1])
