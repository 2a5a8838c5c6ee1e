"""Logs whose times can be read, and lie where no log does."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np

from recbole_imn.data.convert.times import UNITS, as_text
from recbole_imn.data.time_range import DATES, day, suspicious
from recbole_imn.log import Floats
from recbole_imn.units import DAY

# As seconds, days since 1900 are hours; as milliseconds, seconds of this century are weeks.
LONGEST_SINCE_1970 = 31 * DAY


def odd(times: Floats, time_format: str, is_told: bool, time_zone: str) -> str | None:
    """Say in one line why times are probably not what they were read as.

    Parameters
    ----------
    times : float64 [n]
        Seconds since 1970, in any order; a sample with the least and the largest will do.
    time_format : str
        As which they were read.
    is_told : bool
        Whether the user said so; else it was found.
    time_zone : str
        In which they are told.
    """
    first, last = float(times.min()), float(times.max())
    now = datetime.now(timezone.utc).timestamp()
    if found := suspicious(times):
        return found
    if now + DAY < last < DATES[1]:
        share = float(np.mean(times > now))
        return (
            f"{share:.0%} of them lie in the future, up to {_text(last, time_zone)}; they were "
            f"read as {time_format}, which --time-format changes"
        )
    is_number = time_format in UNITS
    # Who says that they are seconds may count them from anywhere.
    if not is_number or (is_told and time_format == "seconds") or not 0 <= first <= last:
        return None
    if last >= LONGEST_SINCE_1970:
        return None
    meant = f"{_days_since_1900(first, last)}no {time_format} since 1970"
    return (
        f"all of them lie within {_length(last)} of 1970 ({first:.10g} to {last:.10g} seconds); if "
        f"they are {meant}, write them as dates or give --time-format; if they count from a moment "
        "of their own, --time-format=seconds"
    )


def _days_since_1900(first: float, last: float) -> str:
    """Name the likeliest other meaning: spreadsheets count days from 1900."""
    from_1900 = 25_569.0
    is_likely = all(DATES[0] <= (time - from_1900) * DAY <= DATES[1] for time in (first, last))
    if not is_likely:
        return ""
    days = [day((time - from_1900) * DAY) for time in (first, last)]
    return f"days of a spreadsheet, {days[0]} to {days[1]}, and "


def _text(time: float, time_zone: str) -> str:
    return as_text(round(time * 1e6), time_zone)


def _length(seconds: float) -> str:
    days = seconds / DAY
    return f"{days:.0f} days" if days >= 2 else f"{max(seconds / 3_600, 1):.0f} hours"
