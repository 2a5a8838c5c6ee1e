"""Cars that come back to the shelf under the same id: within days, or after weeks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recbole_imn.data.market.config import MarketConfig
from recbole_imn.log import Integers

WEEK = 7
NOBODY = -1


class Returns:
    """What comes back on which day, and who sells it.

    Parameters
    ----------
    config : MarketConfig

    Attributes
    ----------
    tries : int64 [n_cars]
        Listings in a row, without weeks between them.
    owner : int64 [n_cars]
        The dealer who puts a car on auction again; -1 for cars from outside, as most are.
    """

    def __init__(self, config: MarketConfig) -> None:
        self.config = config
        self.tries = np.zeros(config.n_cars, np.int64)
        self.owner = np.full(config.n_cars, NOBODY, np.int64)
        self._planned: dict[int, list[Integers]] = {}

    def due(self, day: int) -> list[Integers]:
        """Give the cars that come back on a day."""
        return self._planned.pop(day, [])

    def consign(self, cars: Integers, owners: Integers, day: int, rng: np.random.Generator) -> None:
        """Let dealers put cars on auction that they have bought by a day and will not sell."""
        self.owner[cars], self.tries[cars] = owners, 0
        self._plan(cars, day + self.config.patience_days + rng.integers(0, WEEK, len(cars)))

    def after_failure(
        self, cars: Integers, day: int, soon: np.random.Generator, later: np.random.Generator
    ) -> Integers:
        """Let some unsold cars come back in days, and some of the others after weeks.

        Returns
        -------
        int64 [n_away]
            Cars that will not come back in days.
        """
        is_soon = self._soon(cars, day, soon)
        rest = cars[~is_soon]
        config, n = self.config, len(rest)
        mean = max(config.mean_days_away - config.least_days_away, 0.0)
        away = config.least_days_away + np.floor(later.exponential(mean, n)).astype(np.int64)
        wants = later.random(n) < config.return_share_later
        wants &= self.owner[rest] == NOBODY
        self.tries[rest] = 0
        self._plan(rest[wants], day + away[wants])
        return rest

    def _soon(self, cars: Integers, day: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        returns = rng.random(len(cars)) < self.config.relist_share
        back = day + 1 + rng.geometric(0.5, len(cars))
        keep: npt.NDArray[np.bool_] = (
            returns & (self.tries[cars] < self.config.max_listings) & self._in_log(back)
        )
        self._plan(cars[keep], back[keep])
        return keep

    def leave(self, cars: Integers) -> tuple[Integers, Integers]:
        """Take cars from the dealers who sell them; give those of dealers, and the dealers."""
        consigned = cars[self.owner[cars] != NOBODY]
        owners = self.owner[consigned]
        self.owner[consigned] = NOBODY
        return consigned, owners

    def _plan(self, cars: Integers, days: Integers) -> None:
        """Note cars for their days; those beyond the log are never seen again."""
        days = np.where(self._in_log(days), days, NOBODY)
        for day in np.unique(days[days >= 0]):
            self._planned.setdefault(int(day), []).append(cars[days == day])

    def _in_log(self, days: Integers) -> npt.NDArray[np.bool_]:
        # Auctions of the last day's listings could not run.
        return days < self.config.n_days - 1
