"""Listings, best bids and closings: how cars come to the shelf and leave it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recbole_imn.data.market.agents import Cars
from recbole_imn.data.market.choice import Shelf
from recbole_imn.data.market.config import MarketConfig
from recbole_imn.data.market.returns import Returns
from recbole_imn.log import Integers
from recbole_imn.units import DAY

OPENING_HOUR = 9 * 3600
CLOSING_HOUR = 17 * 3600


@dataclass(frozen=True)
class Closings:
    """Auctions that end on a day with a winner.

    Attributes
    ----------
    cars, users, time : int64 [n_wins]
        What was won, by whom, and when (seconds of the log).
    trade_time : int64 [n_wins]
        When the trade takes place; -1 if it falls through or lies beyond the log.
    given_up, owners : int64 [n_given_up]
        Cars of dealers that leave them, sold here or given away elsewhere, and the dealers.
    """

    cars: Integers
    users: Integers
    time: Integers
    trade_time: Integers
    given_up: Integers
    owners: Integers


class Auctions:
    """The state of every car's auction.

    Parameters
    ----------
    config : MarketConfig
    cars : Cars
    """

    def __init__(self, config: MarketConfig, cars: Cars) -> None:
        n = config.n_cars
        self.config, self.cars = config, cars
        self.last_second = config.n_days * DAY - 1
        self.listed = np.zeros(n, np.int64)
        self.ends = np.full(n, -1, np.int64)
        self.returns = Returns(config)
        self.reserve = np.zeros(n)
        self.best_bid = np.zeros(n)
        self.best_user = np.full(n, -1, np.int64)
        self._intervals: list[tuple[Integers, Integers, Integers]] = []

    def open(self, new: Integers, day: int, rng: np.random.Generator) -> None:
        """List new cars and those that come back."""
        cars = np.concatenate([new, *self.returns.due(day)])
        n = len(cars)
        opening = OPENING_HOUR + rng.integers(0, 2 * 3600, n)
        # The shelf is not empty when the log begins.
        self.listed[cars] = 0 if day == 0 else day * DAY + opening
        days = rng.integers(1, self.config.auction_days + 1, n)
        closing = (day + days) * DAY + CLOSING_HOUR + rng.integers(0, 3 * 3600, n)
        self.ends[cars] = np.minimum(closing, self.last_second)
        self.returns.tries[cars] += 1
        level = rng.normal(self.config.reserve_level, self.config.reserve_spread, n)
        self.reserve[cars] = level * self.cars.price[cars]
        self.best_bid[cars] = 0
        self.best_user[cars] = -1

    def shelf(self, day: int) -> Shelf:
        """Give the cars that are on the shelf at some time of a day."""
        cars = np.flatnonzero(self.ends >= day * DAY)
        return Shelf(cars, self.listed[cars], self.ends[cars], self.returns.owner[cars])

    def bid(self, users: Integers, cars: Integers, rng: np.random.Generator) -> None:
        """Take bids; the best one of each car stays."""
        config = self.config
        share = rng.normal(config.bid_level, config.bid_spread, len(cars))
        amount = share * self.cars.price[cars]
        order = np.lexsort((amount, cars))
        last = np.append(np.diff(cars[order]) != 0, True) if len(order) else order
        best = order[last]
        best = best[amount[best] > self.best_bid[cars[best]]]
        self.best_bid[cars[best]] = amount[best]
        self.best_user[cars[best]] = users[best]

    def close(self, day: int, rng: np.random.Generator, returns: np.random.Generator) -> Closings:
        """End the auctions of a day: wins, trades to come, and cars that will come back."""
        ending = np.flatnonzero((self.ends >= day * DAY) & (self.ends < (day + 1) * DAY))
        self._intervals.append((ending, self.listed[ending], self.ends[ending]))
        sold = (self.best_user[ending] >= 0) & (self.best_bid[ending] >= self.reserve[ending])
        falls = rng.random(len(ending)) < self.config.fall_through
        wait = rng.integers(2 * 3600, 48 * 3600, len(ending))
        trade = self.ends[ending] + wait
        trade = np.where(falls | (trade > self.last_second), -1, trade)
        failed = ~sold | falls
        away = self.returns.after_failure(ending[failed], day, rng, returns)
        given_up, owners = self.returns.leave(np.concatenate([ending[~failed], away]))
        return Closings(
            cars=ending[sold],
            users=self.best_user[ending][sold],
            time=self.ends[ending][sold],
            trade_time=trade[sold],
            given_up=given_up,
            owners=owners,
        )

    def intervals(self) -> tuple[Integers, Integers, Integers]:
        """Give every listing: car, start and end in seconds of the log, in order of car."""
        car, start, end = (np.concatenate(column) for column in zip(*self._intervals, strict=True))
        order = np.lexsort((start, car))
        return car[order], start[order], end[order]
