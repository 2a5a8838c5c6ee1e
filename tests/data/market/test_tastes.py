"""Tastes: the forms as written down, and that the latent one is not linear."""

import math
from dataclasses import replace

import numpy as np
import pytest

from recbole_imn.data.market import MarketConfig, simulate
from recbole_imn.data.market.agents import make_cars, make_users
from recbole_imn.data.market.draws import Draws
from recbole_imn.data.market.tastes import LatentTastes, LinearTastes, make_tastes


@pytest.fixture(scope="module", params=["linear", "latent"])
def market(request):
    config = MarketConfig.named("czb", 2, taste=request.param).scaled(0.02)
    draws = Draws(config.seed)
    cars, users = make_cars(config, draws), make_users(config, draws)
    return config, cars, users, make_tastes(config, cars, users)


def test_all_ways_to_ask_give_the_same_utility(market):
    config, _, _, tastes = market
    rng = np.random.default_rng(0)
    users, cars = np.arange(config.n_users), rng.permutation(config.n_cars)[:50]
    shelf = tastes.of_shelf(users, cars)
    shown = rng.integers(0, 50, (len(users), 7))
    expected = np.take_along_axis(shelf, shown, axis=1)
    np.testing.assert_allclose(tastes.of_shown(users, cars, shown), expected, rtol=1e-4, atol=1e-5)
    told = rng.integers(0, config.n_users, (50, 9))
    expected = shelf[told, np.arange(50)[:, None]]
    np.testing.assert_allclose(tastes.of_told(told, cars), expected, rtol=1e-4, atol=1e-5)
    assert shelf.dtype == np.float32


def test_the_latent_form_is_the_one_that_is_written_down():
    config = MarketConfig.named("czb", 2).scaled(0.02)
    draws = Draws(config.seed)
    cars = make_cars(config, draws)
    tastes = LatentTastes(config, cars, draws)
    users, shelf = np.arange(config.n_users), np.arange(0, config.n_cars, 7)
    found = tastes.of_shelf(users, shelf)
    for user, place in [(0, 0), (5, 11), (100, 40), (213, 116)]:
        car, kind = shelf[place], tastes.kind[user]
        wishes = tastes.wishes[user].astype(float)
        match = 2 * math.tanh(wishes @ tastes.factors[car].astype(float))
        interaction = tastes.models[kind, cars.brand[car] * config.n_types + cars.type[car]]
        miss = cars.level[car] - float(tastes.target[user, cars.type[car]])
        price = -3 * min(1.0, (miss / float(tastes.width[user])) ** 2)
        age = -2 / (1 + math.exp(-(cars.age[car] - float(tastes.oldest[user])) / 0.5))
        expected = config.latent_scale * (match + interaction + price + age)
        assert found[user, place] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def explained(market):
    """Share of the utility that a separate linear taste for each user explains."""
    config, cars, _, tastes = market
    utility = tastes.of_shelf(np.arange(100), np.arange(config.n_cars)).astype(float)
    utility -= utility.mean(axis=1, keepdims=True)
    columns = np.column_stack([np.ones(config.n_cars), cars.vector.astype(float)])
    fitted = columns @ np.linalg.lstsq(columns, utility.T, rcond=None)[0]
    return 1 - np.square(utility.T - fitted).sum() / np.square(utility).sum()


def test_the_latent_form_is_no_linear_function_of_what_the_log_says(market):
    share = explained(market)
    if market[0].taste == "linear":
        assert share == pytest.approx(1, abs=1e-6)
    else:
        assert 0.2 < share < 0.75


def test_both_forms_spread_alike_so_that_money_weighs_alike():
    spreads = []
    for taste in ("linear", "latent"):
        config = MarketConfig.named("czb", 3, taste=taste).scaled(0.1)
        draws = Draws(config.seed)
        cars, users = make_cars(config, draws), make_users(config, draws)
        tastes = make_tastes(config, cars, users)
        spreads.append(tastes.of_shelf(np.arange(500), np.arange(config.n_cars)).std())
    assert spreads[1] == pytest.approx(spreads[0], rel=0.15)


def test_beyond_the_window_all_prices_are_equally_wrong():
    config = MarketConfig.named("czb", 2).scaled(0.02)
    draws = Draws(config.seed)
    cars = make_cars(config, draws)
    dear, dearer = (replace(cars, level=np.full(config.n_cars, level)) for level in (5.0, 9.0))
    users, shelf = np.arange(50), np.arange(40)
    one, other = (LatentTastes(config, changed, draws) for changed in (dear, dearer))
    assert np.array_equal(one.of_shelf(users, shelf), other.of_shelf(users, shelf))


def test_a_car_that_is_older_than_accepted_loses_at_once():
    config = MarketConfig.named("czb", 2).scaled(0.02)
    draws = Draws(config.seed)
    cars = make_cars(config, draws)
    by_age = []
    for age in (0.0, 8.0, 100.0):
        aged = LatentTastes(config, replace(cars, age=np.full(config.n_cars, age)), draws)
        aged.oldest[:] = 10.0
        by_age.append(aged.of_shelf(np.arange(5), np.arange(5)))
    assert np.abs(by_age[0] - by_age[1]).max() < 0.05
    np.testing.assert_allclose(by_age[1] - by_age[2], 2 * config.latent_scale, atol=0.05)


def same_segment(config):
    """Share of successive actions of a session that are in the same segment."""
    log = simulate(config)
    events = log.events[log.events["session_position"] > 0].sort_values(["user", "time"])
    segment, place = log.cars.segment[events["car"]], events["session_position"].to_numpy()
    other_car = np.diff(events["car"].to_numpy()) != 0
    within = (np.diff(place) == 1) & other_car
    return (np.diff(segment) == 0)[within].mean()


def test_sessions_are_after_a_segment():
    config = MarketConfig.named("czb-mini")
    with_needs, without = same_segment(config), same_segment(replace(config, need_spread=0.0))
    assert with_needs > 1.2 * without


def test_linear_tastes_are_after_nothing_in_particular(market):
    config, _, _, tastes = market
    needs = tastes.needs(7, np.random.default_rng(0))
    if isinstance(tastes, LinearTastes):
        assert needs is None
    else:
        assert needs.shape == (7, 3 * config.n_types)
        assert len(np.unique(needs)) == needs.size
