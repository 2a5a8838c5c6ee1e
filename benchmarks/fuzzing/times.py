"""Clock readings, written and read with Python's own datetime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from fuzzing.reading import number

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Clock:
    """A way to write times.

    Attributes
    ----------
    write : callable
        Makes a cell of microseconds since 1970 and a time zone.
    read : callable
        The reverse; None for a cell that is no time.
    option : str
        What ``--time-format`` must say; empty where it may be left out.
    """

    write: Callable[[int, str], str]
    read: Callable[[str, str], int | None]
    option: str = ""
    resolution: int = 1


def _unit(size: int, digits: int = 0) -> Clock:
    def write(time: int, zone: str) -> str:
        return f"{time / size:.{digits}f}" if digits else str(time // size)

    def read(cell: str, zone: str) -> int | None:
        value = number(cell)
        # As far as the year 5138.
        if value is None or abs(value) * size >= 1e17:
            return None
        return round(value * size)

    return Clock(write, read, "", 1 if digits else size)


def _pattern(pattern: str, resolution: int, option: str = "", zoned: str = "") -> Clock:
    def write(time: int, zone: str) -> str:
        moment = (EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(zoned or zone))
        return moment.strftime(pattern)

    def read(cell: str, zone: str) -> int | None:
        try:
            moment = datetime.strptime(cell.strip(), pattern)
        except ValueError:
            return None
        if moment.tzinfo is None:
            naive, place = moment, ZoneInfo(zoned or zone)
            moment = naive.replace(tzinfo=place)
            # A reading that a clock skipped is no time.
            if moment.astimezone(timezone.utc).astimezone(place).replace(tzinfo=None) != naive:
                return None
        return (moment - EPOCH) // timedelta(microseconds=1)

    return Clock(write, read, option, resolution)


SECOND = 1_000_000
CLOCKS = {
    "seconds": _unit(SECOND),
    "seconds with a fraction": _unit(SECOND, 3),
    "milliseconds": _unit(1000),
    "microseconds": _unit(1),
    "iso": _pattern("%Y-%m-%d %H:%M:%S", SECOND),
    "iso T": _pattern("%Y-%m-%dT%H:%M:%S", SECOND),
    "iso fraction": _pattern("%Y-%m-%d %H:%M:%S.%f", 1),
    "iso offset": _pattern("%Y-%m-%dT%H:%M:%S%z", SECOND),
    "minutes": _pattern("%Y-%m-%d %H:%M", 60 * SECOND),
    "days": _pattern("%Y-%m-%d", 86_400 * SECOND),
    "day numbers": _pattern("%Y%m%d", 86_400 * SECOND),
    "slashes": _pattern("%Y/%m/%d %H:%M:%S", SECOND),
    "German": _pattern("%d.%m.%Y %H:%M:%S", SECOND, "%d.%m.%Y %H:%M:%S"),
    "American": _pattern("%m/%d/%Y %I:%M:%S %p", SECOND, "%m/%d/%Y %I:%M:%S %p"),
    "short": _pattern("%Y-%m-%d %H:%M:%S", SECOND, "%F %T"),
    "UTC named": _pattern("%Y-%m-%d %H:%M:%S UTC", SECOND, "", "UTC"),
}
