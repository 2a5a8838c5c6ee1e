"""Choices of a SIMULATED market with what they were made from, and who ranks them how well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.resource_markets import WEEK
from recbole_imn.data.market import MarketConfig
from recbole_imn.data.market.choice import Chooser
from recbole_imn.data.market.simulation import Market
from recbole_imn.kernels.holdings import held
from recbole_imn.model.terms.holdings import LATEST, N_KNOTS, groups, make_cells
from recbole_imn.rank_metrics import rank_metric

CUT = 10
DAY = 86_400.0
EPOCHS, BATCH, STEP, PENALTY = 8, 1024, 0.02, 0.05
# Few weights against many: they may move as fast as the sum of the others.
SPEED = 5.0


@dataclass(frozen=True)
class Choices:
    """Choices in sessions, in time order; columns are the cars on the day's shelf.

    Attributes
    ----------
    user, chosen : int64 [n]
        The user, and the column of the car that was chosen.
    cars : int64 [n, n_cars]
    there : bool [n, n_cars]
        Whether the car was on the shelf for the whole session.
    taste, resistance, pressure, fullness : float32 [n, n_cars]
        True utility by taste; what money and stock take away, and the two things it is made of.
    time : int64 [n]
        Second at which the session began.
    stocked : bool [n]
        Whether the user has bought a car and not yet sold it.
    """

    user: np.ndarray
    chosen: np.ndarray
    cars: np.ndarray
    there: np.ndarray
    taste: np.ndarray
    resistance: np.ndarray
    pressure: np.ndarray
    fullness: np.ndarray
    time: np.ndarray
    stocked: np.ndarray


class Watched(Chooser):
    """A chooser that keeps what each choice was made from."""

    def pick(self, shelf, visits, shown, offered, rng):
        if not hasattr(self, "kept"):
            self.kept = []
        picked = super().pick(shelf, visits, shown, offered, rng)
        session = np.repeat(np.arange(len(visits.users)), visits.length)
        column = shelf.places(np.maximum(picked, 0))
        wealth, users, cars = self.wealth, visits.users, shelf.cars
        there = shelf.there(visits)
        values = {
            "there": there,
            "taste": self.taste(users, cars),
            "resistance": wealth.resistance(users, cars),
            "pressure": wealth.pressure(users, cars),
            "fullness": wealth.fullness(wealth.held(users, cars)),
            "cars": np.broadcast_to(cars, there.shape),
        }
        kept = picked >= 0
        day = {name: value[session][kept] for name, value in values.items()}
        day |= {"user": users[session][kept], "chosen": column[kept]}
        day["time"] = visits.start[session][kept]
        day["stocked"] = wealth.stock[day["user"]].sum(axis=1) > 0
        self.kept.append(day)
        return picked


def watch(config: MarketConfig) -> tuple[Market, Choices]:
    """Simulate a market and give its choices."""
    market = Market(config)
    market.chooser = chooser = Watched(config, market.cars, market.users, market.wealth)
    for day in range(config.n_days):
        market.live(day)
    widest = max(day["there"].shape[1] for day in chooser.kept)

    def join(name: str) -> np.ndarray:
        parts = [day[name] for day in chooser.kept]
        if parts[0].ndim == 2:
            parts = [np.pad(part, ((0, 0), (0, widest - part.shape[1]))) for part in parts]
        joined = np.concatenate(parts)
        return joined.astype(np.float32) if joined.dtype == np.float64 else joined

    return market, Choices(**{name: join(name) for name in Choices.__dataclass_fields__})


@dataclass(frozen=True)
class Purchases:
    """Latest purchases before each choice, as the log tells them.

    Attributes
    ----------
    cars : int64 [n, 10]
        Newest first; -1 is padding.
    days : float32 [n, 10]
        How long ago they were.
    """

    cars: np.ndarray
    days: np.ndarray

    @property
    def in_the_week_before(self) -> np.ndarray:
        return (self.cars[:, 0] >= 0) & (self.days[:, 0] <= WEEK / DAY)


def logged_purchases(market: Market, data: Choices) -> Purchases:
    """Look up the trades of the log before each choice."""
    log = market.log().events
    trades = log[log["action"] == "trade"].groupby("user")
    past = {user: (rows["time"].to_numpy(), rows["car"].to_numpy()) for user, rows in trades}
    cars = np.full((len(data.user), LATEST), -1)
    days = np.zeros(cars.shape, np.float32)
    for choice, (user, now) in enumerate(zip(data.user, data.time, strict=True)):
        if user in past:
            times, bought = past[user]
            stop = np.searchsorted(times, now)
            latest = slice(max(stop - LATEST, 0), stop)
            n = stop - latest.start
            cars[choice, :n] = bought[latest][::-1]
            days[choice, :n] = (now - times[latest][::-1]) / DAY
    return Purchases(cars, days)


def logged_fullness(market: Market, data: Choices, past: Purchases) -> np.ndarray:
    """Stock of each car's segment as the log tells it: purchases that fade, float32 [n, n_cars]."""
    segment = market.cars.segment
    kept = np.where(past.cars >= 0, np.exp(-past.days / market.config.resale_days), 0.0)
    fullness = np.zeros(data.cars.shape, np.float32)
    for choice in np.flatnonzero(past.cars[:, 0] >= 0):
        same = segment[data.cars[choice]][:, None] == segment[past.cars[choice]]
        fullness[choice] = market.wealth.fullness(same @ kept[choice])
    return fullness


def ndcg(scores: np.ndarray, there: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """NDCG@10 of each choice; a chosen car that was not there for all of it is a miss."""
    scores = np.where(there, scores, -np.inf)
    own = np.take_along_axis(scores, chosen[:, None], axis=1)
    rank = (scores > own).sum(axis=1) + 0.5 * ((scores == own).sum(axis=1) - 1) + 1
    return rank_metric(f"ndcg@{CUT}")(np.where(np.isfinite(own[:, 0]), rank, np.inf))


class Known(nn.Module):
    """Numbers that tell of each car on the shelf, with a weight each."""

    def __init__(self, *numbers: np.ndarray) -> None:
        super().__init__()
        self.numbers = torch.from_numpy(np.stack(numbers, axis=2).astype(np.float32))
        self.weights = nn.Parameter(torch.zeros(len(numbers)))

    def forward(self, rows: Tensor, cars: Tensor) -> Tensor:
        return self.numbers[rows] @ (SPEED * self.weights)


class Competition(nn.Module):
    """How cars compete with purchased ones, as the term ``holdings`` of the models learns it."""

    def __init__(self, market: Market, past: Purchases) -> None:
        super().__init__()
        features, owners = described(market)
        knots = np.quantile(features[1:].numpy(), np.linspace(0, 1, N_KNOTS), axis=0)
        fields = groups(owners, features[1:])
        self.cells, self.owners = make_cells(features, torch.from_numpy(knots), fields)
        # Cars are numbered from 0, items from 1.
        self.bought, self.ages = torch.from_numpy(past.cars + 1), torch.from_numpy(past.days)
        self.competition = nn.Parameter(torch.zeros(len(self.owners.unique())))
        known = past.days[:, 0][past.cars[:, 0] >= 0]
        self.usual = float(np.median(known)) if len(known) else 1.0
        self.rate = nn.Parameter(torch.zeros(()))

    def forward(self, rows: Tensor, cars: Tensor) -> Tensor:
        rate = torch.exp(self.rate) / self.usual
        now = held(self.cells, self.bought[rows], self.ages[rows], rate)
        wanted = self.competition[self.owners] * now
        return (self.cells[cars + 1] @ wanted.unsqueeze(2)).squeeze(2)


def described(market: Market) -> tuple[Tensor, list[str]]:
    """Give what a log tells of cars, float64 [1 + n_cars, n_columns], and the columns' fields."""
    cars, config = market.cars, market.config
    columns = {
        "brand": np.eye(config.n_brands)[cars.brand],
        "type": np.eye(config.n_types)[cars.type],
        "year": cars.year[:, None],
        "mileage": cars.mileage[:, None],
        "price": cars.price[:, None],
    }
    owners = [name for name, values in columns.items() for _ in range(values.shape[1])]
    values = np.concatenate(list(columns.values()), axis=1).astype(np.float64)
    return torch.from_numpy(np.pad(values, ((1, 0), (0, 0)))), owners


def learn(market: Market, data: Choices, first_test: int, *known: nn.Module) -> np.ndarray:
    """Fit a choice model with a taste for each user, and give NDCG@10 of the test choices."""
    torch.manual_seed(market.config.seed)
    columns = torch.from_numpy(market.cars.vector)
    near = Known(market.users.city[data.user][:, None] == market.cars.city[data.cars])
    parts = nn.ModuleList([near, *known])
    cars, user = torch.from_numpy(data.cars), torch.from_numpy(data.user)
    there, chosen = torch.from_numpy(data.there), torch.from_numpy(data.chosen)
    everybody = torch.zeros(columns.shape[1], requires_grad=True)
    own = torch.zeros(market.config.n_users, columns.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([everybody, own, *parts.parameters()], lr=STEP)

    def scores(rows: Tensor) -> Tensor:
        taste = (everybody + own[user[rows]]).unsqueeze(2)
        liked = (columns[cars[rows]] @ taste).squeeze(2)
        return liked + sum(part(rows, cars[rows]) for part in parts)

    n_training = len(data.user) * 4 // 5
    rows = torch.nonzero(there.gather(1, chosen[:, None])[:n_training, 0]).flatten()
    for _ in range(EPOCHS):
        for batch in rows[torch.randperm(len(rows))].split(BATCH):
            logits = scores(batch).masked_fill(~there[batch], -torch.inf)
            loss = nn.functional.cross_entropy(logits, chosen[batch])
            loss = loss + PENALTY * own[user[batch]].square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    test = torch.arange(first_test, len(data.user))
    with torch.no_grad():
        found = torch.cat([scores(batch) for batch in test.split(BATCH)]).numpy()
    return ndcg(found, data.there[first_test:], data.chosen[first_test:])


@dataclass(frozen=True)
class Measured:
    """NDCG@10 of the choices in the last tenth of all sessions, by who ranked them.

    Attributes
    ----------
    gains : dict of str to float64 [n]
    stocked, recent : bool [n]
        Whether the user had stock, and whether he had purchased within the week before.
    """

    gains: dict[str, np.ndarray]
    stocked: np.ndarray
    recent: np.ndarray


def measure(config: MarketConfig) -> Measured:
    """Let experts and learners rank the same choices of a market."""
    market, data = watch(config)
    past = logged_purchases(market, data)
    first = len(data.user) * 9 // 10
    test = slice(first, None)

    def expert(utility: np.ndarray) -> np.ndarray:
        return ndcg(utility[test], data.there[test], data.chosen[test])

    def learner(*known: nn.Module) -> np.ndarray:
        return learn(market, data, first, *known)

    gained = {
        "expert": expert(data.taste),
        "expert, all": expert(data.taste - data.resistance),
        "learner": learner(),
        "learner, all": learner(Known(data.pressure, data.fullness)),
        "learner, segments": learner(Known(logged_fullness(market, data, past))),
        "learner, fields": learner(Competition(market, past)),
    }
    return Measured(gained, data.stocked[test], past.in_the_week_before[test])
