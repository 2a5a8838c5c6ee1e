"""When things happen: sessions with daily and weekly rhythm, and daily batches of cars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.data.market.agents import Users
from recbole_imn.data.market.config import MarketConfig
from recbole_imn.data.market.draws import Draws
from recbole_imn.log import Floats, Integers

# 2019-05-01 was a Wednesday; weights from Wednesday on: offices are closed on Sundays.
WEEK = (1.05, 1.05, 1.1, 0.8, 0.55, 1.1, 1.05)
# Sessions by hour of the day: late morning, afternoon, and the evening at home.
HOURS = (0.4, 0.3, 0.2, 0.1, 0.1, 0.2, 0.5, 1.2, 2.5, 5.0, 6.5, 5.5,
         4.0, 4.5, 6.0, 6.0, 5.0, 4.0, 3.0, 3.5, 4.5, 4.0, 2.5, 1.0)  # fmt: skip


@dataclass(frozen=True)
class Sessions:
    """Sessions in order of their day.

    Attributes
    ----------
    user, day, length : int64 [n_sessions]
        Who, which day, and how many actions.
    start : int64 [n_sessions]
        Second of the day.
    first : int64 [n_days + 1]
        Where each day's sessions begin.
    """

    user: Integers
    day: Integers
    start: Integers
    length: Integers
    first: Integers


def make_sessions(config: MarketConfig, users: Users, draws: Draws) -> Sessions:
    """Draw every session: all users at least one, the active ones many."""
    rng = draws.of("sessions")
    n_sessions = max(round(config.n_session_bids / config.session_actions), config.n_users)
    further = rng.choice(
        config.n_users, n_sessions - config.n_users, p=users.activity / users.activity.sum()
    )
    user = np.concatenate([np.arange(config.n_users), further])
    day = rng.choice(config.n_days, n_sessions, p=_day_weights(config, rng))
    hours = np.array(HOURS) / sum(HOURS)
    start = rng.choice(24, n_sessions, p=hours) * 3600 + rng.integers(0, 3600, n_sessions)
    length = _lengths(config, n_sessions, rng)
    order = np.lexsort((start, day))
    first = np.searchsorted(day[order], np.arange(config.n_days + 1))
    return Sessions(user[order], day[order], start[order], length[order], first)


def _day_weights(config: MarketConfig, rng: np.random.Generator) -> Floats:
    week = np.resize(WEEK, config.n_days)
    weights: Floats = week * rng.lognormal(0, 0.08, config.n_days)
    share: Floats = weights / weights.sum()
    return share


def _lengths(config: MarketConfig, n_sessions: int, rng: np.random.Generator) -> Integers:
    """Draw actions per session, at least two, adding up to what the log needs."""
    length = 1 + rng.geometric(1 / (config.session_actions - 1), n_sessions)
    missing = config.n_session_bids - int(length.sum())
    while missing != 0:
        step = int(np.sign(missing))
        able = np.flatnonzero(length > 2) if step < 0 else np.arange(n_sessions)
        if len(able) == 0:
            break
        chosen = rng.permutation(able)[: abs(missing)]
        length[chosen] += step
        missing -= step * len(chosen)
    return length


def make_batches(config: MarketConfig, draws: Draws) -> list[Integers]:
    """Give the cars first listed on each day; sizes vary, and the shelf starts filled."""
    rng = draws.of("listings")
    week = np.resize(WEEK, config.n_days) * rng.lognormal(0, 0.35, config.n_days)
    week[0] = max(week[0], config.opening_days)
    # No new cars on the last day: their auctions could not run.
    week[-1] = 0
    sizes = rng.multinomial(config.n_cars, week / week.sum())
    return np.split(np.arange(config.n_cars), np.cumsum(sizes)[:-1])
