"""Times as whole microseconds since 1970, from numbers and from clock readings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from recbole_imn.data.convert.patterns import ZONES, Pattern, translate
from recbole_imn.errors import DataError

SECOND = 1_000_000
# Numbers beyond it are no times: seconds until the year 5138.
LARGEST_SECONDS = 1e11
UNITS = {"seconds": 1e6, "milliseconds": 1e3, "microseconds": 1.0, "nanoseconds": 1e-3}
# Clock readings that are looked for, none of which can be taken for another. Day and month in
# figures with a slash between them are not among them: nobody knows which is which.
PATTERNS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f %Z",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y/%m/%d %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%b-%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%a %b %d %H:%M:%S %Z %Y",
    "%a %b %d %Y %H:%M:%S GMT%z (%Z)",
)
DAY_NUMBER = "%Y%m%d"
# Numbers of so many digits that are clock readings, when most of the sample can be read so.
MOST = 0.9
HOUR_NUMBER = "%Y%m%d%H"
DIGITS = {
    8: DAY_NUMBER,
    10: HOUR_NUMBER,
    12: "%Y%m%d%H%M",
    14: "%Y%m%d%H%M%S",
    17: "%Y%m%d%H%M%S%3f",
}
# A whole number as columns of numbers with gaps are written.
_WHOLE = r"^([+-]?[0-9]+)\.0*$"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# A year of two digits read as one of four: no log is as old as the year 1000.
_TOO_EARLY = (datetime(1000, 1, 1, tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1)


def parse_times(text: pl.Expr, time_format: str, time_zone: str, is_end: bool = False) -> pl.Expr:
    """Read times as int64 microseconds since 1970; null where a cell is no time.

    A whole number may have a ``.0`` behind it, as columns of numbers with gaps are often written.

    Parameters
    ----------
    text : expression of strings
    time_format : str
        ``seconds``, ``milliseconds``, ``microseconds`` or ``nanoseconds`` since 1970, a pattern
        such as ``%Y-%m-%d %H:%M:%S``, or the pattern of a date and one of these units of the
        time of day behind it: ``%Y-%m-%d milliseconds``.
    time_zone : str
        Where the clock of a pattern without an offset hung. Where it was set back, the earlier
        of two moments is taken; a reading that it skipped is no time. A reading that names no
        time of day is the first moment of its day, even where that is not midnight.
    is_end : bool
        Whether such a reading is the last microsecond of its day instead (or of its month or
        year, where the pattern has no day).
    """
    text = text.str.strip_chars()
    if "." not in time_format:
        text = text.map_batches(_without_point, return_dtype=pl.String)
    if time_format in UNITS:
        return _microseconds(text, time_format)
    date, unit = split_unit(time_format)
    if unit is None:
        return _moments(text, translate(time_format), time_zone, is_end)
    pattern = translate(date)
    moment = _readings(text.str.extract(r"^(.*\S)\s+\S+$"), pattern)
    elapsed = _microseconds(text.str.extract(r"\s(\S+)$"), unit)
    moment = moment + pl.duration(microseconds=elapsed)
    return _since_1970(_localized(moment, time_zone) if pattern.zone == "clock" else moment)


def _moments(text: pl.Expr, pattern: Pattern, time_zone: str, is_end: bool) -> pl.Expr:
    moment, instant = _readings(text, pattern), pl.duration(microseconds=1)
    is_end = is_end and pattern.span != ""
    if is_end:
        moment = moment.dt.offset_by(pattern.span) - instant
    if pattern.zone != "clock":
        return _since_1970(moment)
    if is_end or not pattern.span:
        return _since_1970(_localized(moment, time_zone, "latest" if is_end else "earliest"))
    starts = partial(_starts_of_days, time_zone=time_zone)
    return _since_1970(moment.map_batches(starts, return_dtype=pl.Datetime("us", time_zone)))


def _without_point(cells: pl.Series) -> pl.Series:
    """Write whole numbers without a fraction; a look at a column is cheaper, and mostly enough."""
    has_points = cells.str.contains(".", literal=True).any()
    return cells.str.replace(_WHOLE, "${1}") if has_points else cells


def _starts_of_days(midnights: pl.Series, time_zone: str) -> pl.Series:
    """Give the first moments of days; in most zones each day has a midnight."""
    frame = midnights.to_frame("midnight")
    exact = frame.select(_localized(pl.col("midnight"), time_zone)).to_series()
    if exact.null_count() == midnights.null_count():
        return exact
    # A change of the clock may skip midnight; some zones once skipped a whole day.
    instant = pl.duration(microseconds=1)
    first = _localized(pl.col("midnight") - instant, time_zone) + instant
    is_there = first.dt.date() == pl.col("midnight").dt.date()
    return frame.select(pl.coalesce(exact, pl.when(is_there).then(first))).to_series()


def split_unit(time_format: str) -> tuple[str, str | None]:
    """Split the unit of the time of day from the pattern of a date before it."""
    date, _, unit = time_format.rpartition(" ")
    return (date, unit) if unit in UNITS and date else (time_format, None)


def has_no_offset(time_format: str) -> bool:
    """Whether times of a format are readings of a clock, of which nobody says where it hung."""
    date, _ = split_unit(time_format)
    return date not in UNITS and translate(date).zone == "clock"


def _microseconds(text: pl.Expr, unit: str) -> pl.Expr:
    if unit == "nanoseconds":
        # More digits than a float has.
        return text.cast(pl.Int64, strict=False) // 1_000
    number = text.cast(pl.Float64, strict=False)
    possible = number.is_finite() & (number.abs() < LARGEST_SECONDS * SECOND / UNITS[unit])
    return pl.when(possible).then((number * UNITS[unit]).round()).cast(pl.Int64)


def _readings(text: pl.Expr, pattern: Pattern) -> pl.Expr:
    """Give clock readings, or moments where the cells say their offset from UTC."""
    return _prepared(text, pattern).str.to_datetime(
        pattern.chrono, time_unit="us", strict=False, ambiguous="earliest"
    )


def _prepared(text: pl.Expr, pattern: Pattern) -> pl.Expr:
    """Lay out cells as the parser wants them."""
    if pattern.fraction_sign:
        sign = f"[{pattern.fraction_sign}]" if pattern.fraction_sign != "^" else r"\^"
        text = text.str.replace(rf"^(.*){sign}(\d)", "${1}.${2}")
    if "behind" in pattern.skipped_names:
        text = text.str.replace(r"\s*\([^()]*\)", "")
    if "before" in pattern.skipped_names:
        text = text.str.replace(r"[A-Za-z]+([+-][0-9]{2}:?[0-9]{2})", "${1}")
    tail = pattern.tail
    if pattern.zone == "name":
        name = rf"(?i)(^|[^A-Z])({'|'.join(ZONES)})($|[^A-Z])"
        offset = text.str.extract(name, 2).str.to_uppercase()
        offset = offset.replace_strict(ZONES, default=None, return_dtype=pl.String)
        return pl.concat_str([text.str.replace(name, "${1}${3}"), offset], separator=" ") + tail
    return text + tail if tail else text


def _localized(
    moment: pl.Expr, time_zone: str, ambiguous: Literal["earliest", "latest"] = "earliest"
) -> pl.Expr:
    return moment.dt.replace_time_zone(time_zone, ambiguous=ambiguous, non_existent="null")


def _since_1970(moment: pl.Expr) -> pl.Expr:
    time = moment.dt.epoch("us")
    return pl.when(time >= _TOO_EARLY).then(time)


def guess_format(values: Sequence[str], time_zone: str) -> str:
    """Find the format that fits most of a column's first values, the first such one.

    Numbers that can nearly all be days or compact clock readings are these, days with an hour only
    if they would lie in the future as seconds; others are seconds, milliseconds, microseconds or
    nanoseconds by their size.

    Raises
    ------
    DataError
        If no value is a time.
    """
    votes = {name: fitting(values, name, time_zone) for name in _candidates(values)}
    for name in DIGITS.values():
        # A cell that is broken does not turn days into seconds.
        if votes.get(name, 0) >= MOST * len(values):
            return name
    best = max(votes, key=votes.__getitem__, default="")
    if not votes or not votes[best]:
        raise DataError(
            f"none of the first values of the time column is a time: {', '.join(values[:3])!r}; "
            "give --time-format=PATTERN, such as %Y-%m-%d"
        )
    return best


def find_format(values: Sequence[str], time_zone: str, likely: str) -> str:
    """Take a likely format that most of a column's first values have; otherwise guess.

    Numbers are guessed, too, where a unit is likely: days such as 20240301 are no seconds.

    Parameters
    ----------
    values : sequence of str
    time_zone : str
    likely : str
        ``auto`` if none is known.

    Raises
    ------
    DataError
        If no value is a time.
    """
    if likely == "auto" or fitting(values, likely, time_zone) < MOST * len(values):
        return guess_format(values, time_zone)
    found = guess_format(values, time_zone) if likely in UNITS else likely
    return found if found in DIGITS.values() else likely


def fitting(values: Sequence[str], time_format: str, time_zone: str) -> int:
    """Count values that a format fits, a number only by the unit that its size is of."""
    if time_format == HOUR_NUMBER:
        values = [value for value in values if _is_hour(value)]
    if time_format in UNITS:
        values = [value for value in values if _unit(value) == time_format]
    return len(values) - _parsed(values, time_format, time_zone).null_count()


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
        reason = str(error).splitlines()[0]
        raise DataError(f"the time format {time_format!r} makes no sense: {reason}") from error
    if parsed.null_count() == len(values):
        raise DataError(f"the time format {time_format!r} does not fit {', '.join(values[:3])!r}")
    return time_format


def _parsed(values: Sequence[str], time_format: str, time_zone: str) -> pl.Series:
    frame = pl.DataFrame({"time": values}, schema={"time": pl.String})
    return frame.select(parse_times(pl.col("time"), time_format, time_zone))["time"]


def _candidates(values: Sequence[str]) -> Sequence[str]:
    """Give formats to try."""
    figures = (re.sub(_WHOLE, r"\1", value.strip()) for value in values)
    lengths = {len(value) for value in figures if value.isdigit()}
    compact = [name for length, name in DIGITS.items() if length in lengths]
    units = [unit for value in values if (unit := _unit(value))]
    return [*compact, *dict.fromkeys(units), *(PATTERNS if len(units) < len(values) else ())]


def _is_hour(value: str) -> bool:
    """Whether ten digits are a day and an hour of this time that seconds have not reached yet."""
    figures = re.sub(_WHOLE, r"\1", value.strip())
    is_of_this_time = len(figures) == 10 and figures[:2] in ("19", "20")
    return is_of_this_time and float(figures) > datetime.now(timezone.utc).timestamp()


def _unit(value: str) -> str | None:
    """Tell the unit of a number since 1970 by its size."""
    try:
        size = abs(float(value))
    except ValueError:
        return None
    limits = (LARGEST_SECONDS, 1e14, 1e17, 1e20)
    return next((unit for unit, limit in zip(UNITS, limits, strict=True) if size < limit), None)


def require_time_zone(name: str) -> str:
    """Give the name of a time zone that exists.

    Raises
    ------
    DataError
        If there is none of this name.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
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
