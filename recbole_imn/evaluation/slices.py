"""Metrics by kind of row: what was asked for, by whom, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from recbole_imn.evaluation.metrics import metrics_of_ranks
from recbole_imn.log import Flags, Floats, Integers
from recbole_imn.past import Past
from recbole_imn.units import DAY

COLD, WARM = 5, 50
AGES = ("under 1 day", "1 to 7 days", "over 7 days")


def slice_labels(
    past: Past, events: Integers, n_training: int, described: Flags | None = None
) -> pd.DataFrame:
    """Say of each row which slice of each grouping it belongs to.

    Everything is known at the row's time, but for the row's own item and whether it is bought,
    by which slices sort. What is about purchases is there where the log knows of any.

    Parameters
    ----------
    past : Past
        At the end of the log.
    events : int64 [n_rows]
        Positions of the rows in the log.
    n_training : int
        Events of the training part.
    described : bool [n_items], optional
        Items of which features are known. None: the log has none, and no slice of them.

    Returns
    -------
    DataFrame
        A row a row, a categorical column a grouping.
    """
    rows: dict[str, Any] = {
        name: pd.Categorical.from_codes(codes, pd.Index(categories))
        for name, codes, categories in _groupings(past, events, n_training, described)
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
                table.append({**about, **metrics_of_ranks(chosen, whole=True)})
    return table


# Codes are integers; what pandas says that it takes differs between its releases.
Grouping = tuple[str, Any, tuple[str, ...]]


def described_items(features: Tensor) -> Flags | None:
    """Say of which items anything is known, bool [n_items]; None where no item has features.

    Parameters
    ----------
    features : float32 [n_items, n_features]
        Of the data set; an item without any has zeros alone.
    """
    known: Flags = (features != 0).any(dim=1).numpy()
    return known if known.any() else None


def _groupings(
    past: Past, events: Integers, n_training: int, described: Flags | None
) -> Iterator[Grouping]:
    log, chains = past.log, past.chains
    item, latest, bought = log.item[events], chains.user[events], chains.purchase[events]
    last = (latest >= 0) & (item == log.item[latest])
    asked = np.where(last, 0, np.where(chains.times[events] > 1, 1, 2))
    yield "item asked for", asked, ("the user's last item", "an own earlier item", "a new item")
    is_first = chains.item[events] < 0
    yield _of_new_items(asked == 2, is_first, None if described is None else described[item])
    seen = np.isin(item, log.item[:n_training]).astype(np.int64)
    yield "item in training", seen, ("never", "seen")
    length = np.digitize(past.numbers_before(chains.user)[events], (1, COLD, WARM))
    users = ("new (no history)", f"cold (under {COLD} events)", f"warm (under {WARM})", "heavy")
    yield "user", length, users
    ago = np.where(bought < 0, 0, 1 + _ages(log.time[events] - log.time[bought]))
    yield "user's last purchase", ago, ("none", *AGES)
    age = log.time[events] - log.time[past.items.first[item]]
    known = np.where(is_first, 0, 1 + _ages(age))
    yield "item's first event", known, ("this one", *AGES)
    if log.purchase.any():
        yield from _of_purchases(log.purchase[events], ago)


def _of_purchases(bought: Flags, ago: Integers) -> Iterator[Grouping]:
    """Tell rows that are purchases themselves, and those in the week after one of their user.

    Parameters
    ----------
    bought : bool [n_rows]
        Whether the row's own event is a purchase.
    ago : int64 [n_rows]
        0 without an earlier purchase of the user, else 1 and the number of its age group.
    """
    yield "row's own event", bought.astype(np.int64), ("no purchase", "a purchase")
    in_week = ((ago == 1) | (ago == 2)).astype(np.int64)
    yield "week after the user's purchase", in_week, ("not in it", "in it")


def _of_new_items(new: Flags, is_first: Flags, described: Flags | None) -> Grouping:
    """Tell new items that others have touched before from those that nobody has.

    A model can find the latter by their features alone, and without features not at all.

    Parameters
    ----------
    new : bool [n_rows]
        Whether the item is new to the row's user.
    is_first : bool [n_rows]
        Whether the event is the item's first one.
    described : bool [n_rows], optional
        Whether features of the item are known.
    """
    slices = ["the user's own", "seen before with others", "its first event"]
    codes = np.where(new, np.where(is_first, 2, 1), 0)
    if described is not None:
        slices[2:] = ["its first event, no features", "its first event, known by features"]
        codes = np.where((codes == 2) & described, 3, codes)
    return "item new to the user", codes, tuple(slices)


def _ages(seconds: Floats) -> Integers:
    """Give the number of the age group, int64 [n]."""
    # A week belongs to the middle group, as does a day.
    return (seconds >= DAY).astype(np.int64) + (seconds > 7 * DAY)
