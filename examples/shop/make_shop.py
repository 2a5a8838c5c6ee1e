"""Make the log of a shop for used goods, which is invented: ``python make_shop.py``.

Users look at what is for sale and to their taste, come back to what they have looked at, bid, and
buy; what is bought leaves the shop. Nothing here is real, and no figure says anything about a shop.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

ROWS, ITEMS = 200_000, 3_000
DAYS = 60
DAY, HOUR = 86_400, 3_600
BEGINNING = 1_740_783_600  # 2025-03-01 00:00 in Berlin; clocks change on the 30th
# Of listed items, those that nobody has looked at; half of them came in the last hours.
UNSEEN = 0.05
WIDTH = 6
VIEWS_A_VISIT = 6
# Events that are made for each that is wanted; some fall on items that are gone.
MORE = 1.2
SLICES = 8  # parts of a day, in each of which the shelf is taken as it was at the beginning
WHO_BIDS, WHO_BUYS = 0.3, 0.07
# Hours before or after UTC in which clocks of the shop's servers run.
OFFSETS = np.array([1, 2, 0, -5])

GOODS = {
    "bicycle": ("Damenrad", "Rennrad", "Lastenrad", "Kinderfahrrad"),
    "furniture": ("Schreibtisch", "Bücherregal", "Küchenstühle, 4 Stück", "Sofa"),
    "camera": ("Spiegelreflex", "Sucherkamera", "Objektiv 50 mm, f/1,8", "Stativ"),
    "music": ("Gitarre", "Plattenspieler", "Verstärker", "Flügelhorn"),
    "books": ("Bücherkiste", "Märchenbuch", "Wörterbuch", "Comics, gebündelt"),
    "clothing": ("Wintermantel", "Lederjacke", "Wanderschuhe, Größe 42", "Hüte"),
    "kitchen": ("Kaffeemühle", "Töpfe, 3 Stück", "Rührgerät", "Geschirr"),
    "garden": ("Rasenmäher", "Gießkanne", "Gartenbänke, 2 Stück", "Schubkarre"),
}
NAMES = ("Möwe", "Adler", "Käfer", "Nordstern", "Größenwahn", "Blitz", "Écru", "Løven", "Żuk")
COLOURS = ("blau", "grün", "weiß", "schwarz", "rötlich", "Eiche, geölt", "0,5 l", "wie neu")
CITIES = ("Köln", "München", "Lübeck", "Leipzig", "Zürich")
CONDITIONS = ("new", "good", "used", "for parts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, and give the exit status."""
    parser = argparse.ArgumentParser(description="Make the log of a shop, which is invented.")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"events of the log ({ROWS})")
    parser.add_argument("--seed", type=int, default=1, help="of all draws (1)")
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="folder")
    options = parser.parse_args(arguments)
    if options.rows < 1_000:
        parser.error(f"--rows is {options.rows}; a shop needs 1,000 or more")
    for name, table in make_shop(options.rows, options.seed).items():
        path = options.output / f"{name}.csv"
        table.write_csv(path, quote_style="non_numeric" if "items" in name else "necessary")
        print(f"{path}: {len(table):,} rows (INVENTED data)")
    return 0


def make_shop(n_rows: int = ROWS, seed: int = 1) -> dict[str, pl.DataFrame]:
    """Make the tables ``shop``, ``items``, ``tomorrow`` and ``tomorrow_items``.

    The first two are the events of sixty days and what was listed until then; the others those of
    the next day, with new users and items, and what has changed in the table of items.
    """
    rng = np.random.default_rng(seed)
    items = make_items(round(ITEMS * (n_rows / ROWS) ** 0.5), rng)
    events = make_events(items, round(n_rows * (DAYS + 1) / DAYS * MORE), rng)
    events = with_one_view_each(events, items, rng)
    is_past = events["time"].to_numpy() < DAYS * DAY
    past, tomorrow = thinned(events.filter(is_past), n_rows, rng), events.filter(~is_past)
    today, next_day = known_at(items, DAYS * DAY), known_at(items, (DAYS + 1) * DAY)
    changed = next_day.join(today, on=today.columns, how="anti", nulls_equal=True)
    return {
        "shop": written(past, items, rng),
        "items": written_items(today),
        "tomorrow": written(tomorrow, items, rng),
        "tomorrow_items": written_items(changed),
    }


# -- items ---------------------------------------------------------------------------------------


def make_items(n_past: int, rng: np.random.Generator) -> pl.DataFrame:
    """Make items: ``n_past`` that were listed in sixty days, and those of the next day."""
    n = n_past + max(3, n_past // DAYS)
    n_unseen = round(n_past * UNSEEN)
    listed = np.sort(rng.uniform(-5 * DAY, DAYS * DAY, n_past))
    listed = np.append(listed, np.sort(rng.uniform(DAYS, DAYS + 0.7, n - n_past)) * DAY)
    delisted = listed + rng.lognormal(np.log(9 * DAY), 0.6, n)
    # What was listed before the log was still there when it began.
    delisted = np.where(listed < 0, np.maximum(delisted, rng.uniform(0.5, 5, n) * DAY), delisted)
    unseen = np.zeros(n, bool)
    latest = np.arange(n_past - n_unseen // 2, n_past)
    others = rng.choice(n_past - len(latest), n_unseen - len(latest), replace=False)
    unseen[np.append(latest, others)] = True
    goods = rng.integers(len(GOODS), size=n)
    return pl.DataFrame(
        {
            "item": item_ids(n, rng),
            "title": [title(list(GOODS)[good], rng) for good in goods],
            "category": [list(GOODS)[good] for good in goods],
            "condition": rng.choice(CONDITIONS, n, p=(0.1, 0.4, 0.4, 0.1)),
            "city": rng.choice(CITIES, n),
            "price": np.round(rng.lognormal(3.8, 0.9, n), 2),
            "listed": np.round(listed),
            "delisted": np.round(delisted),
            "good": goods,
            "unseen": unseen,
        }
    )


def item_ids(n: int, rng: np.random.Generator) -> list[str]:
    """Make ids as shops have them: words and numbers, with zeros that count (0042 is not 42)."""
    numbers = rng.choice(np.arange(1, max(10_000, n)), -(-n // 4), replace=False)
    forms = ("00{}", "A-{}", "{}", "lot/{}")
    return [forms[k % 4].format(numbers[k // 4]) for k in range(n)]


def title(category: str, rng: np.random.Generator) -> str:
    """Make a title with commas, quotes and umlauts."""
    name = NAMES[rng.integers(len(NAMES))]
    colour = COLOURS[rng.integers(len(COLOURS))]
    what = GOODS[category][rng.integers(4)]
    kind = rng.integers(3)
    return (f'{what} "{name}", {colour}', f'"{name}" {what}', f"{what} {name}; {colour}")[kind]


def known_at(items: pl.DataFrame, at: float) -> pl.DataFrame:
    """Give what the table of items says at a time, which knows of no later end."""
    end = pl.when(pl.col("delisted") < at).then("delisted")
    return items.filter(pl.col("listed") < at).with_columns(delisted=end)


# -- events --------------------------------------------------------------------------------------


def make_events(items: pl.DataFrame, n_events: int, rng: np.random.Generator) -> pl.DataFrame:
    """Let users look, bid and buy; ``delisted`` of what is bought becomes the time of purchase."""
    shop = Shop(items, n_events, rng)
    parts = [shop.visits(start) for start in range(0, (DAYS + 1) * DAY, DAY // SLICES)]
    items.replace_column(items.get_column_index("delisted"), pl.Series("delisted", shop.delisted))
    user, item, time, behavior = (np.concatenate(column) for column in zip(*parts, strict=True))
    frame = {"user": user, "item": item, "time": np.round(time), "behavior": behavior}
    return pl.DataFrame(frame).sort("time", maintain_order=True)


class Shop:
    """What there is for sale, and what users have looked at."""

    def __init__(self, items: pl.DataFrame, n_events: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.listed, self.delisted = items["listed"].to_numpy(), items["delisted"].to_numpy().copy()
        self.unseen = items["unseen"].to_numpy()
        n_users = n_events // 50
        of_goods = rng.normal(size=(len(GOODS), WIDTH))
        self.item = of_goods[items["good"]] + rng.normal(scale=0.4, size=(len(items), WIDTH))
        self.popular = rng.normal(scale=0.7, size=len(items))
        self.user = rng.normal(scale=0.9, size=(n_users, WIDTH))
        # Some come with the last day.
        self.arrival = rng.uniform(-40, DAYS, n_users).clip(0) * DAY
        self.n_newcomers = max(3, n_users // 50)
        self.arrival[: self.n_newcomers] = DAYS * DAY
        self.activity = rng.pareto(1.5, n_users) + 0.3
        self.looked = np.zeros((n_users, len(items)), bool)
        self.visits_a_slice = n_events / (VIEWS_A_VISIT * 1.12) / (DAYS + 1) / SLICES

    def visits(self, start: float) -> tuple[np.ndarray, ...]:
        """Give the events of a slice of a day: user, item, time, behaviour."""
        length = DAY / SLICES
        weight = self.activity * (self.arrival <= start)
        # Fewer come at night.
        busy = 1 - 0.8 * np.cos(2 * np.pi * (start / DAY + 1 / 16))
        is_last = start >= DAYS * DAY
        n = max(self.rng.poisson(self.visits_a_slice * busy), int(is_last))
        there = (self.listed <= start) & (start < self.delisted) & ~self.unseen
        (shelf,) = np.nonzero(there)
        # Where there is nothing to look at, nobody does.
        n, shelf = (n, shelf) if len(shelf) else (0, np.zeros(1, np.int64))
        users = self.rng.choice(len(weight), n, p=weight / weight.sum())
        if is_last:
            users[:1] = self.rng.integers(self.n_newcomers)
        m = min(VIEWS_A_VISIT, len(shelf))
        score = self.user[users] @ self.item[shelf].T + self.popular[shelf]
        score += 3.0 * self.looked[np.ix_(users, shelf)] + self.rng.gumbel(size=(n, len(shelf)))
        best = np.argsort(-score, axis=1)[:, :m]
        items, wanted = shelf[best], np.take_along_axis(score, best, axis=1).argmax(axis=1)
        self.looked[users[:, None], items] = True
        begun = start + self.rng.uniform(0, length - 0.5 * HOUR, n)
        times = begun[:, None] + np.cumsum(self.rng.uniform(8, 200, (n, m)), axis=1)
        return self._bought(users, items, times, items[np.arange(n), wanted])

    def _bought(
        self, users: np.ndarray, items: np.ndarray, times: np.ndarray, wanted: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Let visits end with a bid or a purchase, after which an item is gone."""
        n, m = len(items), items.shape[1]
        bids = self.rng.random(n) < WHO_BIDS
        buys = bids & (self.rng.random(n) < WHO_BUYS)
        last = times[:, -1]
        np.minimum.at(self.delisted, wanted[buys], np.round(last[buys] + 120))
        user = np.concatenate([np.repeat(users, m), users[bids], users[buys]])
        item = np.concatenate([items.ravel(), wanted[bids], wanted[buys]])
        time = np.concatenate([times.ravel(), last[bids] + 60, last[buys] + 120]).round()
        behavior = np.repeat(["view", "bid", "buy"], [n * m, bids.sum(), buys.sum()])
        there = time <= self.delisted[item]
        return user[there], item[there], time[there], behavior[there]


def with_one_view_each(
    events: pl.DataFrame, items: pl.DataFrame, rng: np.random.Generator
) -> pl.DataFrame:
    """Let somebody look at each item that was to be seen and that chance has left out."""
    end = items["delisted"].to_numpy().clip(max=DAYS * DAY - 1)
    start = np.maximum(items["listed"].to_numpy(), 0)
    is_left = ~items["unseen"].to_numpy() & (start < end)
    past = events.filter(pl.col("time") < DAYS * DAY)
    is_left[past["item"].unique().to_numpy()] = False
    (left,) = np.nonzero(is_left)
    time = np.round(rng.uniform(start[left], end[left]))
    user = rng.choice(past["user"].to_numpy(), len(left))
    views = {"user": user, "item": left, "time": time, "behavior": np.repeat("view", len(left))}
    return pl.concat([events, pl.DataFrame(views)]).sort("time", maintain_order=True)


def thinned(events: pl.DataFrame, n_rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """Leave out views until there are so many rows; each item keeps its first event."""
    surplus = len(events) - n_rows
    if surplus < 0:
        raise ValueError(f"{len(events)} events were made, fewer than {n_rows}")
    is_first = events["item"].is_first_distinct()
    (free,) = np.nonzero((~is_first & (events["behavior"] == "view")).to_numpy())
    kept = np.ones(len(events), bool)
    kept[rng.choice(free, surplus, replace=False)] = False
    return events.filter(kept)


# -- as they are written -------------------------------------------------------------------------


def written(events: pl.DataFrame, items: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Give events as the shop writes them: names of users, clocks of several servers, titles."""
    of_item = items.select("item", "title", "price")[events["item"].to_numpy()]
    offset = OFFSETS[rng.choice(len(OFFSETS), len(events), p=(0.6, 0.2, 0.15, 0.05))]
    paid = pl.when(events["behavior"] == "buy").then(of_item["price"])
    return pl.DataFrame(
        {
            "time": with_offsets(events["time"].to_numpy(), offset),
            "user": user_names(events["user"]),
            "item": of_item["item"],
            "behavior": events["behavior"],
            "title": of_item["title"],
            "paid": pl.select(paid).to_series(),
        }
    )


def user_names(users: pl.Series) -> pl.Series:
    """Give names of users: ``u-18``, ``0043``, ``1044``."""
    number = users.cast(pl.String)
    name = (
        pl.when(users % 3 == 0)
        .then("u-" + number)
        .when(users % 3 == 1)
        .then("00" + number)
        .otherwise((users + 1_000).cast(pl.String))
    )
    return pl.select(name).to_series()


def with_offsets(seconds: np.ndarray, hours: np.ndarray) -> pl.Series:
    """Write moments in ISO 8601, each by the clock of its server."""
    local = pl.Series((seconds + BEGINNING + hours * HOUR).astype(np.int64) * 1_000)
    clock = local.cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S")
    names = {hour: "Z" if hour == 0 else f"{hour:+03d}:00" for hour in OFFSETS.tolist()}
    return clock + pl.Series([names[hour] for hour in hours.tolist()])


def written_items(items: pl.DataFrame) -> pl.DataFrame:
    """Give items as the shop writes them; who is still for sale has no end."""
    told = items.select("item", "title", "category", "condition", "city", "price")
    times = {}
    for name in ("listed", "delisted"):
        seconds = items[name].fill_null(0).to_numpy()
        text = with_offsets(seconds, np.ones(len(items), np.int64))
        times[f"{name}_at"] = pl.select(pl.when(items[name].is_not_null()).then(text)).to_series()
    return told.with_columns(**times)


if __name__ == "__main__":
    raise SystemExit(main())
