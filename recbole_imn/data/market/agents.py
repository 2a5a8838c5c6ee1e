"""Cars and users: who and what is on the market before the first day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbole_imn.data.market.config import MarketConfig
from recbole_imn.data.market.draws import Draws, zipf_choice
from recbole_imn.log import Floats, Integers

Singles = npt.NDArray[np.float32]

SALE_YEAR = 2019
PRICE_BANDS = 3


@dataclass(frozen=True)
class Cars:
    """Cars, one entry each.

    Attributes
    ----------
    brand, type, city, year : int64 [n_cars]
        Categories from 0, and the year of registration.
    mileage, price : float64 [n_cars]
        Kilometres and CNY.
    image : float64 [n_cars, image_width]
    looks : float64 [n_cars, n_looks]
        Latent; the image is made from them.
    age : float64 [n_cars]
        Years.
    level : float64 [n_cars]
        Logarithm of the price over the mean price.
    vector : float32 [n_cars, n_columns]
        What linear tastes weigh; a user's taste for a car is an inner product.
    segment : int64 [n_cars]
        Type and price band, in which stock saturates.
    """

    brand: Integers
    type: Integers
    city: Integers
    year: Integers
    mileage: Floats
    price: Floats
    image: Floats
    looks: Floats
    age: Floats
    level: Floats
    vector: Singles
    segment: Integers


@dataclass(frozen=True)
class Users:
    """Users, one entry each.

    Attributes
    ----------
    dealer : bool [n_users]
    city : int64 [n_users]
    taste : float32 [n_users, n_columns]
        Weights on :attr:`Cars.vector`, if tastes are linear.
    capital : float64 [n_users]
        Working capital at the start, CNY.
    activity : float64 [n_users]
        Relative number of sessions.
    """

    dealer: npt.NDArray[np.bool_]
    city: Integers
    taste: Singles
    capital: Floats
    activity: Floats


def make_cars(config: MarketConfig, draws: Draws) -> Cars:
    """Draw the cars; brand, type, age and mileage drive the price, and looks the image."""
    rng, n = draws.of("cars"), config.n_cars
    brand, kind = zipf_choice(rng, config.n_brands, n), zipf_choice(rng, config.n_types, n)
    age = np.minimum(rng.gamma(3.0, 1.8, n), 14.0)
    mileage = age * 15_000 * rng.lognormal(0, 0.35, n)
    log_price = (
        rng.normal(0, config.brand_spread, config.n_brands)[brand]
        + rng.normal(0, config.type_spread, config.n_types)[kind]
        - config.depreciation * age
        - 0.02 * mileage / 10_000
    )
    explained = min(log_price.std(), 0.95 * config.price_spread)
    log_price += rng.normal(0, np.sqrt(config.price_spread**2 - explained**2), n)
    price = np.exp(log_price - log_price.mean())
    price = np.round(price * config.mean_price / price.mean(), -2)
    looks = rng.normal(size=(config.n_brands, config.n_looks))[brand] * 0.6
    looks += rng.normal(size=(config.n_types, config.n_looks))[kind] * 0.6
    looks += rng.normal(size=(n, config.n_looks)) * 0.5
    mixing = rng.normal(size=(config.n_looks, config.image_width)) / np.sqrt(config.n_looks)
    image = looks @ mixing + rng.normal(0, 0.1, (n, config.image_width))
    level = np.log(price / config.mean_price)
    band = np.digitize(level, np.quantile(level, [1 / 3, 2 / 3]))
    return Cars(
        brand=brand,
        type=kind,
        city=zipf_choice(rng, config.n_cities, n),
        year=SALE_YEAR - np.ceil(age).astype(np.int64) + 1,
        mileage=np.round(mileage, -2),
        price=price,
        image=image,
        looks=looks,
        age=age,
        level=level,
        vector=_taste_columns(config, brand, kind, looks, age, level),
        segment=kind * PRICE_BANDS + band,
    )


def _taste_columns(
    config: MarketConfig, brand: Integers, kind: Integers, looks: Floats, age: Floats, level: Floats
) -> Singles:
    """Columns that tastes weigh: categories, looks, age, and log price with its square."""
    columns: Singles = np.concatenate(
        [
            np.eye(config.n_brands)[brand],
            np.eye(config.n_types)[kind],
            looks,
            ((age - age.mean()) / age.std())[:, None],
            level[:, None],
            np.square(level)[:, None],
        ],
        axis=1,
    ).astype(np.float32)
    return columns


def make_users(config: MarketConfig, draws: Draws) -> Users:
    """Draw the users: mostly dealers, with tastes, a price band, money and activity."""
    rng, n = draws.of("users"), config.n_users
    dealer = rng.random(n) < config.dealer_share
    scale = config.taste_scale
    curvature = -0.5 / config.budget_width**2
    favourite_level = rng.normal(-0.2, 0.5, n)
    taste = np.concatenate(
        [
            scale * rng.normal(size=(n, config.n_brands)),
            scale * 0.7 * rng.normal(size=(n, config.n_types)),
            scale * 0.35 * rng.normal(size=(n, config.n_looks)),
            scale * 0.4 * rng.normal(-0.5, 1.0, (n, 1)),
            # -(level - favourite)^2 / (2 width^2), without its constant.
            (-2 * curvature * favourite_level)[:, None],
            np.full((n, 1), curvature),
        ],
        axis=1,
    ).astype(np.float32)
    median = np.where(dealer, config.dealer_capital, config.private_capital)
    activity = rng.lognormal(0, config.activity_spread, n) * np.where(dealer, 1.0, 0.3)
    # Who trades more has more money, though not in proportion.
    wealth = rng.lognormal(0, config.capital_spread, n) * activity**0.4
    return Users(
        dealer=dealer,
        city=zipf_choice(rng, config.n_cities, n),
        taste=taste,
        capital=median * config.mean_price * wealth,
        activity=activity,
    )
