"""Tables of items: what they tell of known and new items, and when these are for sale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from recbole_imn.data.convert.item_files import Extras, MappedItems
from recbole_imn.data.convert.items import Items
from recbole_imn.data.convert.mapping import make_mapping
from recbole_imn.data.convert.rejects import Rejects
from recbole_imn.data.convert.sniff import require_file
from recbole_imn.data.convert.times import SECOND
from recbole_imn.data.stays import LISTED, STAYS
from recbole_imn.errors import DataError, ServingError
from recbole_imn.log import Floats
from recbole_imn.serving.attributes import Attributes
from recbole_imn.serving.market import Market
from recbole_imn.serving.recommender import Recommender
from recbole_imn.serving.shelf import OpenShelf
from recbole_imn.serving.updating.reading import WHAT_IS_WRONG, Files
from recbole_imn.serving.updating.replaying import field_kinds, read_cell
from recbole_imn.serving.updating.sources import Header, header_of, item_settings


def read_items(path: Path, settings: Mapping[str, Any], files: Files) -> Items:
    """Read a table of items as ``convert`` does; bad rows are refused.

    Parameters
    ----------
    path : Path
        Text, JSON lines, parquet, or an ``.item`` file.
    settings : mapping
        As of the events; ``items`` of a mapping file is about this table.
    files : Files

    Raises
    ------
    DataError
    """
    require_file(path)
    header = header_of(path, settings)
    mapping = make_mapping(item_settings(header, settings))
    with TemporaryDirectory() as folder:
        rejects = Rejects(Path(folder) / "rejected.csv")
        items = MappedItems.open(mapping, Extras(path)).read(files.rows, rejects)
        for (_, kind), first in rejects.first.items():
            raise DataError(f"{first}: {WHAT_IS_WRONG.get(kind, kind)}")
    files.note_formats(path, items.time_formats)
    return _named(items, header) if header.is_atomic else items


def _named(items: Items, header: Header) -> Items:
    """Give columns of an atomic file their own names, and read its stays."""
    names = {
        f"field_{header.place(name)}": name
        for name in header.names
        if f"field_{header.place(name)}" in items.attributes.columns
    }
    left = [column for column, name in names.items() if name in STAYS]
    attributes = items.attributes.drop(left).rename(
        {column: name for column, name in names.items() if column not in left}
    )
    types = {name: header.types[name] for name in names.values() if name not in STAYS}
    stays = {name: column for column, name in names.items() if name in STAYS}
    listings = _stays(items.attributes, stays, header.path) if len(stays) == len(STAYS) else None
    return Items(attributes, types, listings)


def _stays(items: pl.DataFrame, columns: Mapping[str, str], path: Path) -> pl.DataFrame:
    """Read stays of an atomic file, of which an item may have several, in seconds of the log."""
    cells = [pl.col(columns[name]).str.split(" ").alias(name) for name in STAYS]
    stays = items.filter(pl.col(columns[LISTED]) != "").select("item_id", *cells)
    try:
        start, end = (pl.col(name).cast(pl.Float64) for name in STAYS)
        return stays.explode(*STAYS).select("item_id", start=start, end=end)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{path}: listed_at and delisted_at are not as many numbers for each item"
        ) from error


def tell_items(recommender: Recommender, path: Path, items: Items) -> int:
    """Let a recommender know of items, and of when they are for sale.

    Returns
    -------
    int
        Number of items that were not known.

    Raises
    ------
    DataError
        If an attribute cannot be a feature of the model, or a time is no time of the log.
    """
    market = recommender.market
    columns = {"item": items.attributes["item_id"].to_list()}
    columns |= attribute_columns(market, path, items)
    try:
        new = recommender.add_items(columns)
    except ServingError as error:
        raise DataError(f"{path}: {error}") from error
    if items.listings is not None:
        _put_on_shelf(market, path, items.listings)
    return new


def attribute_columns(market: Market, path: Path, items: Items) -> dict[str, list[Any]]:
    """Give the attributes as plain values, of the kinds that the market has them in."""
    kinds = field_kinds([market.snapshot.feature_maps["item_features"]])
    found: dict[str, list[Any]] = {}
    for name, kind in items.types.items():
        cells = items.attributes[name]
        kind = kinds.get(name) or _known_kind(market.snapshot.attributes, name) or kind
        if cells.dtype == pl.Int64:
            # A time, which an atomic file has in seconds of the log.
            found[name] = _plain_floats(_seconds(cells, market, path))
        elif kind == "float":
            found[name] = [_number(text, name, path) for text in cells]
        else:
            found[name] = [read_cell(text, kind) for text in cells]
    return found


def _known_kind(attributes: Attributes, name: str) -> str | None:
    """Tell what an attribute has been so far; None if nobody knows."""
    cells = [cell for cell in attributes.columns.get(name, ()) if cell is not None]
    if not cells:
        return None
    return "token" if isinstance(cells[0], str) else "float"


def _number(text: str | None, name: str, path: Path) -> float | None:
    if text is None or text == "":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f"{path}: {name} is {text[:80]!r}, not a number") from error


def _seconds(times: pl.Series, market: Market, path: Path) -> Floats:
    """Give microseconds since 1970 as seconds of the log; nan where there is none.

    What is no whole number is in seconds of the log already.
    """
    if times.dtype == pl.Float64:
        seconds: Floats = times.to_numpy()
        return seconds
    origin = market.snapshot.origin
    if origin is None:
        raise DataError(
            f"{path}: column {times.name!r} has dates, but nobody knows when the log's time 0 was"
        )
    since = (times - round(origin * SECOND)).cast(pl.Float64)
    elapsed: Floats = since.fill_null(float("nan")).to_numpy() / SECOND
    return elapsed


def _plain_floats(seconds: Floats) -> list[float | None]:
    return [None if value != value else value for value in seconds.tolist()]


def _put_on_shelf(market: Market, path: Path, listings: pl.DataFrame) -> None:
    """Let items have the stays that a table tells, in place of those that they had."""
    items = np.array([market.number_of(name) for name in listings["item_id"]], np.int64)
    start, end = (_seconds(listings[name], market, path) for name in ("start", "end"))
    start = np.where(np.isnan(start), -np.inf, start)
    end = np.where(np.isnan(end), np.inf, end)
    old = market.snapshot.shelf or OpenShelf(np.empty(0, np.int64), np.empty(0), np.empty(0))
    kept = ~np.isin(old.item, items)
    market.snapshot.shelf = OpenShelf(
        np.append(old.item[kept], items),
        np.append(old.start[kept], start),
        np.append(old.end[kept], end),
    )
