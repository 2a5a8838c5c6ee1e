"""A small simulated market, a model that has seen it once, and the service over it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from recbole_imn.data.market import MarketConfig, simulate, write_market
from recbole_imn.serving import Recommender
from recbole_imn.serving.http import HttpSettings, make_app

SMALL = {
    "epochs": 1,
    "embedding_size": 8,
    "n_negatives": 4,
    "show_progress": False,
    "topk": [5],
    "valid_metric": "NDCG@5",
    "event_stream": True,
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """A checkpoint of IMNNetPlus on a fifth of czb-mini."""
    from recbole.quick_start import run_recbole

    folder = tmp_path_factory.mktemp("served")
    config = MarketConfig.named("czb-mini", seed=1).scaled(0.2)
    write_market(simulate(config), folder / "czb-mini", "czb-mini")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["test"])
        settings = {**SMALL, "data_path": str(folder), "checkpoint_dir": str(folder / "saved")}
        run_recbole(model="IMNNetPlus", dataset="czb-mini", config_dict=settings)
    (found,) = (folder / "saved").glob("*.pth")
    kept = Path(shutil.copy(found, folder / "czb.pth"))
    # Asked once here: what answers compile must not run against a browser's clock.
    asked = Recommender.load(kept)
    asked.recommend(asked.users[0], k=1)
    return kept


@pytest.fixture
def recommender(checkpoint) -> Recommender:
    """A recommender that nobody has told anything yet."""
    return Recommender.load(checkpoint)


@pytest.fixture
def make_client(recommender):
    """Give a function that makes a client of a service with some settings."""
    clients = []

    def make(**settings) -> TestClient:
        client = TestClient(make_app(recommender, HttpSettings(**settings)))
        clients.append(client.__enter__())
        return clients[-1]

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client) -> TestClient:
    """A client of a service without limits worth mentioning."""
    return make_client(rate=0)


@pytest.fixture
def after(recommender) -> float:
    """A moment after the log's last event, epoch seconds."""
    return recommender.last_time + recommender.clock.origin + 1.0


@pytest.fixture
def event(recommender, after) -> dict:
    """An event that is taken."""
    user, item = recommender.users[0], recommender.items[0]
    return {"user": user, "item": item, "time": after, "behavior": "bid"}
