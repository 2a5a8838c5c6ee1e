"""The RetailRocket log: views, carts and transactions, with what is known of items over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recbole_imn.data.convert.events import first_fault
from recbole_imn.data.convert.items import Items, RowReader
from recbole_imn.data.convert.layout import Layout, Table
from recbole_imn.data.convert.rejects import Rejects
from recbole_imn.data.convert.sniff import first_rows, require_header
from recbole_imn.data.convert.source import Source
from recbole_imn.data.convert.times import parse_times
from recbole_imn.errors import DataError

EVENTS = "events.csv"
PROPERTIES = "item_properties*.csv"
EVENT_HEADER = ("timestamp", "visitorid", "event", "itemid", "transactionid")
PROPERTY_HEADER = ("timestamp", "itemid", "property", "value")
ACTIONS = ("view", "addtocart", "transaction")


def read(paths: Sequence[Path]) -> Source:
    """Describe the log.

    Parameters
    ----------
    paths : sequence of Path
        The folder with ``events.csv`` and ``item_properties*.csv``, or ``events.csv`` itself.
        Item properties beside it are used where they exist.

    Raises
    ------
    DataError
        If there is not exactly one path, a file is missing or has another header.
    """
    if len(paths) != 1:
        raise DataError(f"retailrocket reads one folder or {EVENTS}, not {len(paths)} paths")
    events = paths[0] / EVENTS if paths[0].is_dir() else paths[0]
    require_header(events, first_rows(events, ",")[0], EVENT_HEADER)
    properties = sorted(events.parent.glob(PROPERTIES))
    for file in properties:
        require_header(file, first_rows(file, ",")[0], PROPERTY_HEADER)
    layout = Layout(
        user_id=EVENT_HEADER.index("visitorid"),
        item_id=EVENT_HEADER.index("itemid"),
        timestamp=EVENT_HEADER.index("timestamp"),
        time_format="milliseconds",
        behavior=EVENT_HEADER.index("event"),
        behaviors={action: action for action in ACTIONS},
        purchases=("transaction",),
    )
    table = Table(events, len(EVENT_HEADER), quoted=False)
    if not properties:
        note = f"no {PROPERTIES} beside {EVENTS}: items have no category and no times on the shelf"
        return Source("retailrocket", [(table, layout)], notes=[note])
    reader = PropertyReader([Table(file, 4, quoted=False) for file in properties])
    return Source("retailrocket", [(table, layout)], reader)


@dataclass(frozen=True)
class PropertyReader:
    """Reads categories and availability from the history of item properties.

    The first category of an item counts, so that none is taken from the future. An item that
    is available in its first record is taken to have been so from the start of the log, and
    one that is available in its last record until the end.

    Attributes
    ----------
    tables : sequence of Table
    """

    tables: Sequence[Table]

    def read(self, rows: RowReader, rejects: Rejects) -> Items:
        """Read the files; bad rows go to ``rejects``."""
        parts = [
            rejects.separate(block, table.path).filter(_matters).drop("line", "row", "kind")
            for table in self.tables
            for block in rows(table, _records)
        ]
        records = pl.concat(parts).sort("item_id", "time", maintain_order=True)
        category = records.filter(pl.col("property") == "categoryid")
        category = category.unique("item_id", keep="first", maintain_order=True)
        available = records.filter(pl.col("property") == "available")
        attributes = category.select("item_id", category_id="value")
        return Items(attributes, {"category_id": "token"}, intervals(available))


_matters = pl.col("property").is_in(["categoryid", "available"])


def _records(block: pl.DataFrame) -> pl.DataFrame:
    """Give item, time, property and value of rows, and what is wrong with them."""
    block = block.select(
        "line", "row", "kind", property="2", value="3", item_id=pl.col("1").str.strip_chars(),
        time=parse_times(pl.col("0"), "milliseconds", "UTC"),
    )  # fmt: skip
    is_flag = pl.col("property") == "available"
    faults = [
        ("empty id", pl.col("item_id") == ""),
        ("time", pl.col("time").is_null()),
        ("availability", is_flag & ~pl.col("value").is_in(["0", "1"])),
    ]
    return block.with_columns(kind=first_fault(faults))


def intervals(available: pl.DataFrame) -> pl.DataFrame:
    """Turn records of availability into stays on the shelf.

    Parameters
    ----------
    available : DataFrame
        ``item_id``, ``time`` (int64 microseconds), ``value`` ("0" or "1"), sorted by item and
        time.

    Returns
    -------
    DataFrame
        ``item_id``, ``start``, ``end``; null where the record does not show the change.
    """
    value, item = pl.col("value"), "item_id"
    is_first = value.shift().over(item).is_null()
    changes = available.filter(is_first | (value != value.shift().over(item)))
    return changes.with_columns(
        start=pl.when(~is_first).then(pl.col("time")),
        end=pl.col("time").shift(-1).over(item),
    ).filter(value == "1").select(item, "start", "end")  # fmt: skip
