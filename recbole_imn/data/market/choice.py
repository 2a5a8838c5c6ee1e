"""What users are shown, and what they pick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.data.market.agents import Cars, Singles, Users
from recbole_imn.data.market.config import STRATEGIES, MarketConfig
from recbole_imn.data.market.draws import gumbel
from recbole_imn.data.market.tastes import make_tastes
from recbole_imn.data.market.wealth import Wealth
from recbole_imn.log import Integers
from recbole_imn.units import DAY

# How often each display strategy is used, in the order of STRATEGIES.
STRATEGY_SHARES = (0.3, 0.2, 0.15, 0.2, 0.15)


@dataclass(frozen=True)
class Shelf:
    """Cars on the shelf during a day.

    Attributes
    ----------
    cars : int64 [n_cars]
    listed, ends : int64 [n_cars]
        Second of the log at which the listing began, and at which its auction ends.
    owners : int64 [n_cars]
        The user who sells the car; -1 if it is none.
    """

    cars: Integers
    listed: Integers
    ends: Integers
    owners: Integers

    def places(self, cars: Integers) -> Integers:
        """Give the place of each car on the shelf; any place for one that is not there."""
        by_car = np.argsort(self.cars)
        places: Integers = by_car[np.searchsorted(self.cars, cars, sorter=by_car) % len(self.cars)]
        return places

    def there(self, visits: Visits) -> npt.NDArray[np.bool_]:
        """Say which cars are there for whole sessions, bool [n_sessions, n_cars].

        Nobody bids on his own car.
        """
        there: npt.NDArray[np.bool_] = (self.listed <= visits.start[:, None]) & (
            self.ends > visits.finish[:, None]
        )
        there &= self.owners != visits.users[:, None]
        return there


@dataclass(frozen=True)
class Visits:
    """Sessions of a day.

    Attributes
    ----------
    users : int64 [n_sessions]
    start, finish : int64 [n_sessions]
        Seconds of the log.
    length : int64 [n_sessions]
    """

    users: Integers
    start: Integers
    finish: Integers
    length: Integers


class Chooser:
    """Displays and multinomial logit choices.

    Parameters
    ----------
    config : MarketConfig
    cars, users : Cars, Users
    wealth : Wealth
        Asked for what money and stock take away from a car's utility.
    """

    def __init__(self, config: MarketConfig, cars: Cars, users: Users, wealth: Wealth) -> None:
        self.config, self.cars, self.users, self.wealth = config, cars, users, wealth
        self.tastes = make_tastes(config, cars, users)
        self.last_car = np.full(config.n_users, -1, np.int64)

    def taste(self, users: Integers, cars: Integers) -> Singles:
        """Give the utility of cars [n_cars] for users by taste alone, float32 [n_rows, n_cars]."""
        near = self.users.city[users][:, None] == self.cars.city[cars]
        utility: Singles = self.tastes.of_shelf(users, cars) + self._bonus * near
        return utility

    def _utility(self, users: Integers, cars: Integers, shown: Integers) -> Singles:
        """Give the utility of shown cars, money and stock included, float32 [n_rows, n_shown]."""
        seen = cars[shown]
        near = self.users.city[users][:, None] == self.cars.city[seen]
        taste: Singles = self.tastes.of_shown(users, cars, shown) + self._bonus * near
        return taste - self.wealth.resistance(users, seen)

    @property
    def _bonus(self) -> np.float32:
        return np.float32(self.config.city_bonus)

    def first_bidders(self, cars: Integers, rng: np.random.Generator) -> Integers:
        """Give the keenest of the users that are told of each new car, int64 [n_cars]."""
        told = rng.integers(0, self.config.n_users, (len(cars), self.config.alerted))
        liking = self.tastes.of_told(told, cars)
        near = self.users.city[told] == self.cars.city[cars][:, None]
        lost = self.wealth.resistance(told.reshape(-1), np.repeat(cars, told.shape[1])[:, None])
        wish = liking + self.config.city_bonus * near - lost.reshape(told.shape)
        keenest = np.argmax(wish + gumbel(rng, told.shape), axis=1)
        first: Integers = told[np.arange(len(cars)), keenest]
        return first

    def strategies(self, n_sessions: int, rng: np.random.Generator) -> Integers:
        """Draw the display strategy of each session, int64 [n_sessions]."""
        return rng.choice(len(STRATEGIES), n_sessions, p=STRATEGY_SHARES)

    def display(
        self, shelf: Shelf, visits: Visits, strategies: Integers, rng: np.random.Generator
    ) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """Choose the cars that each session is shown.

        Returns
        -------
        shown : int64 [n_sessions, n_shown]
            Places on the shelf.
        there : bool [n_sessions, n_shown]
            Whether the car is on the shelf for the whole session.
        """
        taste = self.taste(visits.users, shelf.cars)
        keys = [
            np.broadcast_to(shelf.listed / DAY, taste.shape),
            np.broadcast_to(-shelf.ends / DAY, taste.shape),
            2.0 * (self.users.city[visits.users][:, None] == self.cars.city[shelf.cars]),
            self.config.match_weight * taste,
            np.zeros_like(taste),
        ]
        key = np.choose(strategies[:, None], keys) + gumbel(rng, taste.shape)
        there = shelf.there(visits)
        key = np.where(there, key, -np.inf)
        n_shown = min(self.config.shown, len(shelf.cars))
        shown = np.argpartition(-key, n_shown - 1, axis=1)[:, :n_shown]
        return shown, np.take_along_axis(there, shown, axis=1)

    def pick(
        self,
        shelf: Shelf,
        visits: Visits,
        shown: Integers,
        there: npt.NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Integers:
        """Pick a car for every action of the day, int64 [n_actions]; -1 if none was there.

        Who has just bid on a car turns to another one. Then an action may raise the bid on the
        car before, and a session may start with the user's last car, if that is still there.
        """
        utility = self._utility(visits.users, shelf.cars, shown)
        needs = self.tastes.needs(len(visits.users), rng)
        if needs is not None:
            segments = self.cars.segment[shelf.cars[shown]]
            utility += np.take_along_axis(needs, segments, axis=1)
        wish = np.where(there, utility, -np.inf)
        session = np.repeat(np.arange(len(visits.users)), visits.length)
        noisy = wish[session] + gumbel(rng, (len(session), wish.shape[1]))
        best = _best_but_previous(noisy, session)
        picked: Integers = shelf.cars[shown[session, best]]
        somewhere: npt.NDArray[np.bool_] = np.isfinite(wish.max(axis=1))
        picked = np.where(somewhere[session], picked, -1)
        opening = np.cumsum(visits.length) - visits.length
        picked[opening] = self._returns(shelf, visits, picked[opening], rng)
        fresh = rng.random(len(session)) >= self.config.rebid_share
        place = np.arange(len(session))
        source = np.maximum.accumulate(np.where(fresh | np.isin(place, opening), place, 0))
        picked = picked[source]
        closing = np.cumsum(visits.length) - 1
        self.last_car[visits.users] = picked[closing]
        return picked

    def _returns(
        self, shelf: Shelf, visits: Visits, picked: Integers, rng: np.random.Generator
    ) -> Integers:
        """Let some sessions open with the user's last car."""
        last = self.last_car[visits.users]
        place = shelf.places(last)
        there = (
            (shelf.cars[place] == last)
            & (shelf.listed[place] <= visits.start)
            & (shelf.ends[place] > visits.finish)
            & (shelf.owners[place] != visits.users)
        )
        wants = rng.random(len(last)) < self.config.return_share
        return np.where(wants & there, last, picked)


def _best_but_previous(wishes: Singles, session: Integers) -> Integers:
    """Give the greatest wish of each action, or the second if the one before chose it too."""
    best: Integers = np.argmax(wishes, axis=1)
    same = np.zeros(len(best), np.bool_)
    same[1:] = (best[1:] == best[:-1]) & (session[1:] == session[:-1])
    rows = np.flatnonzero(same)
    others = wishes[rows]
    others[np.arange(len(rows)), best[rows]] = -np.inf
    best[rows] = np.where(np.isfinite(others).any(axis=1), np.argmax(others, axis=1), best[rows])
    return best
