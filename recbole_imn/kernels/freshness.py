"""Cells of the table of freshness, and its values for the whole catalogue, row after row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recbole_imn.kernels.compiled import exact
from recbole_imn.kernels.in_parallel import in_parallel, threads_for

Array = npt.NDArray[Any]
# Two steps for each doubling of the time since an item was last seen; 2^30 seconds are 34 years.
N_AGES = 62


def _stays() -> Array:
    """Give the least time, to the last bit, after which an item is older than each age."""
    stays: Array = np.sqrt(2.0 ** np.arange(N_AGES)) - 1
    # No item that was ever seen has age 0, and none leaves the last age.
    stays[0], stays[-1] = 0, np.inf
    for age in range(1, N_AGES - 1):
        while np.square(1 + stays[age]) >= 2.0**age:
            stays[age] = np.nextafter(stays[age], 0)
        while np.square(1 + stays[age]) < 2.0**age:
            stays[age] = np.nextafter(stays[age], np.inf)
    return stays


STAYS = _stays()


@exact
def cell(kind: int, elapsed: float) -> int:
    """Give the cell of an item: its class, and half doublings of the time since its event.

    Parameters
    ----------
    kind : int
        Class of the item, from 0; the last class is that of items that were never seen.
    elapsed : float64
        Seconds since the item's latest event, at least 0; 0 for items that were never seen.

    Returns
    -------
    int
        ``kind * N_AGES + age``.
    """
    # The exponent of a square counts half doublings. It is read from the number's bits, as
    # frexp does, but without a call: what is 1 or more has the plain form.
    square = np.float64((1 + elapsed) * (1 + elapsed))
    exponent: Any = (square.view(np.int64) >> 52) - 1022
    place: int = kind * N_AGES + min(exponent, N_AGES - 1)
    return place


@exact
def cells_of(kinds: Array, elapsed: Array) -> Array:
    """Give cells of many items, as ``cell`` does.

    Parameters
    ----------
    kinds : int [...]
    elapsed : float64, same shape

    Returns
    -------
    int64, same shape
    """
    all_kinds, all_elapsed = kinds.ravel(), elapsed.ravel()
    cells = np.empty(kinds.size, np.int64)
    for i in range(kinds.size):
        cells[i] = cell(all_kinds[i], all_elapsed[i])
    return cells.reshape(kinds.shape)


def add_freshness(
    scores: Tensor,
    table: Tensor,
    kinds: Array,
    times: Array,
    moved_items: Array,
    moved_kinds: Array,
    moved_times: Array,
    moved_start: Array,
    at: Array,
) -> None:
    """Add to scores, in place, the value of each item's cell at the time of each row.

    From row to row only those items are looked up again that had an event meanwhile, or that
    have grown out of their cell. A row's result depends on no other row. The other arrays
    are left as they are.

    Parameters
    ----------
    scores : float [n, n_items]
        Rows in the order of time; values for another device are made on the CPU.
    table : float [n_classes, N_AGES] or flat
        Values of cells; the last class is that of items that were never seen.
    kinds : int32 or int64 [n_items]
        Class of each item, the padding as well, before the events below.
    times : float64 [n_items], seconds
        Time of each item's latest event; anything for items that were never seen.
    moved_items, moved_kinds : int32 or int64 [n_moved]
        Items that had an event before some row, in the order of events, and their classes
        after it.
    moved_times : float64 [n_moved], seconds
    moved_start : int64 [n + 1]
        Events from ``moved_start[r]`` to ``moved_start[r + 1]`` come before row r, and not
        before row r - 1.
    at : float64 [n], seconds
        Time of each row, never falling.

    Raises
    ------
    ValueError
        If times of rows fall.
    """
    if np.any(np.diff(at) < 0):
        raise ValueError("Rows are not in the order of time.")
    values = table.detach().to(scores).reshape(-1).cpu().numpy()
    moves = moved_items, moved_kinds, moved_times, moved_start
    on_cpu = scores.device.type == "cpu"
    target = scores.detach() if on_cpu else torch.zeros(scores.shape, dtype=scores.dtype)
    _add(target.numpy(), values, kinds.copy(), times.copy(), *moves, at)
    if not on_cpu:
        scores += target.to(scores.device)


@exact
def _leave(item: int, first: Array, links: Array) -> None:
    """Take an item out of the list that it is in, if any."""
    row, after, before = links[item, 0], links[item, 1], links[item, 2]
    if row < 0:
        return
    if before < 0:
        first[row] = after
    else:
        links[before, 1] = after
    if after >= 0:
        links[after, 2] = before
    links[item, 0] = -1


@exact
def _enter(item: int, row: int, first: Array, links: Array) -> None:
    """Put an item, which is in no list, at the head of a row's."""
    links[item, 0], links[item, 1], links[item, 2] = row, first[row], -1
    if first[row] >= 0:
        links[first[row], 2] = item
    first[row] = item


@exact
def _first_row_from(time: float, stay: float, at: Array, row: int) -> int:
    """Give the first row after one in which that much time has passed since a time, or -1.

    Differences never fall as time goes on, rounding included, so that rows can be bisected.
    """
    last = len(at) - 1
    if at[last] - time < stay:
        return -1
    while last - row > 1:
        middle = (row + last) // 2
        if at[middle] - time < stay:
            row = middle
        else:
            last = middle
    return last


@exact
def _add(
    scores: Array,
    table: Array,
    kinds: Array,
    times: Array,
    moved_items: Array,
    moved_kinds: Array,
    moved_times: Array,
    moved_start: Array,
    at: Array,
) -> None:
    """Add values to rows, and keep for each row a list of the items that then leave a cell.

    ``first[row]`` is the head of a list; ``links[item]`` are the row in whose list an item is,
    and the items after and before it there. -1 is none.
    """
    n, n_items = scores.shape
    never = len(table) // N_AGES - 1
    values = np.full(n_items, table[cell(never, 0.0)])
    first = np.full(n, -1, np.int32)
    links = np.full((n_items, 3), -1, np.int32)
    for row in range(n):
        for move in range(moved_start[row], moved_start[row + 1]):
            item = moved_items[move]
            kinds[item] = moved_kinds[move]
            times[item] = moved_times[move]
            # It is looked up again in this row.
            _leave(item, first, links)
            _enter(item, row, first, links)
        if row == 0:
            for item in range(n_items):
                if links[item, 0] < 0 and kinds[item] != never:
                    _enter(item, row, first, links)
        while first[row] >= 0:
            item = first[row]
            _leave(item, first, links)
            here = cell(kinds[item], at[row] - times[item])
            values[item] = table[here]
            leaves = _first_row_from(times[item], STAYS[here % N_AGES], at, row)
            if leaves >= 0:
                _enter(item, leaves, first, links)
        target = scores[row]
        for item in range(n_items):
            target[item] += values[item]


def cells_of_columns(kinds: Array, known: Array, times: Array, columns: Array, at: Array) -> Array:
    """Give the cell of each item at each row's time, while the items move.

    Parameters
    ----------
    kinds : int32 [n_versions]
        Class of each version of an item.
    known : bool [n_versions]
        Whether the version has a latest event.
    times : float64 [n_versions], seconds
        Its time.
    columns : int32 [n, n_items] or [1, n_items]
        The version that each row sees of each item; one row if all see the same.
    at : float64 [n], seconds
        Time of each row, never falling.

    Returns
    -------
    int32 [n, n_items]
    """
    cells = np.empty((len(at), columns.shape[1]), np.int32)
    _fill_in_cells(threads_for(len(at)), kinds, known, times, columns, at, cells)
    return cells


@exact
def _fill_in_rows(
    first: int,
    last: int,
    kinds: Array,
    known: Array,
    times: Array,
    columns: Array,
    at: Array,
    cells: Array,
) -> None:
    n_items = columns.shape[1]
    # What the present row sees. An infinite time leaves nothing elapsed: none is negative.
    seen_kinds, seen_times = np.empty(n_items, np.int32), np.empty(n_items)
    for row in range(first, last):
        # Where all see the same, that is the only row.
        sees = row if row < len(columns) else 0
        for place in range(n_items if row == first or sees > 0 else 0):
            seen = columns[sees, place]
            if row == first or seen != columns[sees - 1, place]:
                seen_kinds[place] = kinds[seen]
                seen_times[place] = times[seen] if known[seen] else np.inf
        for place in range(n_items):
            elapsed = max(at[row] - seen_times[place], 0.0)
            cells[row, place] = cell(seen_kinds[place], elapsed)


_fill_in_all = in_parallel(_fill_in_rows)


@exact
def _fill_in_cells(
    threads: int,
    kinds: Array,
    known: Array,
    times: Array,
    columns: Array,
    at: Array,
    cells: Array,
) -> None:
    _fill_in_all(threads, len(at), (kinds, known, times, columns, at, cells))
