"""Reading atomic files for a report, in memory that 50 million events fit in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from recbole_imn.data.atomic import (
    DataError,
    check_column_counts,
    check_log,
    read_columns,
    read_header,
)
from recbole_imn.files import read_json

REQUIRED = ("user_id", "item_id", "timestamp")
WANTED = (*REQUIRED, "behavior", "purchase")
ITEM_WANTED = ("item_id", "price", "listed_at", "delisted_at")
# As written in recbole_imn.data.market.files.
MARKET_ORIGIN = "2019-05-01T00:00:00+08:00"

Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Log:
    """The columns of a data set that a report needs, in order of time.

    Attributes
    ----------
    user, item : int64 [n_events]
        Ids from 0 without gaps, in no particular order.
    time : float64 [n_events]
        Seconds since the origin.
    behavior : dict of str to int
        Events of each kind of action; empty without such a column.
    purchase : bool [n_events] or None
        None without such a column.
    price : float64 [n_items] or None
        Prices of items in the ``.item`` file.
    stays : tuple of float64 [n_stays] or None
        Seconds at which items came to the shelf, and left it.
    origin : datetime or None
        The moment that times count from, if it is known.
    """

    user: Integers
    item: Integers
    time: Reals
    behavior: dict[str, int]
    purchase: npt.NDArray[np.bool_] | None
    price: Reals | None
    stays: tuple[Reals, Reals] | None
    origin: datetime | None


def read_log(folder: Path, name: str) -> Log:
    """Read a data set with the checks of the data set class.

    Parameters
    ----------
    folder : Path
        With NAME.inter and, where there are any, NAME.item and NAME.source.json.
    name : str

    Raises
    ------
    DataError
        If a file is missing or broken, as for training.
    """
    events = _read_events(folder / f"{name}.inter")
    behavior = {}
    if "behavior" in events.columns:
        counts = events["behavior"].value_counts(sort=True)
        behavior = {str(kind): int(count) for kind, count in counts.iter_rows()}
    has_purchase = "purchase" in events.columns
    price, stays = _read_items(folder / f"{name}.item")
    return Log(
        user=_codes(events["user_id"]),
        item=_codes(events["item_id"]),
        time=events["timestamp"].to_numpy(),
        behavior=behavior,
        purchase=(events["purchase"] > 0).to_numpy() if has_purchase else None,
        price=price,
        stays=stays,
        origin=_origin(folder, name),
    )


def _codes(ids: pl.Series) -> Integers:
    """Give categories numbers from 0 without gaps, int64 [n]."""
    codes = ids.to_physical().to_numpy()
    is_used = np.bincount(codes) > 0
    numbers: Integers = (np.cumsum(is_used) - 1)[codes]
    return numbers


def _read_events(path: Path) -> pl.DataFrame:
    """Read the log sorted by time, ties in file order, ids as categories."""
    header = read_header(path)
    check_column_counts(path, len(header), b"\t")
    types = {name: pl.Categorical() for name in ("user_id", "item_id", "behavior")}
    try:
        events = _read(path, header, WANTED, types)
    except pl.exceptions.PolarsError:
        events = None
    if events is None or not _is_clean(events):
        # Slower, but finds the first bad line and says what is wrong with it.
        log = read_columns(path, header, WANTED)
        check_log(path, header, log, *REQUIRED)
        raise DataError(f"{path}: cannot be read, though no row is wrong by itself")
    if not events["timestamp"].is_sorted():
        events = events.sort("timestamp", maintain_order=True)
    return events


def _read(
    path: Path, header: dict[str, str], wanted: tuple[str, ...], types: dict[str, Any]
) -> pl.DataFrame:
    names = {f"{field}:{kind}": field for field, kind in header.items() if field in wanted}
    floats = {name: pl.Float64() for name in names if name.endswith(":float")}
    given = {name: types.get(field, pl.String()) for name, field in names.items()}
    frame = pl.read_csv(
        path,
        separator="\t",
        quote_char=None,
        columns=list(names),
        schema_overrides=given | floats,
    )
    return frame.rename(names).filter(~pl.all_horizontal(pl.all().is_null()))


def _is_clean(events: pl.DataFrame) -> bool:
    """Whether what check_log asks for holds."""
    if not set(REQUIRED) <= set(events.columns) or events.is_empty():
        return False
    if events["timestamp"].dtype != pl.Float64 or not events["timestamp"].is_finite().all():
        return False
    if any(events[field].null_count() for field in REQUIRED):
        return False
    if "purchase" in events.columns and not events["purchase"].is_in([0.0, 1.0]).all():
        return False
    return events["user_id"].n_unique() < len(events)


def _read_items(path: Path) -> tuple[Reals | None, tuple[Reals, Reals] | None]:
    """Give prices and stays on the shelf, None for what there is not."""
    if not path.is_file():
        return None, None
    header = read_header(path)
    check_column_counts(path, len(header), b"\t")
    try:
        items = _read(path, header, ITEM_WANTED, {})
        price = None
        if header.get("price") == "float":
            price = items["price"].drop_nulls().to_numpy()
        if not {"listed_at", "delisted_at"} <= set(header):
            return price, None
        starts, ends = (
            items[name].drop_nulls().str.split(" ").explode().cast(pl.Float64).to_numpy()
            for name in ("listed_at", "delisted_at")
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: {str(error).splitlines()[0]}") from error
    if len(starts) != len(ends):
        raise DataError(f"{path}: {len(starts)} times in listed_at, but {len(ends)} in delisted_at")
    return price, (starts, ends)


def _origin(folder: Path, name: str) -> datetime | None:
    """Find the moment that times count from."""
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
