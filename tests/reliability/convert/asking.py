"""Where users, items and times are, by name and by place."""

from __future__ import annotations

from tests.data.convert.conftest import Workshop

NAMED = ("--user=u", "--item=i", "--time=t")
PLACED = ("--user=1", "--item=2", "--time=3")
START = 1_577_836_800  # 2020-01-01T00:00:00Z


def events(shop: Workshop) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for row in shop.rows()]
