"""Metrics by kind of row: what was asked for, by whom, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from recbole_imn.evaluation.metrics import metrics_of_ranks
from recbole_imn.stream.events import EventStream, Floats, Integers, previous_of_same

DAY = 86_400.0
COLD, WARM = 5, 50
AGES = ("under 1 day", "1 to 7 days", "over 7 days")


def slice_labels(stream: EventStream, events: Integers, n_training: int) -> pd.DataFrame:
    """Say of each row which slice of each grouping it belongs to.

    Everything is known at the row's time, but for the row's own item, by which slices sort.

    Parameters
    ----------
    stream : EventStream
    events : int64 [n_rows]
        Positions of the rows in the stream.
    n_training : int
        Events of the training part.

    Returns
    -------
    DataFrame
        A row a row, a categorical column a grouping.
    """
    rows: dict[str, Any] = {
        name: pd.Categorical.from_codes(codes, pd.Index(categories))
        for name, codes, categories in _groupings(stream, events, n_training)
    }
    return pd.DataFrame(rows)


def metrics_by_slice(labels: pd.DataFrame, rank: Floats) -> list[dict[str, Any]]:
    """Give the metrics of every slice that has rows.

    Parameters
    ----------
    labels : DataFrame
        From :func:`slice_labels`.
    rank : float64 [n_rows]
        Ranks of the same rows.

    Returns
    -------
    list of dict
        ``grouping``, ``slice``, ``rows`` and metrics such as ``ndcg@10``.
    """
    table = []
    for grouping in labels:
        for name in labels[grouping].cat.categories:
            chosen = rank[(labels[grouping] == name).to_numpy()]
            if len(chosen):
                about = {"grouping": str(grouping), "slice": str(name), "rows": len(chosen)}
                table.append({**about, **metrics_of_ranks(chosen)})
    return table


# Codes are integers; what pandas says that it takes differs between its releases.
Grouping = tuple[str, Any, tuple[str, ...]]


def _groupings(stream: EventStream, events: Integers, n_training: int) -> Iterator[Grouping]:
    item = stream.item[events]
    pairs = previous_of_same(stream.user * stream.n_items + stream.item)[events]
    last = item == stream.previous_item[events]
    asked = np.where(last, 0, np.where(pairs >= 0, 1, 2))
    yield "item asked for", asked, ("the user's last item", "an own earlier item", "a new item")
    seen = np.isin(item, stream.item[:n_training]).astype(np.int64)
    yield "item in training", seen, ("never", "seen")
    length = np.digitize(stream.history_length[events], (COLD, WARM))
    users = (f"cold (under {COLD} events)", f"warm (under {WARM})", "heavy")
    yield "user", length, users
    bought = np.where(stream.first_purchase[events], 0, 1 + _ages(stream.delta_purchase[events]))
    yield "user's last purchase", bought, ("none", *AGES)
    age = stream.time[events] - stream.time[_first_events(stream)[events]]
    known = np.where(stream.first_item[events], 0, 1 + _ages(age))
    yield "item's first event", known, ("this one", *AGES)


def _ages(seconds: Floats) -> Integers:
    """Give the number of the age group, int64 [n]."""
    # A week belongs to the middle group, as does a day.
    return (seconds >= DAY).astype(np.int64) + (seconds > 7 * DAY)


def _first_events(stream: EventStream) -> Integers:
    """Position of the first event of each event's item, int64 [n_events]."""
    _, first, place = np.unique(stream.item, return_index=True, return_inverse=True)
    positions: Integers = first[place]
    return positions
