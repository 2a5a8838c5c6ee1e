r"""What users like about cars: a form that is linear in columns, and one with latent factors.

Both give the utility :math:`v_{uc}` that a car has for a user by taste alone; a home city, money
and stock come on top, and choices are a logit.

**Linear** (all of version 1): :math:`v_{uc} = w_u^\top x_c` with the columns
:attr:`Cars.vector`, which a model of item features can know.

**Latent** (version 2): nothing that is linear in what the log says of a car, and not additive.
With the user's buyer type :math:`z`, the car's brand b, body type k, age a and log price level l,

.. math::
    v_{uc} &= s\,(F_{uc} + M_{uc} + P_{uc} + A_{uc}) \\
    F_{uc} &= \alpha_F \tanh\big(p_u^\top f_c / \sqrt{D}\big), \quad
        f_c = \tanh(B\,\mathrm{looks}_c + e_b + e_k) + h_c \\
    M_{uc} &= \alpha_M\, T_{z b k} \\
    P_{uc} &= -\alpha_P \min\big(1, (l_c - \mu_{z k} - \delta_u)^2 / \omega_z^2\big) \\
    A_{uc} &= -\alpha_A\, \sigma\big((a_c - \tau_u) / 0.5\big)

* F is a match of wishes and factors that saturates: nobody wants a car twice as much because it
  fits twice as well. Part of the factors, :math:`h_c`, is in no column: condition and equipment,
  which only what others did with the car tells of.
* M is an interaction: who likes a brand's vans need not like its saloons.
* P is a window: buyers of one type look for another price in each body type, and beyond the
  window's edge all prices are equally wrong.
* A is a threshold: a car that is older than a user accepts loses all of it at once.

In a session, all cars of a segment share one draw :math:`n_{s g} \sim N(0, \eta^2)`, what the user
is after just then (an error-components logit: Train, Discrete Choice Methods with Simulation,
2009, section 6.3). Cars of a segment are substitutes: one more of them takes choices from its own
segment first, which a softmax over cars cannot express.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from recbole_imn.data.market.agents import PRICE_BANDS, Cars, Singles, Users
from recbole_imn.data.market.config import MarketConfig
from recbole_imn.data.market.draws import Draws
from recbole_imn.log import Integers

# Utility of a part, before the common scale: what a part is worth from its worst to its best is
# 4, 2 standard deviations to both sides, 3 and 2. The price rules out most, as it does in shops.
MATCH, INTERACTION, PRICE, AGE = 2.0, 1.0, 3.0, 2.0
# Standard deviation of a user's wishes around those of his type, and of the hidden factors.
OWN_WISHES, HIDDEN = 0.7, 0.5
# Price level that types look for (log, mean and deviation), and half widths of their windows.
TARGET, TARGET_SPREAD, OWN_TARGET = -0.2, 0.5, 0.3
WINDOWS = (0.6, 1.4)
# Years of age that types accept, and how users of a type differ.
OLDEST, OWN_OLDEST, AGE_EDGE = (3.0, 10.0), 1.5, 0.5


class Tastes(Protocol):
    """Utility of cars for users by taste alone, the home city left out."""

    def of_shelf(self, users: Integers, cars: Integers) -> Singles:
        """Give the utility of all cars [m] for all users [n], float32 [n, m]."""

    def of_shown(self, users: Integers, cars: Integers, shown: Integers) -> Singles:
        """Give that of the cars that each user is shown, places [n, k] on the shelf [m]."""

    def of_told(self, users: Integers, cars: Integers) -> Singles:
        """Give that of each car [m] for the users who are told of it [m, k], float32 [m, k]."""

    def needs(self, n_sessions: int, rng: np.random.Generator) -> Singles | None:
        """Draw what sessions are after, float32 [n_sessions, n_segments]; None if nothing."""


def make_tastes(config: MarketConfig, cars: Cars, users: Users) -> Tastes:
    """Give the tastes of a market; the same config gives the same ones."""
    if config.taste == "linear":
        return LinearTastes(cars, users)
    return LatentTastes(config, cars, Draws(config.seed))


class LinearTastes:
    """Tastes that are linear in the columns of cars.

    Parameters
    ----------
    cars : Cars
    users : Users
    """

    def __init__(self, cars: Cars, users: Users) -> None:
        self.vector, self.weights = cars.vector, users.taste

    def of_shelf(self, users: Integers, cars: Integers) -> Singles:
        """Multiply, float32 [n, m]."""
        utility: Singles = self.weights[users] @ self.vector[cars].T
        return utility

    def of_shown(self, users: Integers, cars: Integers, shown: Integers) -> Singles:
        """Take from the whole product, whose bits depend on its shape."""
        return np.take_along_axis(self.of_shelf(users, cars), shown, axis=1)

    def of_told(self, users: Integers, cars: Integers) -> Singles:
        """Multiply car by car, float32 [m, k]."""
        utility: Singles = np.einsum("cut,ct->cu", self.weights[users], self.vector[cars])
        return utility

    def needs(self, n_sessions: int, rng: np.random.Generator) -> None:
        """Say that sessions are after nothing in particular."""


class LatentTastes:
    """Tastes with latent factors, interactions, windows and thresholds.

    Parameters
    ----------
    config : MarketConfig
    cars : Cars
    draws : Draws

    Attributes
    ----------
    kind : int64 [n_users]
        Type of buyer.
    wishes : float32 [n_users, n_factors]
        p, over the root of the number of factors.
    factors : float32 [n_cars, n_factors]
        f.
    models : float32 [n_buyer_types, n_brands * n_types]
        T.
    target : float32 [n_users, n_types]
        Log price level in the middle of the window.
    width : float32 [n_users]
        Half of the window.
    oldest : float32 [n_users]
        Years of age that are accepted.
    """

    def __init__(self, config: MarketConfig, cars: Cars, draws: Draws) -> None:
        rng, n, kinds = draws.of("tastes"), config.n_users, config.n_buyer_types
        self.config, self.cars = config, cars
        self.model = cars.brand * config.n_types + cars.type
        self.age, self.level = cars.age.astype(np.float32), cars.level.astype(np.float32)
        shares = 1 / np.arange(2, kinds + 2)
        self.kind = rng.choice(kinds, n, p=shares / shares.sum())
        self.wishes = self._wishes(rng)
        self.factors = self._factors(rng)
        models = rng.normal(size=(kinds, config.n_brands * config.n_types))
        self.models = models.astype(np.float32)
        target = rng.normal(TARGET, TARGET_SPREAD, (kinds, config.n_types))[self.kind]
        self.target = (target + rng.normal(0, OWN_TARGET, (n, 1))).astype(np.float32)
        self.width = rng.uniform(*WINDOWS, kinds)[self.kind].astype(np.float32)
        oldest = rng.uniform(*OLDEST, kinds)[self.kind] + rng.normal(0, OWN_OLDEST, n)
        self.oldest = oldest.astype(np.float32)

    def _wishes(self, rng: np.random.Generator) -> Singles:
        shape, n = (self.config.n_buyer_types, self.config.n_factors), self.config.n_users
        own = OWN_WISHES * rng.normal(size=(n, shape[1]))
        wishes: Singles = (rng.normal(size=shape)[self.kind] + own).astype(np.float32)
        return wishes / np.float32(np.sqrt(shape[1]))

    def _factors(self, rng: np.random.Generator) -> Singles:
        config, cars, width = self.config, self.cars, self.config.n_factors
        looks = cars.looks @ rng.normal(size=(config.n_looks, width)) / np.sqrt(config.n_looks)
        brand = 0.7 * rng.normal(size=(config.n_brands, width))[cars.brand]
        kind = 0.7 * rng.normal(size=(config.n_types, width))[cars.type]
        hidden = HIDDEN * rng.normal(size=(config.n_cars, width))
        factors: Singles = (np.tanh(looks + brand + kind) + hidden).astype(np.float32)
        return factors

    def of_shelf(self, users: Integers, cars: Integers) -> Singles:
        """Give the utility of all cars for all users, float32 [n, m]."""
        match = self.wishes[users] @ self.factors[cars].T
        return self._utility(users[:, None], cars[None, :], match)

    def of_shown(self, users: Integers, cars: Integers, shown: Integers) -> Singles:
        """Give that of the cars that each user is shown, float32 [n, k]."""
        seen = cars[shown]
        match = np.einsum("uf,ukf->uk", self.wishes[users], self.factors[seen])
        return self._utility(users[:, None], seen, match)

    def of_told(self, users: Integers, cars: Integers) -> Singles:
        """Give that of each car for the users who are told of it, float32 [m, k]."""
        match = np.einsum("cuf,cf->cu", self.wishes[users], self.factors[cars])
        return self._utility(users, cars[:, None], match)

    def _utility(self, users: Integers, cars: Integers, match: Singles) -> Singles:
        """Add the parts up; users and cars are broadcast against each other."""
        miss = self.level[cars] - self.target[users, self.cars.type[cars]]
        wrong: Singles = np.minimum(np.square(miss / self.width[users]), np.float32(1))
        older = (self.age[cars] - self.oldest[users]) / np.float32(AGE_EDGE)
        utility: Singles = np.tanh(match)
        utility *= MATCH
        utility += INTERACTION * self.models[self.kind[users], self.model[cars]]
        utility -= PRICE * wrong
        utility -= AGE * _logistic(older)
        utility *= self.config.latent_scale
        return utility

    def needs(self, n_sessions: int, rng: np.random.Generator) -> Singles:
        """Draw what sessions are after, float32 [n_sessions, n_segments]."""
        shape = (n_sessions, self.config.n_types * PRICE_BANDS)
        needs: Singles = rng.standard_normal(shape, dtype=np.float32)
        return needs * np.float32(self.config.need_spread)


def _logistic(values: Singles) -> Singles:
    """Give 1 / (1 + exp(-value)), without an overflow."""
    half = np.float32(0.5)
    logistic: Singles = half + half * np.tanh(half * values)
    return logistic
