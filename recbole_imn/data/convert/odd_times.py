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
YEAR_1995 = 788_918_400.0
# What numbers that were taken for a unit since 1970 may be: the seconds in one of its, and the
# moment that they count from.
_SINCE_1, _SINCE_1601 = -62_135_596_800.0, -11_644_473_600.0
OTHER_COUNTS = {
    "seconds": (
        ("seconds since 2001", 1, 978_307_200.0),
        ("seconds since 1900", 1, -2_208_988_800.0),
    ),
    "milliseconds": (("milliseconds since 1601", 1, _SINCE_1601),),
    "microseconds": (("microseconds since 1601", 1, _SINCE_1601),),
    "nanoseconds": (
        ("ticks of .NET", 100, _SINCE_1),
        ("file times of Windows", 100, _SINCE_1601),
    ),
}


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
    is_number = time_format in UNITS
    # Who says that they are seconds may count them from anywhere.
    is_from_anywhere = is_told and time_format == "seconds"
    if now + DAY < last and not (is_from_anywhere and last >= DATES[1]):
        share = float(np.mean(times > now))
        return (
            f"{share:.0%} of them lie in the future, up to {_text(last, time_zone)}; they were "
            f"read as {time_format}, which --time-format changes"
            f"{_other_count(first, last, time_format)}"
        )
    if is_from_anywhere:
        return None
    if is_number and first >= 0 and last < LONGEST_SINCE_1970:
        meant = f"{_days_since_1900(first, last)}no {time_format} since 1970"
        return (
            f"all of them lie within {_length(last)} of 1970 ({first:.10g} to {last:.10g} seconds)"
            f"; if they are {meant}, write them as dates or give --time-format; if they count from "
            "a moment of their own, --time-format=seconds"
        )
    if _is_early(first, last, time_format, is_told):
        return (
            f"all of them lie before {day(last + DAY)}, from {day(first)} on; they were read as "
            f"{time_format}, which --time-format changes{_other_count(first, last, time_format)}"
        )
    return None


def _is_early(first: float, last: float, time_format: str, is_told: bool) -> bool:
    """Whether a log is older than any of a shop, and its times say no more than numbers do."""
    if time_format not in UNITS:
        return last < 0
    if is_told:
        return False
    # Seconds and milliseconds may count from the log's beginning, and mostly do where they are few.
    is_from_1970 = time_format in ("microseconds", "nanoseconds") or first >= DATES[0]
    return is_from_1970 and first >= 0 and last < YEAR_1995


def _other_count(first: float, last: float, time_format: str) -> str:
    """Name what times far from now may count instead, where that makes them times of now."""
    if time_format not in UNITS:
        far = last < 0 or last >= DATES[1]
        return "; years of another calendar are to be those of ours" if far else ""
    now = datetime.now(timezone.utc).timestamp()
    for what, factor, start in OTHER_COUNTS.get(time_format, ()):
        seen = [time * factor + start for time in (first, last)]
        if DATES[0] <= seen[0] and seen[1] < now + DAY:
            return f"; as {what} they are {day(seen[0])} to {day(seen[1])}, to be written as dates"
    return ""


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
