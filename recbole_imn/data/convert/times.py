"""Times as whole microseconds since 1970, from numbers and from clock readings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from recbole_imn.data.atomic import DataError

SECOND = 1_000_000
# Numbers beyond it are no times: seconds until the year 5138.
LARGEST_SECONDS = 1e11
UNITS = {"seconds": SECOND, "milliseconds": 1_000, "microseconds": 1}
PATTERNS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
)
DAY_NUMBER = "%Y%m%d"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def parse_times(text: pl.Expr, time_format: str, time_zone: str) -> pl.Expr:
    """Read times as int64 microseconds since 1970; null where a cell is no time.

    Parameters
    ----------
    text : expression of strings
    time_format, time_zone : str
        As in :class:`~recbole_imn.data.convert.source.Layout`. Where a clock was set back,
        the earlier of two moments is taken; a reading that a clock skipped is no time.
    """
    text = text.str.strip_chars()
    if time_format in UNITS:
        unit = UNITS[time_format]
        number = text.cast(pl.Float64, strict=False)
        possible = number.is_finite() & (number.abs() < LARGEST_SECONDS * SECOND / unit)
        return pl.when(possible).then((number * unit).round()).cast(pl.Int64)
    if "%H" not in time_format:
        moment = text.str.to_date(time_format, strict=False).cast(pl.Datetime("us"))
    else:
        moment = text.str.to_datetime(time_format, time_unit="us", strict=False)
    if "z" not in time_format:
        moment = moment.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    return moment.dt.epoch("us")


def guess_format(values: Sequence[str], time_zone: str) -> str:
    """Find the format of a column from its first values that are times.

    Numbers of eight digits that are days are days; others are seconds, milliseconds or
    microseconds by their size.

    Raises
    ------
    DataError
        If no value is a time.
    """
    for value in values:
        for time_format in _candidates(value):
            if _parsed([value], time_format, time_zone).null_count() == 0:
                return time_format
    raise DataError(
        f"none of the first values of the time column is a time: {', '.join(values[:3])!r}; "
        "give --time-format=PATTERN, such as %Y-%m-%d"
    )


def require_format(time_format: str, values: Sequence[str], time_zone: str) -> str:
    """Give a format that makes sense and fits one of the first values.

    Raises
    ------
    DataError
        If it is none, or fits none of the values.
    """
    try:
        parsed = _parsed(values, time_format, time_zone)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"the time format {time_format!r} makes no sense: {error}") from error
    if parsed.null_count() == len(values):
        raise DataError(f"the time format {time_format!r} does not fit {', '.join(values[:3])!r}")
    return time_format


def _parsed(values: Sequence[str], time_format: str, time_zone: str) -> pl.Series:
    frame = pl.DataFrame({"time": values}, schema={"time": pl.String})
    return frame.select(parse_times(pl.col("time"), time_format, time_zone))["time"]


def _candidates(value: str) -> Sequence[str]:
    try:
        number = abs(float(value))
    except ValueError:
        return PATTERNS
    if value.strip().isdigit() and 19000101 <= number <= 21001231:
        return (DAY_NUMBER, "seconds")
    if number < LARGEST_SECONDS:
        return ("seconds",)
    return ("milliseconds",) if number < 1e14 else ("microseconds",)


def require_time_zone(name: str) -> str:
    """Give the name of a time zone that exists.

    Raises
    ------
    DataError
        If there is none of this name.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise DataError(
            f"there is no time zone {name!r}; write for example Asia/Shanghai"
        ) from error
    return name


def midnight_before(time: int, time_zone: str) -> int:
    """Give the midnight, in a time zone, at or before a time; microseconds since 1970."""
    moment = (_EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(time_zone))
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - _EPOCH) // timedelta(microseconds=1)


def as_text(time: int, time_zone: str) -> str:
    """Write a time, microseconds since 1970, in ISO form with its offset."""
    return (_EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(time_zone)).isoformat()
