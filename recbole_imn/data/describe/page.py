"""A page that needs nothing but itself: what a shop needs first, plots, figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from recbole_imn.data.describe.bins import Curve
from recbole_imn.data.describe.days import day_text
from recbole_imn.data.describe.measures import Profile
from recbole_imn.data.describe.published import columns, note, rows
from recbole_imn.data.describe.report import ORDER, column, facts
from recbole_imn.pages import Bar, Bars, Figure, Page, Part, Series, Table, Tile, render
from recbole_imn.units import DAY

UNSEEN = (
    "Events are cut by time: 80% to learn from, 10% for validation, 10% for the test. A model "
    "that knows items by their ids alone has learnt nothing of items that training never saw."
)


def html(name: str, profile: Profile, origin: datetime | None, notice: str | None) -> str:
    """Write the page.

    Parameters
    ----------
    name : str
        Name of the data set.
    profile : Profile
        What :func:`~recbole_imn.data.describe.measures.profile` gave.
    origin : datetime or None
        The moment that times count from, if it is known, in the time zone of its days.
    notice : str or None
        That the data is simulated, if it is.
    """
    title = column(name, notice)
    size = profile.figures["size"]
    lead = (
        f"{size['users']:,} users, {size['items']:,} items and {size['actions']:,} actions from "
        f"{size['first_day']} to {size['last_day']}."
    )
    return render(
        Page(
            title=title,
            heading=f"Data set {title}",
            lead=[lead],
            notices=[*([notice] if notice else []), *profile.figures["notes"]],
            tiles=list(_tiles(profile.figures)),
            parts=[*_plots(profile, origin), *_tables(name, profile.figures, notice)],
        )
    )


def _tiles(figures: dict[str, Any]) -> Iterator[Tile]:
    """Give the figures that a shop needs first."""
    unseen, life, order, shelf = (figures[key] for key in ("unseen", "life", "order", "shelf"))
    yield Tile(
        f"{unseen['unseen_event_percent']:.1f}%",
        "Test events on items that training never saw",
        f"{unseen['unseen_items']:,} of {unseen['test_items']:,} test items",
    )
    yield Tile(
        _days(life["median_days"]),
        "Median life of an item, from its first to its last event",
        f"10% live for {_days(life['tenth_days'])} at most, 10% for "
        f"{_days(life['ninetieth_days'])} or longer",
    )
    yield Tile(
        f"{order['return_percent']:.1f}%",
        "Events on an item that the user has had before",
        f"{order['repeat_percent']:.1f}% on the item of his event just before",
    )
    if shelf:
        yield Tile(
            f"{shelf['mean_items']:,.0f}",
            "Items on the shelf at noon, mean of all days",
            f"{shelf['smallest_items']:,} to {shelf['largest_items']:,}; a stay takes "
            f"{_days(shelf['mean_stay_days'])} on average",
        )


def _days(days: float) -> str:
    """Write a time in the unit that suits it."""
    for unit, seconds in (("days", DAY), ("hours", 3_600.0), ("minutes", 60.0)):
        if days * DAY >= seconds:
            return f"{days * DAY / seconds:,.1f} {unit}"
    return f"{days * DAY:.0f} seconds"


def _plots(profile: Profile, origin: datetime | None) -> Iterator[Part]:
    """Give all plots that the log has data for."""
    yield Part("What a shop needs first", figures=list(_first(profile, origin)), in_columns=True)
    yield Part("Events over time", figures=list(_over_time(profile, origin)), in_columns=True)
    yield Part("Who acts, and on what", figures=list(_activity(profile)), in_columns=True)


def _first(profile: Profile, origin: datetime | None) -> Iterator[Figure]:
    figures = profile.figures
    known, later = (figures["unseen"][f"{key}_event_percent"] for key in ("known", "known_later"))
    shares = {
        "in training": known,
        "in validation alone": later - known,
        "in neither": 100 - later,
    }
    bars = [Bar(name, max(share, 0.0), f"{share:.1f}%") for name, share in shares.items()]
    yield Bars("Where items of the test events were seen before", bars, UNSEEN)
    if len(profile.unseen.values):
        yield Series(
            "Test events on items that training never saw, %, as time goes on",
            profile.unseen.values.tolist(),
            _places(profile.unseen, origin),
            "Every point stands for the same number of test events, in their order.",
        )
    yield _counts("Life of an item: from its first to its last event", profile.lives, "items")
    order = figures["order"]
    bars = [
        Bar(label[:1].upper() + label[1:], order[key], f"{order[key]:.1f}%")
        for key, label in ORDER.items()
    ]
    yield Bars("Repeats, ties and first events, % of all events", bars)
    if profile.shelf is not None:
        yield _series("Items on the shelf at noon", profile.shelf, origin)


def _over_time(profile: Profile, origin: datetime | None) -> Iterator[Figure]:
    yield _series("Actions a day", profile.actions, origin)
    if profile.purchases is not None:
        yield _series("Purchases a day", profile.purchases, origin)


def _activity(profile: Profile) -> Iterator[Figure]:
    behaviors = profile.figures["behaviors"]
    if behaviors:
        ordered = sorted(behaviors.items(), key=lambda pair: (-pair[1], pair[0]))
        yield _counts("Kinds of action", ordered, "actions")
    yield _counts("Actions of a user", profile.user_activity, "users")
    yield _counts("Actions of an item", profile.item_activity, "items")


def _counts(title: str, counts: list[tuple[str, int]], what: str) -> Bars:
    """Draw how many there are of each kind, without the empty ones at either end."""
    total = max(sum(count for _, count in counts), 1)
    held = [place for place, (_, count) in enumerate(counts) if count] or [0]
    counts = counts[held[0] : held[-1] + 1]
    bars = [
        Bar(name, float(count), f"{count:,} ({100 * count / total:.1f}%)") for name, count in counts
    ]
    return Bars(f"{title}, number of {what}", bars)


def _series(title: str, curve: Curve, origin: datetime | None) -> Series:
    caption = f"Each point is the mean of {curve.days} days." if curve.days > 1 else ""
    return Series(title, curve.values.tolist(), _places(curve, origin), caption)


def _places(curve: Curve, origin: datetime | None) -> list[str]:
    """Write the moments below a curve: dates if the origin is known, else days."""
    return [day_text(time, origin) for time in curve.times]


def _tables(name: str, figures: dict[str, Any], notice: str | None) -> Iterator[Part]:
    title, published = column(name, notice), columns(name, notice is not None)
    remark = note(published)
    sizes = Table(("what", title, *published), rows(figures["size"], published))
    yield Part("Size", table=sizes, notes=[remark] if remark else [])
    yield Part("All figures", table=Table(("what", title), facts(figures)))
