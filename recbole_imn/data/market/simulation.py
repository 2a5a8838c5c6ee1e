"""The market, day by day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recbole_imn.bars import bar
from recbole_imn.data.market.agents import Cars, Users, make_cars, make_users
from recbole_imn.data.market.auctions import Auctions, Closings
from recbole_imn.data.market.calendar import Sessions, make_batches, make_sessions
from recbole_imn.data.market.choice import Chooser, Visits
from recbole_imn.data.market.config import ALERT, NO_STRATEGY, STRATEGIES, MarketConfig
from recbole_imn.data.market.draws import Draws
from recbole_imn.data.market.wealth import Wealth
from recbole_imn.log import Integers
from recbole_imn.units import DAY

GAP_SECONDS = 45
ACTIONS = ("bid", "win", "trade")


@dataclass(frozen=True)
class MarketLog:
    """What a simulated market leaves behind.

    Attributes
    ----------
    config : MarketConfig
    events : DataFrame
        user, car (from 0), time (whole seconds since the log's start), action, strategy,
        shelf_size (cars on the shelf at that moment), session_position (from 1; 0 outside
        sessions: first bids on new cars, wins and trades). In time order.
    cars, users : Cars, Users
    listings : DataFrame
        car, start, end: every stay on the shelf.
    """

    config: MarketConfig
    events: pd.DataFrame
    cars: Cars
    users: Users
    listings: pd.DataFrame


class Market:
    """A market in motion.

    Parameters
    ----------
    config : MarketConfig
    """

    def __init__(self, config: MarketConfig) -> None:
        self.config, self.draws = config, Draws(config.seed)
        self.cars, self.users = make_cars(config, self.draws), make_users(config, self.draws)
        self.sessions: Sessions = make_sessions(config, self.users, self.draws)
        self.batches = make_batches(config, self.draws)
        self.wealth = Wealth(config, self.cars, self.users)
        self.chooser = Chooser(config, self.cars, self.users, self.wealth)
        self.auctions = Auctions(config, self.cars)
        self._trades: dict[int, list[tuple[Integers, Integers]]] = {}
        self._events: list[dict[str, npt.NDArray[np.int64]]] = []

    def live(self, day: int) -> None:
        """Let a day pass: stock is sold, cars are listed, users bid, auctions end."""
        self.wealth.sell(day)
        closing, returns = self.draws.of("closing", day), self.draws.of("returns", day)
        for users, cars in self._trades.pop(day, []):
            again = self.wealth.buy(users, cars, day, closing, returns)
            self.auctions.returns.consign(cars[again], users[again], day, returns)
        new = self.batches[day]
        self.auctions.open(new, day, self.draws.of("listings", day + 1))
        self._alert(new, day)
        self._visit(day)
        closings = self.auctions.close(day, closing, returns)
        self._close(closings)
        # Money for a car that a dealer has sold here or elsewhere comes the day after.
        self.wealth.plan_sale(closings.owners, closings.given_up, day + 1)

    def _alert(self, new: Integers, day: int) -> None:
        """Every new car gets its first bid from the keenest of those who were told of it."""
        rng = self.draws.of("alerts", day)
        users = self.chooser.first_bidders(new, rng)
        wait = rng.integers(60, 6 * 3600, len(new))
        time = np.minimum(self.auctions.listed[new] + wait, self.auctions.ends[new] - 1)
        self.auctions.bid(users, new, rng)
        self._record(users, new, time, "bid", len(STRATEGIES))

    def _visit(self, day: int) -> None:
        """Users come, are shown cars and bid."""
        visits, time = self._visits(day)
        shelf = self.auctions.shelf(day)
        if len(visits.users) == 0 or len(shelf.cars) == 0:
            return
        display = self.draws.of("display", day)
        strategies = self.chooser.strategies(len(visits.users), display)
        shown, there = self.chooser.display(shelf, visits, strategies, display)
        cars = self.chooser.pick(shelf, visits, shown, there, self.draws.of("choice", day))
        users = np.repeat(visits.users, visits.length)
        position = _positions(visits.length)
        found = cars >= 0
        self.auctions.bid(users[found], cars[found], self.draws.of("bids", day))
        strategy = np.repeat(strategies, visits.length)
        self._record(
            users[found], cars[found], time[found], "bid", strategy[found], position[found]
        )

    def _visits(self, day: int) -> tuple[Visits, Integers]:
        """Give a day's sessions and the time of every action in them."""
        first, last = self.sessions.first[day], self.sessions.first[day + 1]
        length = self.sessions.length[first:last]
        start = day * DAY + self.sessions.start[first:last]
        rng = self.draws.of("sessions", day + 1)
        gaps = 5 + rng.exponential(GAP_SECONDS, int(length.sum())).astype(np.int64)
        opening = np.cumsum(length) - length
        gaps[opening] = 0
        passed = np.cumsum(gaps)
        time = np.repeat(start - passed[opening], length) + passed
        # The log ends with its last day.
        time = np.minimum(time, self.auctions.last_second)
        finish = time[np.cumsum(length) - 1] if len(length) else start
        return Visits(self.sessions.user[first:last], start, finish, length), time

    def _close(self, closings: Closings) -> None:
        self._record(closings.users, closings.cars, closings.time, "win", len(STRATEGIES) + 1)
        traded = closings.trade_time >= 0
        users, cars = closings.users[traded], closings.cars[traded]
        time = closings.trade_time[traded]
        self._record(users, cars, time, "trade", len(STRATEGIES) + 1)
        for day in np.unique(time // DAY):
            due = time // DAY == day
            # Money moves on the day of the trade; choices feel it from the next day on.
            self._trades.setdefault(int(day) + 1, []).append((users[due], cars[due]))

    def _record(
        self,
        users: Integers,
        cars: Integers,
        time: Integers,
        action: str,
        strategy: Integers | int,
        position: Integers | int = 0,
    ) -> None:
        columns = {"user": users, "car": cars, "time": time}
        constants = {
            "action": ACTIONS.index(action),
            "strategy": strategy,
            "session_position": position,
        }
        shaped = {name: np.broadcast_to(value, users.shape) for name, value in constants.items()}
        self._events.append({**columns, **shaped})

    def log(self) -> MarketLog:
        """Give everything that has happened."""
        names = list(self._events[0])
        columns = {name: np.concatenate([part[name] for part in self._events]) for name in names}
        order = np.argsort(columns["time"], kind="stable")
        events = pd.DataFrame({name: column[order] for name, column in columns.items()})
        car, start, end = self.auctions.intervals()
        time = events["time"].to_numpy()
        on_shelf = np.searchsorted(np.sort(start), time, "right")
        gone = np.searchsorted(np.sort(end), time, "right")
        events["shelf_size"] = on_shelf - gone
        events["action"] = np.array(ACTIONS)[events["action"]]
        events["strategy"] = np.array([*STRATEGIES, ALERT, NO_STRATEGY])[events["strategy"]]
        listings = pd.DataFrame({"car": car, "start": start, "end": end})
        return MarketLog(self.config, events, self.cars, self.users, listings)


def _positions(length: Integers) -> Integers:
    """Count the actions of each session from 1."""
    opening = np.repeat(np.cumsum(length) - length, length)
    positions: Integers = np.arange(len(opening)) - opening + 1
    return positions


def simulate(config: MarketConfig, progress: bool = False) -> MarketLog:
    """Run a market from its first to its last day.

    Parameters
    ----------
    config : MarketConfig
        The same config gives the same log.
    progress : bool
        Show a progress bar over the days.

    Returns
    -------
    MarketLog
    """
    market = Market(config)
    for day in bar(range(config.n_days), desc="simulating days", disable=not progress):
        market.live(day)
    return market.log()
