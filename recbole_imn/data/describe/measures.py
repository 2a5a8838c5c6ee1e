"""Figures of a log, and the binned curves that its page shows: each computed once.

Everything is a pass over whole columns, so that logs of some ten million events stand in little
more memory than they take themselves; no curve has a point an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recbole_imn.data.describe import bins
from recbole_imn.data.describe.days import day_text, moments_of_days
from recbole_imn.data.describe.log import Log
from recbole_imn.data.describe.walk import Walk, walk
from recbole_imn.data.united_stays import missed
from recbole_imn.log import Floats, Integers, split_positions
from recbole_imn.units import DAY

# Share of the events, by time, of validation and of test, each rounded down as for training.
PART = 0.1


@dataclass(frozen=True)
class Profile:
    """What is known of a log.

    Attributes
    ----------
    figures : dict
        ``notes`` (what is odd), ``size``, ``order``, ``life``, ``unseen``, ``shelf`` (None
        without listings) and ``behaviors``; shares in percent, times in days.
    user_activity, item_activity : list of (str, int)
        How many users, and items, have how many events.
    lives : list of (str, int)
        How many items have their first and last event how far apart.
    actions, purchases, shelf : Curve or None
        Means a day; None where the log knows nothing of them.
    unseen : Curve
        Percent of the test events that are on items that training never saw.
    """

    figures: dict[str, Any]
    user_activity: list[tuple[str, int]]
    item_activity: list[tuple[str, int]]
    lives: list[tuple[str, int]]
    actions: bins.Curve
    purchases: bins.Curve | None
    shelf: bins.Curve | None
    unseen: bins.Curve


def profile(log: Log) -> Profile:
    """Compute all figures and curves of a log.

    Parameters
    ----------
    log : Log
        In order of time.
    """
    walked = walk(log)
    per_user, per_item = np.bincount(log.user), np.bincount(log.item)
    is_new, test_figures = unseen(log)
    on_shelf = None if log.stays is None else shelf(log)
    figures = {
        "notes": list(log.notes),
        "size": size(log),
        "order": order(log, walked),
        "life": life_times(walked, per_item),
        "unseen": test_figures,
        "shelf": None if on_shelf is None else on_shelf[0],
        "behaviors": log.behavior,
    }
    has_purchases = log.purchase is not None and bool(log.purchase.any())
    return Profile(
        figures,
        bins.by_number(per_user),
        bins.by_number(per_item),
        bins.by_life(walked.last - walked.first, per_item),
        bins.per_day(log.time, log.time, log.origin),
        bins.per_day(log.time[log.purchase], log.time, log.origin) if has_purchases else None,
        None if on_shelf is None else bins.of_days(on_shelf[1], on_shelf[2]),
        bins.shares(is_new, log.time[len(log.time) - len(is_new) :]),
    )


def size(log: Log) -> dict[str, float | str | None]:
    """Figures of the paper's Table 2."""
    actions, ends = len(log.time), (float(log.time[0]), float(log.time[-1]))
    users, items = int(log.user.max()) + 1, int(log.item.max()) + 1
    return {
        "users": users,
        "items": items,
        "actions": actions,
        "actions_per_user": actions / users,
        "actions_per_item": actions / items,
        "first_day": day_text(ends[0], log.origin),
        "last_day": day_text(ends[1], log.origin),
        "days": float(len(moments_of_days(*ends, log.origin))),
        "purchase_percent": None if log.purchase is None else _percent(log.purchase),
        "mean_price": None if log.price is None or not len(log.price) else float(log.price.mean()),
    }


def _percent(flags: Any) -> float:
    return 100 * float(np.mean(flags)) if len(flags) else 0.0


def order(log: Log, walked: Walk) -> dict[str, float]:
    """Give shares of repeats, ties and first events.

    Parameters
    ----------
    log : Log
    walked : Walk
    """
    n = len(log.time)
    counts = {
        "repeat_percent": walked.repeats,
        # All but the first event of each pair of user and item.
        "return_percent": n - _n_pairs(log),
        "tied_percent": walked.tied,
        "tied_same_user_percent": walked.tied_same_user,
        "first_of_user_percent": int(log.user.max()) + 1,
        "first_of_item_percent": int(log.item.max()) + 1,
    }
    return {name: 100 * count / n for name, count in counts.items()}


def _n_pairs(log: Log) -> int:
    """Count pairs of user and item, by sorting their numbers in place."""
    pairs = log.user * np.int64(log.item.max() + 1)
    pairs += log.item
    pairs.sort()
    return 1 + int(np.count_nonzero(pairs[1:] != pairs[:-1]))


def life_times(walked: Walk, per_item: Integers) -> dict[str, float]:
    """Give figures of the days between an item's first and last event.

    Parameters
    ----------
    walked : Walk
    per_item : int64 [n_items]
        Its events.
    """
    days = (walked.last - walked.first) / DAY
    tenth, median, ninety = np.quantile(days, [0.1, 0.5, 0.9]).tolist()
    return {
        "mean_days": float(days.mean()),
        "tenth_days": tenth,
        "median_days": median,
        "ninetieth_days": ninety,
        "one_event_percent": _percent(per_item == 1),
    }


def unseen(log: Log) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], dict[str, float]]:
    """Count test items that training never saw, split 80/10/10 by time.

    Returns
    -------
    bool [n_test]
        Whether training never saw the item of each test event.
    dict
        Of events, the shares on items that training, or training or validation, did see.
    """
    later, latest = split_positions(len(log.item), (1 - 2 * PART, PART, PART))
    test = log.item[latest:]
    n_items = int(log.item.max()) + 1
    is_seen, is_tested = (np.zeros(n_items, np.bool_) for _ in range(2))
    is_seen[log.item[:later]] = True
    is_tested[test] = True
    is_seen_later = is_seen.copy()
    is_seen_later[log.item[later:latest]] = True
    tested, new = int(is_tested.sum()), int((is_tested & ~is_seen).sum())
    is_new = ~is_seen[test]
    return is_new, {
        "test_items": tested,
        "unseen_items": new,
        "unseen_item_percent": 100 * new / max(tested, 1),
        "unseen_event_percent": _percent(is_new),
        "known_event_percent": _percent(~is_new),
        "known_later_event_percent": _percent(is_seen_later[test]),
    }


def shelf(log: Log) -> tuple[dict[str, float | None], Floats, Integers]:
    """Give figures of the shelf, the start of each day of the log, and the items there then."""
    stays = log.stays
    assert stays is not None
    first, last = float(log.time[0]), float(log.time[-1])
    # Noon, when every item of the day is there; a log that ends before it knows no later moment.
    at = np.minimum(moments_of_days(first, last, log.origin, hour=12), last)
    # The moment of going is part of a stay.
    begun = np.searchsorted(np.sort(stays.start), at, side="right")
    there = begun - np.searchsorted(np.sort(stays.end), at, side="left")
    lengths = (stays.end - stays.start) / DAY
    is_missed = missed(stays, log.item, log.time)
    bought = None if log.purchase is None else int((is_missed & log.purchase).sum())
    figures = {
        "listings": len(stays.start),
        "mean_items": float(there.mean()),
        "smallest_items": int(there.min()),
        "largest_items": int(there.max()),
        "mean_stay_days": float(lengths.mean()) if len(lengths) else 0.0,
        "events_off_shelf": int(is_missed.sum()),
        "purchases_off_shelf": bought,
    }
    return figures, moments_of_days(first, last, log.origin), there
