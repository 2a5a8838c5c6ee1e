"""A synthetic log in the shape of the IJCAI-16 one (Tmall), at any fraction of its size.

The same counts (1,160,135 users, 2,353,208 items, 44,528,128 events), heavy tails of users and
items, five months of which only the day is known, users who come back to what they had, and
purchases among clicks. Tastes are nobody's: nothing can be learned from it but the shape, and
no figure of quality from it means anything.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from recbole_imn.files import make_folder, replaced

USERS, ITEMS, EVENTS = 1_160_135, 2_353_208, 44_528_128
DAYS, DAY = 150, 86_400.0
# Chosen for the shape; nobody has published them.
SPREAD_OF_USERS, TAIL_OF_ITEMS, REPEATS, PURCHASES = 1.2, 0.9, 0.35, 0.05
REACH = 5

Ints = npt.NDArray[np.int64]


def write_stream(folder: Path, name: str, fraction: float, seed: int = 1) -> Path:
    """Write NAME.inter of a fraction of the log, in order of time; give its path."""
    make_folder(folder / name)
    path = folder / name / f"{name}.inter"
    if path.is_file():
        return path
    rng = np.random.default_rng(seed)
    users, items, days = draw(rng, fraction)
    purchases = rng.random(len(users)) < PURCHASES
    frame = pl.DataFrame(
        {
            "user_id:token": users,
            "item_id:token": items,
            "timestamp:float": days * int(DAY),
            "behavior:token": np.where(purchases, 2, 1),
            "purchase:float": purchases.astype(np.int8),
        }
    )
    kinds = {"1": "click", "2": "buy"}
    frame = frame.with_columns(
        pl.col("behavior:token").cast(pl.String).replace_strict(kinds, return_dtype=pl.String)
    )
    with replaced(path) as part:
        frame.write_csv(part, separator="\t")
    return path


def draw(rng: np.random.Generator, fraction: float) -> tuple[Ints, Ints, Ints]:
    """Draw user, item and day of each event, sorted by day."""
    n_users, n_items, n_events = (max(int(n * fraction), 10) for n in (USERS, ITEMS, EVENTS))
    weights = rng.lognormal(0.0, SPREAD_OF_USERS, n_users)
    counts = 1 + rng.multinomial(n_events - n_users, weights / weights.sum())
    users = np.repeat(rng.permutation(n_users), counts)
    days = np.sort(rng.integers(0, DAYS, n_events))
    # Events of a user lie side by side until the end, his days in order.
    days = days[np.argsort(rng.permutation(n_events))]
    order = np.lexsort((days, users))
    users, days = users[order], days[order]
    items = repeated(rng, users, popular(rng, n_items, n_events))
    order = np.argsort(days, kind="stable")
    # Inside a day users come in any order.
    order = order[np.lexsort((rng.random(n_users)[users[order]], days[order]))]
    return users[order], items[order], days[order]


def popular(rng: np.random.Generator, n_items: int, n_events: int) -> Ints:
    """Draw items by a power law of their rank."""
    shares = np.arange(1, n_items + 1, dtype=np.float64) ** -TAIL_OF_ITEMS
    ends = np.cumsum(shares)
    ranks = np.searchsorted(ends, rng.random(n_events) * ends[-1], side="right")
    return rng.permutation(n_items)[np.minimum(ranks, n_items - 1)]


def repeated(rng: np.random.Generator, users: Ints, items: Ints) -> Ints:
    """Let some events be on the item of one of the user's latest events."""
    places = np.arange(len(users))
    origin = places - rng.integers(1, REACH + 1, len(users))
    is_repeat = (rng.random(len(users)) < REPEATS) & (origin >= 0)
    is_repeat &= users[np.maximum(origin, 0)] == users
    source = np.where(is_repeat, origin, places)
    # An origin may be a repeat itself, and so on.
    while (source[source] != source).any():
        source = source[source]
    return items[source]
