"""The moment that the times of a data set count from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from recbole_imn.data.time_range import DATES, EPOCH, suspicious
from recbole_imn.errors import DataError
from recbole_imn.files import read_json

MARKET_ORIGIN = "2019-05-01T00:00:00+08:00"


def has_record(folder: Path, name: str) -> bool:
    """Whether a data set was written by this package, which says what times count from."""
    return any((folder / f"{name}.{kind}.json").is_file() for kind in ("market", "source"))


def origin_of(folder: Path, name: str) -> datetime | None:
    """Find the moment that times count from; None where nobody knows.

    Raises
    ------
    DataError
        If the record beside the files is damaged.
    """
    if (folder / f"{name}.market.json").is_file():
        return datetime.fromisoformat(MARKET_ORIGIN)
    about = folder / f"{name}.source.json"
    if not about.is_file():
        return None
    try:
        return datetime.fromisoformat(read_json(about, DataError)["origin"])
    except DataError:
        raise
    except (ValueError, KeyError, TypeError):
        # Of a source whose times count from a moment that nobody knows.
        return None


def odd_times(folder: Path, name: str, times: npt.NDArray[np.float64]) -> str | None:
    """Say of a data set's times what :func:`suspicious` does, with dates as its record has them.

    Parameters
    ----------
    folder : Path
    name : str
        Name of the data set.
    times : float64 [n]
        Seconds, in any order.

    Raises
    ------
    DataError
        If the times are odd, and the record beside the files is damaged.
    """
    found = suspicious(times)
    if found is None or not has_record(folder, name):
        return found
    return suspicious(times, origin_of(folder, name))


def time_zone_of(folder: Path, name: str) -> str | None:
    """Find the time zone that a log's clocks hung in; None where nobody says.

    Raises
    ------
    DataError
        If the record beside the files is damaged, or names no time zone.
    """
    about = folder / f"{name}.source.json"
    if not about.is_file():
        return None
    zone: str | None = read_json(about, DataError).get("time_zone")
    try:
        return None if zone is None else ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise DataError(
            f"{about}: time_zone is {zone!r}, which is none; write for example Asia/Shanghai"
        ) from error


def likely_origin(folder: Path, name: str, times: npt.NDArray[np.float64]) -> datetime | None:
    """Find the moment that times count from; 1970 where no record says and they read as dates.

    Parameters
    ----------
    folder : Path
    name : str
        Name of the data set.
    times : float64 [n]
        Seconds, in any order; at least one.

    Raises
    ------
    DataError
        If the record beside the files is damaged.
    """
    if has_record(folder, name):
        return origin_of(folder, name)
    return EPOCH if DATES[0] <= np.median(times) <= DATES[1] else None


def local_origin(folder: Path, name: str, times: npt.NDArray[np.float64]) -> datetime | None:
    """Give :func:`likely_origin` in the time zone of the record, which knows changes of the clock.

    Raises
    ------
    DataError
        If the record beside the files is damaged, or names no time zone.
    """
    origin = likely_origin(folder, name, times)
    if origin is None or (folder / f"{name}.market.json").is_file():
        return origin
    zone = time_zone_of(folder, name)
    return origin if zone is None else origin.astimezone(ZoneInfo(zone))
