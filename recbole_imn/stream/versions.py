"""Which version of a few items each event of a window sees, while their states move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.stream.events import Integers
from recbole_imn.stream.tbatch import WindowPlan, rows_at


@dataclass(frozen=True)
class VersionChunk:
    """Consecutive rows and the item versions that they can see.

    Attributes
    ----------
    start, stop : int
        Rows ``start <= k < stop`` of those that were asked for.
    table : int64 [n_versions]
        Versions: 0 to n_items - 1 are the items as the window found them, the rest are
        those of :attr:`ItemVersions.keys`.
    columns : int64 [stop - start, n_items]
        For each row and item, the place in :attr:`table` of the version it sees.
    """

    start: int
    stop: int
    table: Integers
    columns: Integers


@dataclass(frozen=True)
class ItemVersions:
    """Versions of a few items over a window.

    Attributes
    ----------
    keys : int64 [n_moved]
        Places in ``WindowPlan.item_keys`` of the events that moved the items.
    chunks : list of VersionChunk
    """

    keys: Integers
    chunks: list[VersionChunk]


def item_versions(plan: WindowPlan, places: Integers, items: Integers, chunk: int) -> ItemVersions:
    """Find the versions of items that rows see, a chunk of rows at a time.

    A row sees, of every item, the state just before its own place in time. Within a chunk
    few items move, so that a product of its rows with the versions that they can see is
    hardly larger than one with the items.

    Parameters
    ----------
    plan : WindowPlan
    places : int64 [n_rows]
        Places in time of the rows within the window, increasing.
    items : int64 [n_items]
        Items; one may occur more than once.
    chunk : int
        Rows of a chunk, at most.
    """
    n = len(plan.events)
    keys = np.flatnonzero(np.isin(plan.item_keys // n, items))
    moved = plan.item_keys[keys]
    when = moved % n
    own = np.arange(len(items))
    versions = len(items) + np.arange(len(keys))
    chunks = []
    for start in range(0, len(places), chunk):
        rows = places[start : start + chunk]
        found = rows_at(moved, versions, n, items, rows[0], own)
        inside = (when >= rows[0]) & (when < rows[-1])
        new = len(items) + np.arange(np.count_nonzero(inside))
        columns = rows_at(moved[inside], new, n, items[None, :], rows[:, None], own[None, :])
        table = np.concatenate([found, versions[inside]])
        chunks.append(VersionChunk(start, start + len(rows), table, columns))
    return ItemVersions(keys, chunks)
