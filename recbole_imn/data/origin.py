"""The moment that the times of a data set count from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recbole_imn.data.time_range import DATES, EPOCH
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


def time_zone_of(folder: Path, name: str) -> str | None:
    """Find the time zone that a log's clocks hung in; None where nobody says.

    Raises
    ------
    DataError
        If the record beside the files is damaged.
    """
    about = folder / f"{name}.source.json"
    if not about.is_file():
        return None
    zone = read_json(about, DataError).get("time_zone")
    return zone if isinstance(zone, str) and zone else None


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
