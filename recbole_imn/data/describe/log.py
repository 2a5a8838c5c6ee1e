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

from recbole_imn.data.atomic import read_columns, read_header
from recbole_imn.data.first_rows import first_rows_of_each
from recbole_imn.data.log_file import LogFile
from recbole_imn.data.numbers import check_numbers
from recbole_imn.data.origin import local_origin, odd_times
from recbole_imn.data.stays import STAYS, split_stays
from recbole_imn.data.united_stays import Stays, united
from recbole_imn.errors import DataError
from recbole_imn.log import Floats, Integers
from recbole_imn.units import DAY

# Days are counted one by one; a longer log has no times in seconds.
LONGEST_DAYS = 1_000_000


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
    stays : Stays or None
        When items were on the shelf, those of an item apart and none beyond the log's end.
    origin : datetime or None
        The moment that times count from, if it is known, in the time zone of the log.
    notes : tuple of str
        What is odd about the files.
    """

    user: Integers
    item: Integers
    time: Floats
    behavior: dict[str, int]
    purchase: npt.NDArray[np.bool_] | None
    price: Floats | None
    stays: Stays | None
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
    notes: list[str] = []
    form = form or Format()
    path = folder / f"{name}.inter"
    file = LogFile(path, form.user, form.item, form.time, form.separator, form.encoding)
    events = file.open(list(form.events), notes.append)
    time = events[form.time].to_numpy()
    notes += _time_notes(folder, name, time)
    has_purchase = "purchase" in events
    users, items = (events[field].cat for field in (form.user, form.item))
    _, user_notes = _read_owners(folder / f"{name}.user", form.user, (), form, users)
    path = folder / f"{name}.item"
    columns = ("price", *STAYS)
    owners, item_notes = _read_owners(path, form.item, columns, form, items)
    return Log(
        user=users.codes.to_numpy().astype(np.int64),
        item=items.codes.to_numpy().astype(np.int64),
        time=time,
        behavior=_counts(events["behavior"].cat) if "behavior" in events else {},
        purchase=events["purchase"].to_numpy() > 0 if has_purchase else None,
        price=_prices(path, owners),
        stays=_stays(path, owners, form, items.categories, float(time[-1])),
        origin=local_origin(folder, name, time),
        notes=(*notes, *user_notes, *item_notes),
    )


def _counts(kinds: Any) -> dict[str, int]:
    """Count the events of each kind of action, most of them first."""
    codes = kinds.codes.to_numpy()
    counts = np.bincount(codes[codes >= 0], minlength=len(kinds.categories))
    names = [str(name) for name in kinds.categories]
    return {names[kind]: int(counts[kind]) for kind in np.argsort(-counts, kind="stable")}


def _time_notes(folder: Path, name: str, time: Floats) -> list[str]:
    """Say if times are in another unit; too many days for a report are refused."""
    odd, path = odd_times(folder, name, time), folder / f"{name}.inter"
    days = (time[-1] - time[0]) / DAY
    if days > LONGEST_DAYS:
        raise DataError(f"{path}: the log has {days:,.0f} days if times are seconds; {odd}")
    return [f"times must be in seconds, but {odd}"] if odd else []


# -- items and users --------------------------------------------------------------------------


def _read_owners(
    path: Path, field: str, columns: tuple[str, ...], form: Format, used: Any
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
    used : categories of a Series
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
    first_rows, repeated = first_rows_of_each(path, frame, field)
    notes = [repeated] if repeated else []
    unknown = ~used.categories.isin(ids)
    if unknown.any():
        codes = used.codes.to_numpy()
        n_events = int(np.bincount(codes, minlength=len(unknown))[unknown].sum())
        first = str(used.categories[unknown][0])
        notes.append(
            f"{n_events} of {len(codes)} events have no row in {path.name} for their {field}, such "
            f"as {first!r}; they are kept"
        )
    idle = ids.nunique() + int(unknown.sum()) - len(used.categories)
    if idle:
        notes.append(f"{idle} of {ids.nunique()} ids of {path.name} have no event")
    return first_rows.rename(columns={field: "id"}), notes


def _prices(path: Path, items: pd.DataFrame | None) -> Floats | None:
    """Give the prices that are known, None without such a column of numbers."""
    if items is None or "price" not in items or items["price"].dtype != np.float64:
        return None
    check_numbers(path, items["price"])
    prices: Floats = items["price"].dropna().to_numpy()
    return prices


def _stays(
    path: Path, items: pd.DataFrame | None, form: Format, used: pd.Index[str], end: float
) -> Stays | None:
    """Give stays on the shelf up to the end of the log; None without listings.

    Items without an event have numbers behind those of the events.
    """
    if items is None or not {*STAYS} <= set(items.columns):
        return None
    rows, starts, ends = split_stays(path, items, form.seq_separator)
    number = used.get_indexer(pd.Index(items["id"]))
    number = np.where(number < 0, len(used) + np.arange(len(items)), number).astype(np.int64)
    return united(number[rows], starts, ends, end)
