"""Money and stock of the users: what a purchase changes."""

from __future__ import annotations

import numpy as np

from recbole_imn.data.market.agents import PRICE_BANDS, Cars, Integers, Reals, Singles, Users
from recbole_imn.data.market.config import MarketConfig

SMALLEST_CAPITAL = 5_000.0


class Wealth:
    """Working capital and stock by segment, moved by trades and by sales of stock.

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

    def buy(self, users: Integers, cars: Integers, day: int, rng: np.random.Generator) -> None:
        """Pay for cars, take them into stock and plan when they are sold on."""
        np.subtract.at(self.capital, users, self.cars.price[cars])
        np.add.at(self.stock, (users, self.cars.segment[cars]), 1)
        held = np.ceil(rng.exponential(self.config.resale_days, len(users))).astype(np.int64)
        # Who buys for himself keeps the car and saves for another one, more slowly.
        held = np.where(self.users.dealer[users], held, 4 * held)
        for sold in np.unique(day + held):
            due = day + held == sold
            self._sales.setdefault(int(sold), []).append((users[due], cars[due]))

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
        free = np.maximum(self.capital[users], SMALLEST_CAPITAL)[:, None]
        price = self.cars.price[cars]
        # From half of the free capital on, in units of a doubling of the price.
        pressure = np.clip(np.log2(2 * price / free), 0, 4)
        held = self.stock[users[:, None], self.cars.segment[cars]]
        fullness = held / (held + config.stock_half)
        lost: Reals = config.price_pressure * pressure + config.saturation * fullness
        return (config.resource_strength * lost).astype(np.float32)
