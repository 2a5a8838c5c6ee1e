"""A shop that all tests of updates share, and its events as files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import CZB, FULL
from tests.serving.shops import Shop, make_shop

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def shop(market_folder, tmp_path_factory) -> Shop:
    """A shop of IMNNetPlus with a branch and features, at the beginning of the test part."""
    from recbole.config import Config

    from recbole_imn.preparation import make_model

    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["test"])
        options = {
            "data_path": str(market_folder), "event_stream": True, "show_progress": False,
            "use_gpu": False, "embedding_size": 8, "train_batch_size": 64, "topk": [5],
            "valid_metric": "NDCG@5", **CZB, **FULL,
        }  # fmt: skip
        config = Config(model="IMNNetPlus", dataset="market", config_dict=options)
        return make_shop(folder, (config, *make_model(config)))


def rows_of(shop: Shop, start: int, stop: int) -> Rows:
    """Events of the log as rows of a shop's table."""
    columns = shop.events(start, stop)
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    for row in rows:
        row["time"] = datetime.fromtimestamp(row["time"], timezone.utc).isoformat()
        row["purchase"] = int(row["purchase"])
    return rows


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Give a function that writes rows to a csv file."""

    def run(rows: Rows, name: str = "new.csv") -> Path:
        path = tmp_path / name
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return run


@pytest.fixture
def new_events(shop, write) -> Path:
    """The test part, as a csv file, with a user and an item that nobody has seen."""
    rows = rows_of(shop, shop.start, shop.stop)
    for place, row in enumerate(rows[::7]):
        row["user"] = f"new-{place % 5}"
        row["item"] = f"thing-{place % 3}"
    return write(rows)
