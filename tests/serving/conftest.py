"""A small market on disk, and shops that have learned from it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest

from recbole_imn.data.market import MarketConfig, simulate, write_market
from tests.serving.journal.conftest import places, redis_server  # noqa: F401  (fixtures)
from tests.serving.shops import Shop, make_shop

CZB = {
    "load_col": {
        "inter": [
            "user_id", "item_id", "timestamp", "behavior", "purchase", "strategy", "shelf_size",
        ],
        "item": ["item_id", "brand", "type", "registration_year", "mileage", "price"],
    },
    "item_features": ["brand", "type", "registration_year", "mileage", "price"],
}  # fmt: skip
FULL = {"resource_branch": "full", "inventory_features": ["shelf_size", "strategy"]}


@pytest.fixture(scope="session")
def market_folder(tmp_path_factory):
    """A folder with the atomic files of a market of some fifty users."""
    folder = tmp_path_factory.mktemp("market")
    market = simulate(MarketConfig.named("czb-mini").scaled(0.15))
    write_market(market, folder / "market", "market")
    return folder


def prepared_shop(
    market_folder: Path, place: Path, model: str, stop: int | None, **options
) -> Shop:
    """Make a shop of a model on the market; its checkpoint goes to a folder."""
    from recbole.config import Config

    from recbole_imn.preparation import make_model

    defaults = {
        "data_path": str(market_folder),
        "event_stream": True,
        "show_progress": False,
        "use_gpu": False,
        "embedding_size": 8,
        "train_batch_size": 64,
        "topk": [5],
        "valid_metric": "NDCG@5",
    }
    config = Config(model=model, dataset="market", config_dict={**defaults, **CZB, **options})
    return make_shop(place, (config, *make_model(config)), stop)


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Work in an empty folder, with no options for RecBole to read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["test"])


@pytest.fixture
def make(market_folder, tmp_path, in_folder):
    """Give a function that makes a shop of a model, on the market."""

    def run(model: str = "IMNNetPlus", stop: int | None = None, **options) -> Shop:
        return prepared_shop(market_folder, tmp_path, model, stop, **options)

    return run


@pytest.fixture(scope="session")
def first_shop(market_folder, tmp_path_factory):
    """The shop that is copied for every test that needs one."""
    place = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "argv", ["test"])
        return prepared_shop(market_folder, place, "IMNNetPlus", None)


@pytest.fixture
def shop(first_shop, tmp_path, in_folder):
    """A shop of IMNNetPlus, as of the beginning of the test part, with a file of its own."""
    return replace(first_shop, file=Path(copy(first_shop.file, tmp_path)))


@pytest.fixture
def recommender(shop):
    """The shop's recommender at the beginning of the test part."""
    return shop.recommender()
