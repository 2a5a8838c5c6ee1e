"""What a window teaches: the items of its rows, and others to compare them with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recbole_imn.kernels.freshness import cells_of_columns
from recbole_imn.log import NO_EVENT, Ids, Integers
from recbole_imn.model.negatives import Negatives
from recbole_imn.model.terms.base import CellTerm
from recbole_imn.past import Facts, Past
from recbole_imn.past.distinct import places_in
from recbole_imn.stream.plan import WindowPlan
from recbole_imn.stream.versions import (
    ItemVersions,
    item_versions,
    latest_at,
    versions_of_rows,
)

# Rows that are compared with negatives at a time; few items move meanwhile.
ROWS_A_CHUNK = 256


@dataclass(frozen=True)
class Comparison:
    """Consecutive rows and the versions of the negatives that they see.

    Attributes
    ----------
    start, stop : int
        Rows ``start <= k < stop``.
    found : int64 [n_versions]
        The items of the versions.
    columns : int32 [stop - start, n_negatives] or None
        The version that each row sees of each negative; None if it is the n-th of the n-th.
    cells : int32 [stop - start, n_negatives] or None
        For a term by cells.
    """

    start: int
    stop: int
    found: Tensor
    columns: Tensor | None
    cells: Tensor | None


@dataclass(frozen=True)
class Lessons:
    """Targets of rows that are events, and negatives.

    Attributes
    ----------
    items : int64 [n]
        The items of the rows' events.
    after : int64 [n]
        Buffer rows of their states just after the event.
    places, states : int64 [n + versions of all comparisons]
        Places among the window's items of those that are represented, and the buffer rows of
        their states: the items of the rows' events just before each, then the versions.
    cells : int32 [n] or None
        Their cells, for a term by cells.
    negatives : int64 [m], or [n, m] of each row's own
    log_shares : float [m]
    comparisons : list of Comparison
    salt : int
        Says which ids are left out.
    """

    items: Tensor
    after: Tensor
    places: Tensor
    states: Tensor
    cells: Tensor | None
    negatives: Tensor
    log_shares: Tensor
    comparisons: list[Comparison]
    salt: int


def prepare_lessons(
    past: Past,
    plan: WindowPlan,
    facts: Facts,
    negatives: Negatives,
    term: CellTerm | None,
    salt: int,
) -> Lessons:
    """Look up what the rows of a window are compared with.

    Parameters
    ----------
    past : Past
        At the window's end, or beyond it.
    plan : WindowPlan
    facts : Facts
        Of the rows, each an event of the window.
    negatives : Negatives
    term : CellTerm, optional
    salt : int
    """
    events = facts.position
    places = torch.from_numpy(events - plan.start)
    items = past.log.item[events].astype(np.int64)
    cells = None
    if term is not None:
        known = past.look_at_items(items, facts.at, events)
        kinds = term.kinds(past, known.latest, known.count)
        cells = torch.from_numpy(term.cells(kinds, known.elapsed))
    comparisons, found, rows = [], [items], [_before(plan, places)]
    for start in range(0, len(facts), ROWS_A_CHUNK):
        chunk = facts[start : start + ROWS_A_CHUNK]
        versions = _versions(past, plan.start, chunk, start, negatives.items)
        comparisons.append(_compare(past, plan.start, start, chunk, versions, negatives, term))
        found.append(versions.items)
        rows.append(_rows_of_versions(plan, versions))
    return Lessons(
        torch.from_numpy(items),
        plan.after(1)[places],
        torch.from_numpy(places_in(plan.items.numpy(), np.concatenate(found))),
        torch.from_numpy(np.concatenate(rows)),
        cells,
        torch.from_numpy(negatives.items),
        torch.from_numpy(negatives.log_shares),
        comparisons,
        salt,
    )


def _versions(
    past: Past, window: int, rows: Facts, first: int, negatives: Integers
) -> ItemVersions:
    if negatives.ndim == 1:
        return item_versions(past, window, rows.position, negatives)
    own = negatives[first : first + len(rows)]
    return versions_of_rows(past, window, rows.position, own)


def _before(plan: WindowPlan, places: Tensor) -> Integers:
    """Buffer rows of the items of events, just before them."""
    before: Integers = plan.levels.sources[places, 1].numpy()
    return before


def _rows_of_versions(plan: WindowPlan, versions: ItemVersions) -> Integers:
    made = plan.levels.n_initial + 2 * (versions.events - plan.start) + 1
    found = plan.initial_item_row(versions.items)
    return np.where(versions.events != NO_EVENT, made, found)


def _compare(
    past: Past,
    window: int,
    start: int,
    rows: Facts,
    versions: ItemVersions,
    negatives: Negatives,
    term: CellTerm | None,
) -> Comparison:
    return Comparison(
        start,
        start + len(rows),
        torch.from_numpy(versions.items),
        None if versions.columns is None else torch.from_numpy(versions.columns),
        None if term is None else _cells(past, window, rows, versions, negatives.items, term),
    )


def _cells(
    past: Past,
    start: int,
    rows: Facts,
    versions: ItemVersions,
    negatives: Integers,
    term: CellTerm,
) -> Tensor:
    """Give the cell of each negative at each row's time, int32 [n_rows, n_negatives]."""
    event, time, count = latest_at(versions, past, start)
    kinds = term.kinds(past, event, count)
    columns: Ids | None = versions.columns
    if columns is None:
        columns = np.arange(len(negatives), dtype=np.int32)[None]
    return torch.from_numpy(cells_of_columns(kinds, event >= 0, time, columns, rows.at))
