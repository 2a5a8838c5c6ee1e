"""Figures of a log, and the curves that its page shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_imn.data.describe.log import Integers, Log, Reals
from recbole_imn.log.grouping import previous_of_same
from recbole_imn.stream.levels import event_levels

DAY = 86_400.0
WINDOWS = (256, 1_024)
SAMPLED_WINDOWS = 200
# Share of the events, by time, of validation and of test, each rounded down as for training.
PART = 0.1
BINS = 40


def measure(log: Log) -> dict[str, Any]:
    """Compute all figures of a log.

    Returns
    -------
    dict
        ``notes`` (what is odd), ``size``, ``order``, ``life``, ``unseen``, ``shelf`` (None
        without listings), ``batches`` and ``behaviors``; shares in percent, times in days.
    """
    last = previous_of_same(log.user)
    return {
        "notes": list(log.notes),
        "size": size(log),
        "order": order(log, last),
        "life": life_times(log)[0],
        "unseen": unseen(log),
        "shelf": None if log.stays is None else shelf(log)[0],
        "batches": {str(window): batches(log, window)[0] for window in WINDOWS},
        "behaviors": log.behavior,
    }


def size(log: Log) -> dict[str, float | str | None]:
    """Figures of the paper's Table 2."""
    actions = len(log.time)
    users, items = int(log.user.max()) + 1, int(log.item.max()) + 1
    return {
        "users": users,
        "items": items,
        "actions": actions,
        "actions_per_user": actions / users,
        "actions_per_item": actions / items,
        "first_day": day_text(log, float(log.time[0])),
        "last_day": day_text(log, float(log.time[-1])),
        "days": float(log.time[-1] // DAY - log.time[0] // DAY + 1),
        "purchase_percent": None if log.purchase is None else _percent(log.purchase),
        "mean_price": None if log.price is None or not len(log.price) else float(log.price.mean()),
    }


def day_text(log: Log, time: float) -> str:
    """Give the day of a time, counted from the first if the origin is unknown."""
    if log.origin is None:
        return f"day {int(time // DAY)}"
    return str(np.datetime64(log.origin.date()) + np.timedelta64(int(time // DAY), "D"))


def _percent(flags: Any) -> float:
    return 100 * float(np.mean(flags)) if len(flags) else 0.0


def order(log: Log, last: Integers) -> dict[str, float]:
    """Give shares of repeats, ties and first events.

    Parameters
    ----------
    log : Log
    last : int64 [n_events]
        The user's previous event of each event, -1 for none.
    """
    pair = log.user * (log.item.max() + 1) + log.item
    tied = np.diff(log.time) == 0
    tied_same_user = (last >= 0) & (log.time == log.time[last])
    return {
        "repeat_percent": _percent((last >= 0) & (log.item == log.item[last])),
        "return_percent": _percent(previous_of_same(pair) >= 0),
        "tied_percent": _percent(np.append(tied, False) | np.append(False, tied)),
        "tied_same_user_percent": _percent(tied_same_user),
        "first_of_user_percent": _percent(last < 0),
        "first_of_item_percent": _percent(previous_of_same(log.item) < 0),
    }


def life_times(log: Log) -> tuple[dict[str, float], Reals]:
    """Give figures of the days between an item's first and last event, and all of them."""
    first, last = np.zeros(log.item.max() + 1), np.zeros(log.item.max() + 1)
    # The last entry of an item wins.
    last[log.item], first[log.item[::-1]] = log.time, log.time[::-1]
    days: Reals = (last - first) / DAY
    tenth, median, ninety = np.quantile(days, [0.1, 0.5, 0.9]).tolist()
    figures = {
        "mean_days": float(days.mean()),
        "tenth_days": tenth,
        "median_days": median,
        "ninetieth_days": ninety,
        "one_event_percent": _percent(np.bincount(log.item) == 1),
    }
    return figures, days


def unseen(log: Log) -> dict[str, float]:
    """Count test items that training never saw, split 80/10/10 by time.

    Of events, the shares on items that training, or training or validation, did see.
    """
    n, part = len(log.item), int(len(log.item) * PART)
    training, test = log.item[: n - 2 * part], log.item[n - part :]
    is_seen, is_tested = (np.isin(np.arange(log.item.max() + 1), part) for part in (training, test))
    tested, new = int(is_tested.sum()), int((is_tested & ~is_seen).sum())
    return {
        "test_items": tested,
        "unseen_items": new,
        "unseen_item_percent": 100 * new / max(tested, 1),
        "unseen_event_percent": _percent(~is_seen[test]),
        "known_event_percent": _percent(is_seen[test]),
        "known_later_event_percent": _percent(np.isin(test, log.item[: n - part])),
    }


def shelf(log: Log) -> tuple[dict[str, float], Reals, Integers]:
    """Give figures of the shelf, the start of each day of the log, and the items there then."""
    assert log.stays is not None
    starts, ends = (np.sort(times) for times in log.stays)
    days = np.arange(log.time[0] // DAY, log.time[-1] // DAY + 1) * DAY
    # Noon, when every item of the day is there.
    at = days + DAY / 2
    there = np.searchsorted(starts, at, side="right") - np.searchsorted(ends, at, side="right")
    lengths = (log.stays[1] - log.stays[0]) / DAY
    figures = {
        "listings": len(starts),
        "mean_items": float(there.mean()),
        "smallest_items": int(there.min()),
        "largest_items": int(there.max()),
        "mean_stay_days": float(lengths.mean()) if len(lengths) else 0.0,
    }
    return figures, days, there


def batches(log: Log, window: int) -> tuple[dict[str, float], Reals, Reals]:
    """Give figures of t-batches, and the time and the mean level size of sampled windows.

    Parameters
    ----------
    log : Log
    window : int
        Events a window; the last, shorter one counts only if there is no other.
    """
    n_windows = max(len(log.item) // window, 1)
    sampled = np.unique(np.linspace(0, n_windows - 1, SAMPLED_WINDOWS).astype(np.int64))
    times, means, largest = [], [], []
    for start in (sampled * window).tolist():
        part = slice(start, start + window)
        levels = event_levels(previous_of_same(log.user[part]), previous_of_same(log.item[part]))
        sizes = np.bincount(levels)
        times.append(float(log.time[start]))
        means.append(float(sizes.mean()))
        largest.append(int(sizes.max()))
    figures = {
        "windows": n_windows,
        "sampled_windows": len(sampled),
        "mean_level_size": float(np.mean(means)),
        "largest_level": max(largest),
    }
    return figures, np.array(times), np.array(means)


def log_histogram(counts: Integers) -> tuple[Reals, Integers]:
    """Count entities by their number of events, in bins that grow by a constant factor.

    Returns
    -------
    float64 [n_bins], int64 [n_bins]
        The middle of each bin that holds anything, and how many entities it holds.
    """
    edges = np.unique(np.rint(np.geomspace(1, counts.max() + 1, BINS)))
    found, _ = np.histogram(counts, bins=edges)
    middle = np.sqrt(edges[:-1] * np.maximum(edges[1:] - 1, edges[:-1]))
    return middle[found > 0], found[found > 0]
