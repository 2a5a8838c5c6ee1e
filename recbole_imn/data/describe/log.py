"""Reading atomic files for a report, in memory that 50 million events fit in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from recbole_imn.data.atomic import (
    DataError,
    check_column_counts,
    check_log,
    read_columns,
    read_header,
)
from recbole_imn.data.numbers import LATEST, check_numbers, check_times, split_numbers
from recbole_imn.data.origin import origin_of
from recbole_imn.data.time_range import suspicious

IDS = ("user_id", "item_id")
DAY = 86_400.0
# Days are counted one by one; a longer log has no times in seconds.
LONGEST_DAYS = 1_000_000

Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Format:
    """How a data set's settings say that its files are written.

    Attributes
    ----------
    user, item, time : str
        Names of columns.
    separator, encoding, seq_separator : str
    """

    user: str = "user_id"
    item: str = "item_id"
    time: str = "timestamp"
    separator: str = "\t"
    encoding: str = "utf-8"
    seq_separator: str = " "

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Format:
        """Take what RecBole's settings of a data set say."""
        keys = {
            "user": "USER_ID_FIELD",
            "item": "ITEM_ID_FIELD",
            "time": "TIME_FIELD",
            "separator": "field_separator",
            "encoding": "encoding",
            "seq_separator": "seq_separator",
        }
        return cls(**{name: settings[key] for name, key in keys.items() if settings.get(key)})

    @property
    def events(self) -> dict[str, str]:
        """Columns of a log that a report reads, with the names they get."""
        ids = {self.user: "user_id", self.item: "item_id", self.time: "timestamp"}
        return {**ids, "behavior": "behavior", "purchase": "purchase"}


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
    notes : tuple of str
        What is odd about the files.
    """

    user: Integers
    item: Integers
    time: Reals
    behavior: dict[str, int]
    purchase: npt.NDArray[np.bool_] | None
    price: Reals | None
    stays: tuple[Reals, Reals] | None
    origin: datetime | None
    notes: tuple[str, ...] = ()


def read_log(folder: Path, name: str, form: Format | None = None) -> Log:
    """Read a data set with the checks of the data set class.

    Parameters
    ----------
    folder : Path
        With NAME.inter and, where there are any, NAME.item, NAME.user and NAME.source.json.
    name : str
    form : Format, optional

    Raises
    ------
    DataError
        If a file is missing or broken, as for training.
    """
    form = form or Format()
    path = folder / f"{name}.inter"
    events = _read_events(path, form)
    time = events["timestamp"].to_numpy()
    notes = _time_notes(path, time)
    behavior = {}
    if "behavior" in events.columns:
        counts = events["behavior"].value_counts(sort=True)
        behavior = {str(kind): int(count) for kind, count in counts.iter_rows()}
    has_purchase = "purchase" in events.columns
    _, user_notes = _read_owners(folder / f"{name}.user", form.user, (), form, events["user_id"])
    path = folder / f"{name}.item"
    columns = ("price", "listed_at", "delisted_at")
    items, item_notes = _read_owners(path, form.item, columns, form, events["item_id"])
    return Log(
        user=_codes(events["user_id"]),
        item=_codes(events["item_id"]),
        time=time,
        behavior=behavior,
        purchase=(events["purchase"] > 0).to_numpy() if has_purchase else None,
        price=_prices(path, items),
        stays=_stays(path, items, form, float(time[-1])),
        origin=origin_of(folder, name),
        notes=(*notes, *user_notes, *item_notes),
    )


def _time_notes(path: Path, time: Reals) -> list[str]:
    """Say if times are in another unit; too many days for a report are refused."""
    odd = suspicious(time)
    days = (time[-1] - time[0]) / DAY
    if days > LONGEST_DAYS:
        raise DataError(f"{path}: the log has {days:,.0f} days if times are seconds; {odd}")
    return [f"times must be in seconds, but {odd}"] if odd else []


def _codes(ids: pl.Series) -> Integers:
    """Give categories numbers from 0 without gaps, int64 [n]."""
    codes = ids.to_physical().to_numpy()
    is_used = np.bincount(codes) > 0
    numbers: Integers = (np.cumsum(is_used) - 1)[codes]
    return numbers


# -- events -----------------------------------------------------------------------------------


def _read_events(path: Path, form: Format) -> pl.DataFrame:
    """Read the log sorted by time, ties in file order, ids as categories."""
    header = read_header(path, form.separator, form.encoding)
    n_rows = check_column_counts(path, len(header), form.separator.encode(form.encoding))
    try:
        events = _read(path, header, form)
        is_clean = len(events) == n_rows and _is_clean(events)
    except pl.exceptions.PolarsError:
        is_clean = False
    if not is_clean:
        # Slower, but finds the first bad line and says what is wrong with it.
        log = read_columns(path, header, form.events, form.separator, form.encoding)
        check_log(path, header, log, form.user, form.item, form.time)
        check_times(path, log[form.time])
        raise DataError(f"{path}: cannot be read, though no row is wrong by itself")
    if not events["timestamp"].is_sorted():
        events = events.sort("timestamp", maintain_order=True)
    return events


def _read(path: Path, header: dict[str, str], form: Format) -> pl.DataFrame:
    names = {
        f"{field}:{header[field]}": name for field, name in form.events.items() if field in header
    }
    types: dict[str, Any] = {"token": pl.Categorical(), "float": pl.Float64()}
    frame = pl.read_csv(
        path,
        separator=form.separator,
        # Of this one alone polars makes no copy in memory first.
        encoding="utf8" if form.encoding.lower() in ("utf-8", "utf8") else form.encoding,
        quote_char=None,
        columns=list(names),
        schema_overrides={name: types.get(name.rpartition(":")[2], pl.String()) for name in names},
    )
    return frame.rename(names).filter(~pl.all_horizontal(pl.all().is_null()))


def _is_clean(events: pl.DataFrame) -> bool:
    """Whether what check_log and check_times ask for holds."""
    kinds = {"user_id": pl.Categorical, "item_id": pl.Categorical, "timestamp": pl.Float64}
    optional = {"behavior": pl.Categorical, "purchase": pl.Float64}
    kinds |= {name: kind for name, kind in optional.items() if name in events.columns}
    if events.is_empty() or not all(events.schema.get(name) == kinds[name] for name in kinds):
        return False
    if any(events[field].null_count() for field in (*IDS, "timestamp")):
        return False
    if not (events["timestamp"].abs() <= LATEST).all():
        return False
    if "purchase" in kinds and not events["purchase"].is_in([0.0, 1.0]).all():
        return False
    return events["user_id"].n_unique() < len(events)


# -- items and users --------------------------------------------------------------------------


def _read_owners(
    path: Path, field: str, columns: tuple[str, ...], form: Format, used: pl.Series
) -> tuple[pd.DataFrame | None, list[str]]:
    """Read some columns of items or users, and what is odd about them; None without a file.

    Parameters
    ----------
    path : Path
    field : str
        The id.
    columns : tuple of str
        Others to read.
    form : Format
    used : Series
        Ids of the events.
    """
    if not path.is_file():
        return None, []
    header = read_header(path, form.separator, form.encoding)
    if field not in header:
        raise DataError(f"{path}: no column {field}; the header has {list(header)}")
    wanted = [name for name in (field, *columns) if name in header]
    frame = read_columns(path, header, wanted, form.separator, form.encoding)
    ids = frame[field]
    if ids.isna().any():
        line = int(ids.index[int(np.flatnonzero(ids.isna())[0])]) + 2
        raise DataError(f"{path}, line {line}: {field} is empty")
    notes = []
    if ids.duplicated().any():
        repeated = ids[ids.duplicated()]
        notes.append(
            f"{len(repeated)} rows of {path.name} repeat an earlier {field}; the first row of each "
            f"counts (line {int(repeated.index[0]) + 2}: {repeated.iloc[0]!r})"
        )
    unknown = used.value_counts().filter(~pl.col(used.name).cast(pl.String).is_in(set(ids)))
    if len(unknown):
        first = str(unknown[used.name][0])
        notes.append(
            f"{int(unknown['count'].sum())} of {len(used)} events have no row in {path.name} for "
            f"their {field}, such as {first!r}; they are kept"
        )
    idle = len(set(ids)) + len(unknown) - used.n_unique()
    if idle:
        notes.append(f"{idle} of {ids.nunique()} ids of {path.name} have no event")
    return frame.rename(columns={field: "id"}), notes


def _prices(path: Path, items: pd.DataFrame | None) -> Reals | None:
    """Give the prices that are known, None without such a column of numbers."""
    if items is None or "price" not in items or items["price"].dtype != np.float64:
        return None
    check_numbers(path, items["price"])
    prices: Reals = items["price"].dropna().to_numpy()
    return prices


def _stays(
    path: Path, items: pd.DataFrame | None, form: Format, end: float
) -> tuple[Reals, Reals] | None:
    """Give stays on the shelf, open ones up to the end of the log; None without listings."""
    if items is None or not {"listed_at", "delisted_at"} <= set(items.columns):
        return None
    starts, ends = (
        np.concatenate(
            [
                np.empty(0),
                *split_numbers(path, items[name], form.seq_separator, None, name == "delisted_at"),
            ]
        )
        for name in ("listed_at", "delisted_at")
    )
    if len(starts) != len(ends):
        raise DataError(f"{path}: {len(starts)} times in listed_at, but {len(ends)} in delisted_at")
    return starts, np.where(np.isfinite(ends), ends, np.maximum(starts, end))
