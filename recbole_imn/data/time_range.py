"""Times that cannot be seconds, told by their range alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt

from recbole_imn.units import DAY

YEAR = 365.25 * DAY
# Seconds since the year 1 are below this; milliseconds since 1970 pass it in March 1973.
LARGEST = 1e11
LONGEST_SPAN = 100 * YEAR
LONGEST_GAP = 10 * YEAR
# Times whose median lies between 1980 and 2100 count from 1970; others may count from anywhere.
DATES = (10 * YEAR, 130 * YEAR)
UNITS = {1e3: "milliseconds", 1e6: "microseconds", 1e9: "nanoseconds"}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def suspicious(times: npt.NDArray[np.float64], origin: datetime | None = EPOCH) -> str | None:
    """Say in one line why times are probably no seconds, or not all of them.

    Three things give a wrong unit away, whatever the times count from: values beyond any
    calendar, a log of more than 100 years, and more than 10 years without any event. The last
    is what a row in seconds among milliseconds becomes, or a time of 0 that means 'unknown'.

    Parameters
    ----------
    times : float64 [n]
        Seconds, in any order; a sample with the least and the largest will do. What is not
        finite is left out.
    origin : datetime, optional
        What they count from, in whose time zone days are told; none are told without it. Of 1970
        it is said that they would be counted from there.

    Returns
    -------
    str or None
        A message with the range that was seen; None if nothing is odd.
    """
    is_finite = np.isfinite(times)
    finite = times if is_finite.all() else times[is_finite]
    if len(finite) == 0:
        return None
    if (finite[1:] < finite[:-1]).any():
        finite = np.sort(finite)
    if max(abs(finite[0]), abs(finite[-1])) >= LARGEST:
        return _too_large(finite, origin)
    span, gaps = finite[-1] - finite[0], np.diff(finite)
    # In a log of centuries all gaps may be long.
    if len(gaps) and gaps.max() > max(LONGEST_GAP, span / 4):
        return _apart(finite, int(gaps.argmax()) + 1, origin)
    if span > LONGEST_SPAN:
        return f"times are {_range(finite, origin)}, {span / YEAR:,.0f} years if they are seconds"
    return None


def _too_large(times: npt.NDArray[np.float64], origin: datetime | None) -> str:
    """Say which unit sorted times are in, where it can be told."""
    large = np.abs(times) >= LARGEST
    message = f"times reach {times[np.abs(times).argmax()]:.16g}, which are no seconds of any date"
    for factor, unit in UNITS.items():
        if DATES[0] <= np.median(times[large]) / factor <= DATES[1]:
            seen = times[large] / factor
            message += f"; as {unit} they are {day(seen[0])} to {day(seen[-1])}"
    if not large.all():
        small = times[~large]
        message += f", but {len(small)} of {len(times)} are not, {_range(small, origin)}"
    return message


def _apart(times: npt.NDArray[np.float64], place: int, origin: datetime | None) -> str:
    """Say which of the two groups of sorted times is the odd one."""
    groups = times[:place], times[place:]
    fewer, others = sorted(groups, key=len)
    years = (groups[1][0] - groups[0][-1]) / YEAR
    return (
        f"{len(fewer)} of {len(times)} times are {years:,.0f} years away from all others: "
        f"{_range(fewer, origin)}, the others {_range(others, origin)}"
    )


def _range(times: npt.NDArray[np.float64], origin: datetime | None) -> str:
    """Give the first and the last of sorted times, with dates where they can be meant."""
    if len(times) == 1 or times[0] == times[-1]:
        return _value(times[0], origin)
    return f"{_value(times[0], origin)} to {_value(times[-1], origin)}"


def _value(time: float, origin: datetime | None) -> str:
    if origin is None:
        return f"{time:.16g}"
    if origin == EPOCH:
        dated = 0 <= time <= DATES[1]
        return f"{time:.16g} ({day(time)} if counted from 1970)" if dated else f"{time:.16g}"
    return f"{time:.16g} ({day(time, origin)})"


def day(time: float, origin: datetime = EPOCH) -> str:
    """Give the day of a time in seconds since a moment; the time itself beyond the calendar."""
    try:
        return str((origin + timedelta(seconds=float(time))).date())
    except OverflowError:
        return f"{time:.16g} s"
