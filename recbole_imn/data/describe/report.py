"""The report of a data set as text, and the lines that its page has, too."""

from __future__ import annotations

from typing import Any

from texttable import Texttable

from recbole_imn.data.describe.published import columns, note, rows

ORDER = {
    "repeat_percent": "same item as the user's previous event",
    "return_percent": "same item as any earlier event of the user",
    "tied_percent": "same time as another event",
    "tied_same_user_percent": "same time as the user's previous event",
    "first_of_user_percent": "a user's first event",
    "first_of_item_percent": "an item's first event",
}


def facts(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """Give every figure beyond Table 2 as a label and a text, what a shop needs first."""
    life, unseen, shelf = figures["life"], figures["unseen"], figures["shelf"]
    lines = [
        (
            "test items never seen in training (80/10/10 by time)",
            f"{unseen['unseen_items']:,} of {unseen['test_items']:,} "
            f"({unseen['unseen_item_percent']:.1f}%)",
        ),
        ("test events on such items, %", f"{unseen['unseen_event_percent']:.2f}"),
        (
            "test events on items known from training, and from training or validation, %",
            f"{unseen['known_event_percent']:.2f}, {unseen['known_later_event_percent']:.2f}",
        ),
        (
            "days from an item's first to last event: 10%, 50%, 90%, mean",
            f"{life['tenth_days']:.2f}, {life['median_days']:.2f}, "
            f"{life['ninetieth_days']:.2f}, {life['mean_days']:.2f}",
        ),
        ("items with a single event, %", f"{life['one_event_percent']:.2f}"),
    ]
    if shelf:
        lines += [
            (
                "items on the shelf at noon: mean, smallest, largest",
                f"{shelf['mean_items']:,.0f}, {shelf['smallest_items']:,}, "
                f"{shelf['largest_items']:,}",
            ),
            (
                "stays on the shelf, and their mean length in days",
                f"{shelf['listings']:,}, {shelf['mean_stay_days']:.2f}",
            ),
            *_off_shelf(shelf, figures["size"]["actions"]),
        ]
    lines += [
        (f"{label}, % of events", f"{figures['order'][key]:.2f}") for key, label in ORDER.items()
    ]
    return lines


def _off_shelf(shelf: dict[str, Any], actions: int) -> list[tuple[str, str]]:
    """Say how many events no ranking of what is for sale can find, if there are any."""
    missed, bought = shelf["events_off_shelf"], shelf["purchases_off_shelf"]
    if not missed:
        return []
    label, purchases = "events on items not for sale then", ""
    if bought is not None:
        label, purchases = f"{label}, and purchases among them", f", {bought:,}"
    return [(label, f"{missed:,} ({100 * missed / actions:.1f}%){purchases}")]


def column(name: str, notice: str | None) -> str:
    """Give the heading of our own figures; simulated ones say so."""
    return f"{name}, SIMULATED" if notice else name


def text(name: str, figures: dict[str, Any], notice: str | None) -> str:
    """Lay out the report for a terminal."""
    ours, published = column(name, notice), columns(name, notice is not None)
    sizes, others = Texttable(max_width=120), Texttable(max_width=120)
    for table, header in ((sizes, ["", ours, *published]), (others, ["", ours])):
        table.set_deco(Texttable.HEADER)
        table.set_cols_dtype(["t"] * len(header))
        table.set_cols_align(["l"] + ["r"] * (len(header) - 1))
        table.header(header)
    for row in rows(figures["size"], published):
        sizes.add_row(row)
    for fact in facts(figures):
        others.add_row(fact)
    notes = "\n".join(f"note: {one}" for one in figures["notes"])
    parts = [notice, notes, str(sizes.draw()), note(published), str(others.draw())]
    return "\n\n".join(part for part in parts if part)
