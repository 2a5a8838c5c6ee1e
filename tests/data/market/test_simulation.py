"""The simulated market behaves like a market, and has the published shape."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recbole_imn.data.market import MarketConfig, simulate, statistics, statistics_table
from recbole_imn.data.market.config import INFERRED_KNOWN_PERCENT, PUBLISHED
from recbole_imn.units import DAY


@pytest.fixture(scope="module", params=[1, 2], ids=["version 1", "version 2"])
def mini(request):
    return simulate(MarketConfig.named("czb-mini", version=request.param))


@pytest.fixture(scope="module")
def full():
    return simulate(MarketConfig.named("czb"))


@pytest.fixture(params=[1, 2])
def version(request):
    return request.param


def test_the_full_market_meets_the_published_figures(full):
    figures = statistics(full)
    assert figures["users"] == PUBLISHED["users"]
    assert figures["items"] == PUBLISHED["items"]
    assert figures["actions"] == pytest.approx(PUBLISHED["actions"], rel=0.01)
    assert figures["purchase_percent"] == pytest.approx(PUBLISHED["purchase_percent"], abs=0.05)
    assert figures["mean_price_cny"] == pytest.approx(PUBLISHED["mean_price_cny"], rel=0.02)
    assert figures["days"] == PUBLISHED["days"]
    assert 3 < figures["repeat_percent"] < 8
    assert figures["longest_listing_days"] < 7.5
    low, high = INFERRED_KNOWN_PERCENT
    assert low < figures["known_percent"] < high
    assert full.events.groupby("user").size().min() >= 2


def test_the_mini_market_has_about_twenty_thousand_actions(mini):
    assert 19_000 < len(mini.events) < 21_000
    assert mini.events.groupby("user").size().min() >= 2


def test_the_same_config_gives_the_same_log(mini):
    again = simulate(mini.config)
    pd.testing.assert_frame_equal(again.events, mini.events)
    other = simulate(replace(mini.config, seed=2))
    assert not other.events.equals(mini.events)


def test_events_are_in_time_order_within_the_log(mini):
    time = mini.events["time"].to_numpy()
    assert (np.diff(time) >= 0).all()
    assert time.min() >= 0
    assert time.max() < 184 * DAY < 2**24
    assert np.array_equal(time.astype(np.float32).astype(np.int64), time)


def inside_a_listing(log, events):
    listings = log.listings
    joined = events.reset_index().merge(listings, on="car")
    there = (joined["time"] >= joined["start"]) & (joined["time"] <= joined["end"])
    return set(joined.loc[there, "index"])


def test_cars_are_bid_on_only_while_they_are_listed(mini):
    bids = mini.events[mini.events["action"] == "bid"]
    assert inside_a_listing(mini, bids) == set(bids.index)


def test_a_car_is_won_by_one_bidder_when_its_auction_ends(mini):
    events = mini.events
    wins = events[events["action"] == "win"]
    ends = set(zip(mini.listings["car"], mini.listings["end"], strict=True))
    assert set(zip(wins["car"], wins["time"], strict=True)) <= ends
    assert not wins.duplicated(["car", "time"]).any()
    bidders = set(
        zip(*events[events["action"] == "bid"][["user", "car"]].to_numpy().T, strict=True)
    )
    assert set(zip(wins["user"], wins["car"], strict=True)) <= bidders


def test_a_traded_car_was_won_before_by_its_buyer(mini):
    events = mini.events
    trades, wins = (events[events["action"] == action] for action in ("trade", "win"))
    bought = pd.merge_asof(
        trades, wins.assign(won=wins["time"]), on="time", by="car", suffixes=("", "_win")
    )
    assert (bought["user"] == bought["user_win"]).all()
    assert (bought["time"] - bought["won"]).between(2 * 3600, 48 * 3600).all()


def test_in_version_1_a_traded_car_is_gone():
    log = simulate(MarketConfig.named("czb-mini", version=1))
    trades = log.events[log.events["action"] == "trade"].set_index("car")
    assert trades.index.is_unique
    last_listing = log.listings.groupby("car")["end"].max().loc[trades.index]
    assert (last_listing < trades["time"]).all()


def gaps(log):
    """Days between a stay of a car on the shelf and its next one."""
    listings = log.listings
    same_car = listings["car"].diff() == 0
    return (listings["start"] - listings["end"].shift())[same_car] / DAY


def test_unsold_cars_come_back_under_the_same_id(mini):
    listings = mini.listings
    assert (listings["end"] > listings["start"]).all()
    assert (gaps(mini) > 0).all()
    in_a_row = (gaps(mini) < mini.config.least_days_away).groupby(listings["car"]).sum()
    assert in_a_row.max() >= 1
    if mini.config.version == 1:
        assert in_a_row.max() < mini.config.max_listings


def test_only_in_version_2_cars_come_back_after_validation(mini):
    part = len(mini.events) // 10
    time = mini.events["time"].to_numpy()
    validation = (time[-part - 1] - time[-2 * part]) / DAY
    late = (gaps(mini) > validation).mean()
    assert (late == 0) if mini.config.version == 1 else (0.1 < late < 0.5)
    # Nothing between a quick return and a late one.
    least = mini.config.least_days_away
    assert least > validation
    assert not gaps(mini).between(18, least - 2).any()


def test_dealers_put_cars_on_auction_that_they_have_bought(mini):
    events = mini.events
    trades = events[events["action"] == "trade"]
    again = mini.listings.merge(trades[["car", "user", "time"]], on="car")
    again = again[again["start"] > again["time"]]
    assert len(again) == 0 if mini.config.version == 1 else len(again) > 10
    waited = (again["start"] - again["time"]) / DAY
    assert (waited > mini.config.patience_days - 1).all()
    assert mini.users.dealer[again["user"]].all()


def test_the_shelf_size_is_the_number_of_listed_cars(mini):
    sample = mini.events.iloc[:: len(mini.events) // 50]
    for time, size in zip(sample["time"], sample["shelf_size"], strict=True):
        listings = mini.listings
        assert ((listings["start"] <= time) & (listings["end"] > time)).sum() == size


def test_sessions_follow_the_day_and_the_week(full):
    bids = full.events[full.events["session_position"] == 1]
    hours = (bids["time"] // 3600 % 24).value_counts()
    assert hours[[9, 10, 14, 15]].sum() > 5 * hours[[1, 2, 3, 4]].sum()
    days = (bids["time"] // DAY % 7).value_counts()
    assert days[4] < 0.8 * days[0]  # the log begins on a Wednesday: 4 is Sunday


def test_prices_follow_age_and_brand(full):
    cars = full.cars
    assert np.corrcoef(cars.year, np.log(cars.price))[0, 1] > 0.2
    by_brand = pd.Series(np.log(cars.price)).groupby(cars.brand).mean()
    assert by_brand.std() > 0.2


def test_images_are_made_from_looks(full):
    image = full.cars.image - full.cars.image.mean(axis=0)
    explained = np.linalg.svd(image[:2000], compute_uv=False) ** 2
    assert explained[:8].sum() / explained.sum() > 0.9
    assert image.shape[1] == 32


def test_without_resource_effects_money_and_stock_change_nothing(version):
    config = MarketConfig.named("czb-mini", resource_strength=0.0, version=version)
    poor = replace(config, dealer_capital=0.01, saturation=50.0, resale_margin=-0.5)
    pd.testing.assert_frame_equal(simulate(config).events, simulate(poor).events)


def test_resource_effects_change_choices(version):
    config = MarketConfig.named("czb-mini", resource_strength=1.0, version=version)
    poor = replace(config, dealer_capital=0.1)
    rich_log, poor_log = simulate(config), simulate(poor)
    rich, needy = (log.cars.price[log.events["car"]].mean() for log in (rich_log, poor_log))
    assert needy < 0.9 * rich


def share_of_bought_segment(log, days=5):
    """Share of a dealer's bids in the days after a trade that are in the segment traded."""
    events = log.events
    bids = events[events["session_position"] > 0]
    by_user = dict(list(bids.groupby("user")))
    segment, hits, total = log.cars.segment, 0, 0
    for trade in events[events["action"] == "trade"].itertuples():
        rows = by_user.get(trade.user)
        if rows is not None:
            waited = rows["time"] - trade.time
            after = rows[(waited > DAY) & (waited < days * DAY)]
            hits += (segment[after["car"]] == segment[trade.car]).sum()
            total += len(after)
    return hits / total


def test_after_a_purchase_users_turn_to_other_segments(version):
    shares = [
        share_of_bought_segment(
            simulate(MarketConfig.named("czb", 1, strength, version).scaled(0.15))
        )
        for strength in (0.0, 1.0, 4.0)
    ]
    assert shares[1] < 0.8 * shares[0]
    assert shares[2] < 0.8 * shares[1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MarketConfig(resource_strength=4.5), "resource_strength is 4.5"),
        (lambda: MarketConfig(seed=-1), "seed is -1"),
        (lambda: MarketConfig().scaled(0), "scale is 0"),
        (lambda: MarketConfig().scaled(0.0001), "too small to be one"),
        (lambda: MarketConfig.named("cars"), "there is no market 'cars'"),
    ],
)
def test_impossible_markets_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_table_says_that_it_is_simulated(mini):
    table = statistics_table(mini)
    assert table.startswith("SIMULATED market, seed 1, resource strength 1")
    assert f"version {mini.config.version}, {mini.config.taste} tastes" in table
    assert "inferred, not published" in table
    assert "10,718.00" in table
