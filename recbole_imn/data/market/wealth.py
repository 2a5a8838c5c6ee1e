"""Money and stock of the users: what a purchase changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.data.market.agents import PRICE_BANDS, Cars, Singles, Users
from recbole_imn.data.market.config import MarketConfig
from recbole_imn.log import Floats, Integers

SMALLEST_CAPITAL = 5_000.0


class Wealth:
    """Working capital and stock by segment, moved by trades and by sales of stock.

    Capital below 0 is credit: what a choice feels is pressure, never a ban.

    Parameters
    ----------
    config : MarketConfig
    cars, users : Cars, Users
    """

    def __init__(self, config: MarketConfig, cars: Cars, users: Users) -> None:
        self.config, self.cars, self.users = config, cars, users
        self.capital = users.capital.copy()
        self.stock = np.zeros((config.n_users, config.n_types * PRICE_BANDS))
        self._sales: dict[int, list[tuple[Integers, Integers]]] = {}

    def buy(
        self,
        users: Integers,
        cars: Integers,
        day: int,
        rng: np.random.Generator,
        returns: np.random.Generator,
    ) -> npt.NDArray[np.bool_]:
        """Pay for cars, take them into stock and plan when they are sold on.

        Returns
        -------
        bool [n_cars]
            Which of them their dealers will put on auction again; these stay in stock until
            :meth:`plan_sale`.
        """
        np.subtract.at(self.capital, users, self.cars.price[cars])
        np.add.at(self.stock, (users, self.cars.segment[cars]), 1)
        held = np.ceil(rng.exponential(self.config.resale_days, len(users))).astype(np.int64)
        # Who buys for himself keeps the car and saves for another one, more slowly.
        held = np.where(self.users.dealer[users], held, 4 * held)
        again = self._resold(users, held, returns)
        for sold in np.unique(day + held[~again]):
            due = (day + held == sold) & ~again
            self.plan_sale(users[due], cars[due], int(sold))
        return again

    def _resold(
        self, users: Integers, held: Integers, rng: np.random.Generator
    ) -> npt.NDArray[np.bool_]:
        """Say which cars a dealer has not sold when his patience ends, and puts on auction."""
        wants = rng.random(len(users)) < self.config.resell_share
        aged: npt.NDArray[np.bool_] = held > self.config.patience_days
        return self.users.dealer[users] & aged & wants

    def plan_sale(self, users: Integers, cars: Integers, day: int) -> None:
        """Let cars leave the stock of their owners on a day, against their price and a margin."""
        self._sales.setdefault(day, []).append((users, cars))

    def sell(self, day: int) -> None:
        """Take in the money of the stock that is sold on a day."""
        margin = 1 + self.config.resale_margin
        for users, cars in self._sales.pop(day, []):
            np.add.at(self.capital, users, margin * self.cars.price[cars])
            np.subtract.at(self.stock, (users, self.cars.segment[cars]), 1)

    def resistance(self, users: Integers, cars: Integers) -> Singles:
        """Give the utility lost to price against free capital and to full stock.

        Parameters
        ----------
        users : int64 [n_rows]
        cars : int64 [n_cars] or [n_rows, n_cars]

        Returns
        -------
        float32 [n_rows, n_cars]
        """
        config = self.config
        fullness = self.fullness(self.held(users, cars))
        lost: Floats = config.price_pressure * self.pressure(users, cars)
        lost = lost + config.saturation * fullness
        return (config.resource_strength * lost).astype(np.float32)

    def pressure(self, users: Integers, cars: Integers) -> Floats:
        """Give the pressure of prices on free capital, float64 [n_rows, n_cars].

        From half of the free capital on, in units of a doubling of the price.
        """
        free = np.maximum(self.capital[users], SMALLEST_CAPITAL)[:, None]
        pressure: Floats = np.clip(np.log2(2 * self.cars.price[cars] / free), 0, 4)
        return pressure

    def held(self, users: Integers, cars: Integers) -> Floats:
        """Give the stock in each car's segment, float64 [n_rows, n_cars]."""
        held: Floats = self.stock[users[:, None], self.cars.segment[cars]]
        return held

    def fullness(self, held: Floats) -> Floats:
        """Give how full a stock is, from 0 to 1."""
        fullness: Floats = held / (held + self.config.stock_half)
        return fullness
