"""What could be gained by knowing money and stock, at best? On SIMULATED markets.

    python benchmarks/resource_ceiling.py [--scale=0.05 --markets=5]

resource_effect.py compares trained models; this tells how much there is to find. Two experts
rank the cars on the shelf at each choice of the last tenth of all sessions: both know every
user's true taste, one also what money and stock take away from each car. Then simple choice
models learn tastes from the first four fifths of the sessions. All see what tastes are truly
about; one also the true pressure on capital and the true stock of the car's segment; one
only the purchases of the log, with the true segments of cars and the mean time until a car
is sold on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from recbole_imn.data.market import MarketConfig
from recbole_imn.data.market.choice import Chooser
from recbole_imn.data.market.simulation import Market
from recbole_imn.evaluation.metrics import gains
from recbole_imn.evaluation.significance import Figure, mean_interval
from recbole_imn.files import replace_text
from recbole_imn.provenance import environment

CUT = 10
DAY = 86_400.0
EPOCHS, BATCH, STEP, PENALTY = 8, 1024, 0.02, 0.05


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


def logged_fullness(market: Market, data: Choices) -> np.ndarray:
    """Stock of each car's segment as the log tells it: purchases that fade, float32 [n, n_cars]."""
    log, config, segment = market.log().events, market.config, market.cars.segment
    trades = log[log["action"] == "trade"].groupby("user")
    past = {user: (rows["time"].to_numpy(), rows["car"].to_numpy()) for user, rows in trades}
    fullness = np.zeros(data.cars.shape, np.float32)
    for choice, (user, now) in enumerate(zip(data.user, data.time, strict=True)):
        times, cars = past.get(user, (np.zeros(0), np.zeros(0, np.int64)))
        age = (now - times) / DAY
        kept = np.where(age > 0, np.exp(-np.maximum(age, 0) / config.resale_days), 0.0)
        held = (segment[data.cars[choice]][:, None] == segment[cars]) @ kept
        fullness[choice] = market.wealth.fullness(held)
    return fullness


def ndcg(scores: np.ndarray, there: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """NDCG@10 of each choice; a chosen car that was not there for all of it is a miss."""
    scores = np.where(there, scores, -np.inf)
    own = np.take_along_axis(scores, chosen[:, None], axis=1)
    rank = (scores > own).sum(axis=1) + 0.5 * ((scores == own).sum(axis=1) - 1) + 1
    return gains(np.where(np.isfinite(own[:, 0]), rank, np.inf), "ndcg", CUT)


def learn(market: Market, data: Choices, first_test: int) -> np.ndarray:
    """Fit a choice model with a taste for each user, and give NDCG@10 of the test choices."""
    torch.manual_seed(market.config.seed)
    columns = torch.from_numpy(market.cars.vector)
    near = market.users.city[data.user][:, None] == market.cars.city[data.cars]
    known = np.stack([near, data.pressure, data.fullness], axis=2)
    numbers, cars = torch.from_numpy(known.astype(np.float32)), torch.from_numpy(data.cars)
    there, chosen = torch.from_numpy(data.there), torch.from_numpy(data.chosen)
    user = torch.from_numpy(data.user)
    everybody = torch.zeros(columns.shape[1], requires_grad=True)
    own = torch.zeros(market.config.n_users, columns.shape[1], requires_grad=True)
    weights = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([everybody, own, weights], lr=STEP)

    def scores(rows: torch.Tensor) -> torch.Tensor:
        taste = (everybody + own[user[rows]]).unsqueeze(2)
        # Few weights against many: they may move as fast as the sum of the others.
        return (columns[cars[rows]] @ taste).squeeze(2) + numbers[rows] @ (5 * weights)

    n_training = len(data.user) * 4 // 5
    rows = torch.nonzero(there.gather(1, chosen[:, None])[:n_training, 0]).flatten()
    for _ in range(EPOCHS):
        for batch in rows[torch.randperm(len(rows))].split(BATCH):
            logits = scores(batch).masked_fill(~there[batch], -torch.inf)
            loss = torch.nn.functional.cross_entropy(logits, chosen[batch])
            loss = loss + PENALTY * own[user[batch]].square().sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    test = torch.arange(first_test, len(data.user))
    with torch.no_grad():
        found = torch.cat([scores(batch) for batch in test.split(BATCH)]).numpy()
    return ndcg(found, data.there[first_test:], data.chosen[first_test:])


def measure(config: MarketConfig) -> dict[str, np.ndarray]:
    """NDCG@10 of experts and learners, on the same choices of a market."""
    market, data = watch(config)
    first = len(data.user) * 9 // 10
    test = slice(first, None)
    nothing, logged = np.zeros_like(data.fullness), logged_fullness(market, data)

    def expert(utility: np.ndarray) -> np.ndarray:
        return ndcg(utility[test], data.there[test], data.chosen[test])

    return {
        "stocked": data.stocked[test],
        "expert of tastes": expert(data.taste),
        "expert of tastes, money and stock": expert(data.taste - data.resistance),
        "learned": learn(market, replace(data, pressure=nothing, fullness=nothing), first),
        "learned, money and stock given": learn(market, data, first),
        "learned, purchases given": learn(
            market, replace(data, pressure=nothing, fullness=logged), first
        ),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.05, help="share of the full market")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 0.5, 1.0])
    parser.add_argument("--markets", type=int, default=5, help="market seeds 1, 2, ...")
    parser.add_argument("--out", type=Path, default=Path("results/resource_ceiling.md"))
    options = parser.parse_args()
    seeds = range(1, options.markets + 1)
    found: dict[float, list[dict[str, np.ndarray]]] = {}
    for strength, seed in tqdm(list(product(options.strengths, seeds)), unit="market"):
        config = MarketConfig.named("czb", seed, strength).scaled(options.scale)
        found.setdefault(strength, []).append(measure(config))
    about = environment()
    versions = ", ".join(f"{name} {value}" for name, value in about.items())
    text = "\n".join([*heading(options), *table(found), "", versions + "."]) + "\n"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    replace_text(options.out, text)
    print(text)
    return 0


def heading(options: argparse.Namespace) -> list[str]:
    return [
        "# What money and stock could tell at best, on SIMULATED markets",
        "",
        f"NDCG@{CUT} among the cars on the shelf, of the choices in the last tenth of all "
        f"sessions; czb at scale {options.scale:g}, {options.markets} market seeds; intervals "
        "are of Student's t over markets. Experts know true tastes. Learners fit a taste for "
        "each user to the first four fifths; one is given the true pressure on capital and the "
        "true stock, another one only the log's purchases, fading at the true pace, with the "
        "true segments of cars.",
        "",
    ]


def table(found: dict[float, list[dict[str, np.ndarray]]]) -> Iterator[str]:
    yield "| who | choices | strength | without resources | with them | difference, 95% |"
    yield "|---|---|---|---|---|---|"
    pairs = {
        "expert": ("expert of tastes", "expert of tastes, money and stock"),
        "learner, given all": ("learned", "learned, money and stock given"),
        "learner, given purchases and segments": ("learned", "learned, purchases given"),
    }
    for (who, names), stocked in product(pairs.items(), (False, True)):
        for strength, markets in found.items():
            rows = [market["stocked"] | (not stocked) for market in markets]
            one, other = (
                np.array([market[name][row].mean() for market, row in zip(markets, rows,
                                                                          strict=True)])
                for name in names
            )  # fmt: skip
            gain = other - one
            # What is the same everywhere has no interval.
            varies = np.ptp(gain) > 0
            figure = mean_interval(gain) if varies else Figure(gain.mean(), np.nan, np.nan)
            yield (
                f"| {who} | {'of users with stock' if stocked else 'all'} | {strength:g} "
                f"| {one.mean():.4f} | {other.mean():.4f} | {figure} |"
            )


if __name__ == "__main__":
    sys.exit(main())
