"""Days of a log as people count them: where the clock of its shop hung."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np

from recbole_imn.log import Floats
from recbole_imn.units import DAY

HOUR = 3_600.0


def day_text(time: float, origin: datetime | None) -> str:
    """Give the day of a time, counted from the first if the origin is unknown.

    Parameters
    ----------
    time : float
        Seconds since the origin.
    origin : datetime or None
        With the time zone in which days begin.
    """
    if origin is None:
        return f"day {int(time // DAY)}"
    return str(_date(time, origin))


def moments_of_days(first: float, last: float, origin: datetime | None, hour: int = 0) -> Floats:
    """Give an hour of every day from that of one time to that of another.

    Parameters
    ----------
    first, last : float
        Seconds since the origin.
    origin : datetime or None
        With the time zone in which days begin; a day has 86,400 seconds where it is unknown.
    hour : int
        0 to 23; of the clock, which a change may have set on or back since midnight.

    Returns
    -------
    float64 [n_days]
        Seconds since the origin.
    """
    if origin is None or not _has_dates(first, last, origin):
        return np.arange(first // DAY, last // DAY + 1) * DAY + hour * HOUR
    days = np.arange(_date(first, origin), _date(last, origin) + 1).astype(object)
    clocks = (datetime(day.year, day.month, day.day, hour, tzinfo=origin.tzinfo) for day in days)
    start = origin.astimezone(timezone.utc)
    return np.array([(clock.astimezone(timezone.utc) - start).total_seconds() for clock in clocks])


def _date(time: float, origin: datetime) -> np.datetime64:
    if not _has_dates(time, time, origin):
        # No clock was ever changed so far away.
        return np.datetime64(origin.date()) + np.timedelta64(int(time // DAY), "D")
    moment = origin.astimezone(timezone.utc) + timedelta(seconds=time)
    return np.datetime64(moment.astimezone(origin.tzinfo).date())


def _has_dates(first: float, last: float, origin: datetime) -> bool:
    """Whether Python's calendar has two times, with a day to spare for any zone."""
    start = origin.astimezone(timezone.utc)
    try:
        _ = start + timedelta(seconds=first, days=-2), start + timedelta(seconds=last, days=2)
    except OverflowError:
        return False
    return True
