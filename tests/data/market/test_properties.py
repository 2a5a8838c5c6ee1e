"""What holds on every small market, of both versions."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_imn.data.market import MarketConfig, simulate
from recbole_imn.data.market.config import FIXED_IN_1
from recbole_imn.data.market.files import _event_table, _item_table, _text
from recbole_imn.data.market.report import known
from recbole_imn.data.market.simulation import Market
from recbole_imn.units import DAY


@st.composite
def markets(draw, versions=(2, 1), most_users=60):
    """Markets of up to 100 days."""
    version = draw(st.sampled_from(versions))
    n_cars = draw(st.integers(60, 150))
    constants = FIXED_IN_1 if version == 1 else {
        "taste": draw(st.sampled_from(["linear", "latent"])),
        "return_share_later": draw(st.sampled_from([1.0, 0.5, 0.0])),
        "resell_share": draw(st.sampled_from([1.0, 0.5, 0.0])),
        "least_days_away": draw(st.integers(1, 25)),
        "patience_days": draw(st.integers(1, 20)),
    }  # fmt: skip
    return MarketConfig(
        **constants,
        version=version,
        seed=draw(st.integers(0, 50)),
        resource_strength=draw(st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0])),
        n_users=draw(st.integers(20, most_users)),
        n_cars=n_cars,
        n_actions=10 * n_cars,
        n_days=draw(st.integers(40, 100)),
        # Every second listing or so ends in a trade, more than on the full market.
        reserve_level=0.9,
        return_share=draw(st.sampled_from([0.9, 0.05])),
        resale_margin=draw(st.sampled_from([0.0, 0.1])),
    )


small = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def text(config):
    log = simulate(config)
    return _text(_event_table(log)) + _text(_item_table(log))


@small
@given(markets())
def test_the_same_config_gives_the_same_bytes(config):
    assert text(config) == text(config)


@small
@given(markets())
def test_bids_lie_within_a_listing_wins_end_one_and_trades_follow_wins(config):
    log = simulate(config)
    stays = log.listings.rename(columns={"start": "time"})
    stays["began"] = stays["time"]
    events = pd.merge_asof(log.events, stays.sort_values("time"), on="time", by="car")
    kinds = events.groupby("action")
    assert kinds.size()["bid"] > 0
    bids = kinds.get_group("bid")
    assert (bids["time"] <= bids["end"]).all()
    wins = events[events["action"] == "win"]
    assert (wins["time"] == wins["end"]).all()
    trades = events[events["action"] == "trade"]
    assert (trades["time"] > trades["end"]).all()


@small
@given(markets())
def test_a_car_is_bought_again_only_after_another_listing(config):
    log = simulate(config)
    trades = log.events[log.events["action"] == "trade"].sort_values(["car", "time"])
    for car, times in trades.groupby("car")["time"]:
        starts = log.listings.loc[log.listings["car"] == car, "start"].to_numpy()
        for before, after in pairwise(times):
            assert ((starts > before) & (starts < after)).any()
        assert config.resell_share > 0 or len(times) == 1


@small
@given(markets())
def test_stays_of_a_car_follow_each_other_and_last_about_a_week_at_most(config):
    listings = simulate(config).listings
    length = listings["end"] - listings["start"]
    assert length.gt(0).all()
    assert length.lt((config.auction_days + 1) * DAY).all()
    same_car = listings["car"].diff() == 0
    assert (listings["start"] > listings["end"].shift())[same_car].all()
    assert set(listings["car"]) == set(range(config.n_cars))


# So few users that a bid on one's own car would be common.
@small
@given(markets((2,), 25))
def test_nobody_bids_on_his_own_car(config):
    log = simulate(config)
    events = log.events
    trades = events[events["action"] == "trade"]
    for trade in trades.itertuples():
        starts = log.listings.loc[log.listings["car"] == trade.car]
        again = starts[starts["start"] > trade.time]
        if len(again):
            first = again.iloc[0]
            own = events[(events["user"] == trade.user) & (events["car"] == trade.car)]
            assert not own["time"].between(first["start"], first["end"]).any()


@small
@given(markets())
def test_the_books_balance_and_no_stock_is_negative(config):
    market = Market(config)
    spent = np.zeros(config.n_users)
    for day in range(config.n_days):
        market.live(day)
        assert (market.wealth.stock >= 0).all()
    log = market.log()
    trades = log.events[log.events["action"] == "trade"]
    paid = trades[trades["time"] // DAY + 1 < config.n_days]
    np.add.at(spent, paid["user"], log.cars.price[paid["car"]])
    # What is still owned: cars that will be sold, and those of dealers that are on auction.
    owner = market.auctions.returns.owner
    consigned = np.flatnonzero(owner >= 0)
    parts = [(owner[consigned], consigned)]
    parts += [part for due in market.wealth._sales.values() for part in due]
    users, cars = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert market.wealth.stock.sum() == len(users)
    owned = np.zeros(config.n_users)
    np.add.at(owned, users, log.cars.price[cars])
    earned = (1 + config.resale_margin) * (spent - owned)
    np.testing.assert_allclose(
        market.wealth.capital, log.users.capital - spent + earned, rtol=1e-9, atol=1e-3
    )


@small
@given(markets())
def test_pressure_is_finite_however_deep_the_credit(config):
    market = Market(config)
    market.wealth.capital[:] = -1e9
    users, cars = np.arange(config.n_users), np.arange(config.n_cars)
    pressure = market.wealth.pressure(users, cars)
    assert ((pressure >= 0) & (pressure <= 4)).all()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_known_cars_are_counted_one_by_one(cars):
    part = len(cars) // 10
    test, training = cars[len(cars) - part :], cars[: len(cars) - 2 * part]
    if part:
        found = known(np.array(cars))
        assert found["known_percent"] == pytest.approx(
            100 * sum(car in training for car in test) / part
        )
        before = cars[: len(cars) - part]
        assert found["known_later_percent"] == pytest.approx(
            100 * sum(car in before for car in test) / part
        )
