"""Where the times of a table are, in one column or in two, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence

from recbole_imn.data.convert.mapping import Place, TableMapping
from recbole_imn.data.convert.opened import OpenedTable
from recbole_imn.data.convert.times import (
    UNITS,
    fitting,
    guess_format,
    require_format,
    require_time_zone,
)
from recbole_imn.errors import DataError
from recbole_imn.units import DAY

CLOCKS = ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S%.f%z", "%H:%M:%S%.f %Z")


def time_places(opened: OpenedTable, wanted: Place | tuple[Place, Place]) -> tuple[int, int | None]:
    """Give the positions from 0 of a time's column, and of its clock's if that is apart."""
    if isinstance(wanted, str) and not opened.has(wanted) and wanted.count(",") == 1:
        date, clock = (part.strip() for part in wanted.split(","))
        wanted = (date, clock)
    if isinstance(wanted, tuple):
        return opened.place(wanted[0]), opened.place(wanted[1])
    return opened.place(wanted), None


def time_format(opened: OpenedTable, places: tuple[int, int | None], mapping: TableMapping) -> str:
    """Give the format of times, from their first values if it is ``auto``.

    Raises
    ------
    DataError
        If no value is a time, its parts may mean several times, or the time zone does not
        exist.
    """
    zone = require_time_zone(mapping.time_zone)
    try:
        return _time_format(opened, places, mapping.time_format, zone)
    except DataError as error:
        raise DataError(f"{opened.table.path}: {error}") from error


def _time_format(
    opened: OpenedTable, places: tuple[int, int | None], wanted: str, zone: str
) -> str:
    date, clock = places
    if clock is None:
        values = opened.values(date)
    else:
        pairs = [(r[date], r[clock]) for r in opened.sample if len(r) > max(date, clock)]
        pairs = [pair for pair in pairs if all(pair)]
        values = [" ".join(pair) for pair in pairs]
    if wanted != "auto":
        return require_format(wanted, values, zone)
    if clock is None or not pairs:
        return guess_format(values, zone)
    return _pair_format(pairs, values, zone)


def _pair_format(pairs: Sequence[tuple[str, str]], values: Sequence[str], zone: str) -> str:
    day = guess_format([date for date, _ in pairs], zone)
    if day in UNITS:
        raise DataError(f"the date {pairs[0][0]!r} is a number of {day}; name its column alone")
    if all(clock.isdigit() for _, clock in pairs):
        return f"{day} {_unit(pairs)}"
    votes = {f"{day} {clock}": fitting(values, f"{day} {clock}", zone) for clock in CLOCKS}
    best = max(votes, key=votes.__getitem__)
    if not votes[best]:
        raise DataError(
            f"none of the first dates and clocks is a time: {', '.join(values[:3])!r}; "
            "give --time-format=PATTERN of both, such as '%Y-%m-%d %H:%M'"
        )
    return best


def _unit(pairs: Sequence[tuple[str, str]]) -> str:
    """Tell milliseconds of the day from figures that may mean something else."""
    numbers = [int(clock) for _, clock in pairs]
    is_clock = all(n < 240_000 and n // 100 % 100 < 60 and n % 100 < 60 for n in numbers)
    if max(numbers) >= DAY and not is_clock:
        return "milliseconds"
    raise DataError(
        f"the time of day {pairs[0][1]!r} may be seconds, milliseconds or figures of a clock; say "
        "which with --time-format='%Y-%m-%d seconds', '%Y-%m-%d milliseconds' or "
        "'%Y-%m-%d %H%M%S', with the date as it is written"
    )
