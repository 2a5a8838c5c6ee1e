"""What can be wrong, or only odd, with the atomic file of items."""

from __future__ import annotations

from random import Random
from typing import Any

from fuzzing.odd_values import BAD_NUMBERS, ODD_IDS
from fuzzing.sheet_edits import any_row, set_cells


def bad_item_number(base: Any, rng: Random) -> str:
    return set_cells(base.item, "weight", rng, BAD_NUMBERS)


def bad_image(base: Any, rng: Random) -> str:
    return set_cells(base.item, "image", rng, ("1 nan 2", "inf 0 1", "1e300 1 1", "a b c", "1,2,3"))


def empty_item_cells(base: Any, rng: Random) -> str:
    name = rng.choice(("brand", "weight", "tags", "image"))
    return set_cells(base.item, name, rng, ("",), 12)


def new_extremes(base: Any, rng: Random) -> str:
    return set_cells(base.item, "weight", rng, ("1e30", "-1e9", "0", "1e-300", "1e37"), 3)


def ragged_sequences(base: Any, rng: Random) -> str:
    values = {
        "tags": ("red", "red red", "a b c d e f", " red", "x\u00a0y"),
        "image": ("1", "1 2 3 4 5"),
    }
    name = rng.choice(sorted(values))
    return set_cells(base.item, name, rng, values[name], 4)


def odd_categories(base: Any, rng: Random) -> str:
    return set_cells(base.item, rng.choice(("brand", "tags")), rng, ODD_IDS, 4)


def stays(base: Any, rng: Random) -> str:
    """Stays on the shelf that are ragged, crossing, open or no numbers."""
    name = rng.choice(("listed_at", "delisted_at"))
    values = ("", "0 5", "5 1", "inf", "-inf", "nan", "x", "1e300", "0", "-5 3 9")
    return set_cells(base.item, name, rng, values, 3)


def missing_items(base: Any, rng: Random) -> str:
    if base.item is None or len(base.item.rows) < 4:
        return "no items"
    gone = [base.item.rows.pop(rng.randrange(len(base.item.rows)))[0] for _ in range(3)]
    return f"without {gone}"


def further_items(base: Any, rng: Random) -> str:
    if base.item is None or not base.item.rows:
        return "no items"
    for number in range(rng.choice((1, 2, 30))):
        _, row = any_row(rng, base.item)
        base.item.rows.insert(rng.randrange(len(base.item.rows) + 1), [f"new{number}", *row[1:]])
    return "items without events"


def item_twice(base: Any, rng: Random) -> str:
    if base.item is None or not base.item.rows:
        return "no items"
    place, row = any_row(rng, base.item)
    other = rng.choice(base.item.rows)
    base.item.rows.append([row[0], *(row[1:] if rng.random() < 0.4 else other[1:])])
    return f"line {place + 2} again in the last line"


def empty_item_id(base: Any, rng: Random) -> str:
    return set_cells(base.item, "item_id", rng, ("",))
