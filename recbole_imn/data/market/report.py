"""Statistics of a simulated market beside the published ones."""

from __future__ import annotations

import numpy as np

from recbole_imn.data.market.config import INFERRED_KNOWN_PERCENT, PUBLISHED
from recbole_imn.data.market.simulation import MarketLog
from recbole_imn.log import Integers
from recbole_imn.units import DAY

LABELS = {
    "users": "users",
    "items": "items (cars)",
    "actions": "actions",
    "purchase_percent": "purchases, % of actions",
    "mean_price_cny": "mean price of a car, CNY",
    "days": "days",
    "actions_per_user": "actions per user",
    "actions_per_item": "actions per car",
    "repeat_percent": "repeats of the user's previous car, %",
    "mean_shelf": "cars on the shelf, mean over actions",
    "longest_listing_days": "longest stay on the shelf, days",
    "known_percent": "test events on cars known from training, %",
    "known_later_percent": "... from training or validation, %",
}
INFERRED = (
    "(*) inferred, not published: the paper's FPMC finds 9% within 20, and can only find known cars"
)
# Share of the events, by time, of validation and of test.
PART = 0.1


def statistics(log: MarketLog) -> dict[str, float]:
    """Compute the figures of a log that the published statistics name, and some more."""
    events, listings = log.events, log.listings
    user, car = events["user"].to_numpy(), events["car"].to_numpy()
    by_user = np.argsort(user, kind="stable")
    repeats = (np.diff(user[by_user]) == 0) & (np.diff(car[by_user]) == 0)
    users, items = len(np.unique(user)), len(np.unique(car))
    last_day = int(events["time"].iloc[-1]) // DAY
    return {
        "users": users,
        "items": items,
        "actions": len(events),
        "purchase_percent": 100 * float((events["action"] == "trade").mean()),
        "mean_price_cny": float(log.cars.price.mean()),
        "days": last_day - int(events["time"].iloc[0]) // DAY + 1,
        "actions_per_user": len(events) / users,
        "actions_per_item": len(events) / items,
        "repeat_percent": 100 * float(repeats.sum()) / len(events),
        "mean_shelf": float(events["shelf_size"].mean()),
        "longest_listing_days": float((listings["end"] - listings["start"]).max()) / DAY,
        **known(car),
    }


def known(car: Integers) -> dict[str, float]:
    """Give shares of test events on cars that had events before, split 80/10/10 by time.

    Parameters
    ----------
    car : int64 [n_events]
        In time order.
    """
    part = int(len(car) * PART)
    test = car[len(car) - part :]
    training, before = car[: len(car) - 2 * part], car[: len(car) - part]
    return {
        "known_percent": 100 * float(np.isin(test, training).mean()),
        "known_later_percent": 100 * float(np.isin(test, before).mean()),
    }


def statistics_table(log: MarketLog) -> str:
    """Lay out the statistics of a simulated log beside the published ones.

    The published table also says 378 actions per user, against 647,664 / 10,718 = 60.4 from
    its own figures; the latter is shown.
    """
    published = {
        **PUBLISHED,
        "actions_per_user": PUBLISHED["actions"] / PUBLISHED["users"],
        "actions_per_item": PUBLISHED["actions"] / PUBLISHED["items"],
    }
    config, (low, high) = log.config, INFERRED_KNOWN_PERCENT
    others = {name: f"{value:,.2f}" for name, value in published.items()}
    others["known_percent"] = f"{low:.0f} to {high:.0f} (*)"
    lines = [
        f"SIMULATED market, seed {config.seed}, resource strength {config.resource_strength:g}, "
        f"{config.n_users / PUBLISHED['users']:.3g} of full size, version {config.version}, "
        f"{config.taste} tastes",
        f"{'':40}{'simulated':>14}{'published':>14}",
    ]
    for name, value in statistics(log).items():
        lines.append(f"{LABELS[name]:40}{value:14,.2f}{others.get(name, '-'):>14}")
    return "\n".join([*lines, INFERRED])
