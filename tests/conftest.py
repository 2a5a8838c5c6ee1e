"""Small logs on disk, and RecBole objects made from them."""

from __future__ import annotations

import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch

import recbole_imn  # noqa: F401  (mends RecBole before anything imports it)

# Toys gain nothing from a second thread, and wait for it on a busy machine.
torch.set_num_threads(1)

# The same examples for the same commit, so that a change fails for what it changes; new ones
# are looked for with --hypothesis-profile=default.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.load_profile("steady")

# Files of few tests that take long begin first, so that no process waits for another's at the end.
# While the first one compiles what training and serving need, another process has files that need
# none of it, and both find it compiled afterwards.
LONGEST = (
    "docs/test_commands.py",
    "docs/test_site.py",
    "reliability/test_process.py",
    "test_compat.py",
    "data/market/test_simulation.py",
    "reliability/test_faults.py",
    "distributed/test_runs.py",
    "serving/http/test_run.py",
    "reliability/test_fuzz.py",
    "docs/test_walk_through.py",
    "test_examples.py",
    "serving/commands/test_export.py",
    "tuning/test_study.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order tests by file: the longest, then all others as they were."""
    folder = Path(__file__).parent
    order = {folder / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def write_log(folder: Path, name: str, rows: list[tuple], header: str | None = None) -> Path:
    """Write NAME.inter in its folder and give the parent folder."""
    header = (
        header or "user_id:token\titem_id:token\ttimestamp:float\tbehavior:token\tpurchase:float"
    )
    lines = [header, *("\t".join(str(value) for value in row) for row in rows)]
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / f"{name}.inter").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def random_rows(seed: int = 0, n_events: int = 300, n_users: int = 12, n_items: int = 20) -> list:
    """Rows of a small log in time order, with ties and purchases."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.integers(0, 500, n_events))
    rows = []
    for time in times:
        buys = int(rng.random() < 0.2)
        rows.append(
            (
                f"u{rng.integers(n_users)}",
                f"i{min(rng.geometric(0.15), n_items)}",
                int(time),
                "buy" if buys else "view",
                buys,
            )
        )
    return rows


def write_items(folder: Path, name: str, n_items: int = 20) -> None:
    """Write NAME.item with a category and a price for the items of :func:`random_rows`."""
    rng = np.random.default_rng(0)
    rows = [f"i{item}\tb{item % 3}\t{rng.lognormal(3):.2f}" for item in range(1, n_items + 1)]
    text = "\n".join(["item_id:token\tbrand:token\tprice:float", *rows]) + "\n"
    (folder / name / f"{name}.item").write_text(text, encoding="utf-8")


# Settings for the data set ``priced``, which is ``toy`` and features of its items.
PRICED = {
    "dataset": "priced",
    "load_col": {
        "inter": ["user_id", "item_id", "timestamp", "behavior", "purchase"],
        "item": ["item_id", "brand", "price"],
    },
    "item_features": ["brand", "price"],
}


@pytest.fixture(scope="module")
def double_precision():
    """Compare in float64, where a wrong row cannot hide behind rounding."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data sets ``toy`` and ``priced``, as the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["test"])
    write_items(write_log(tmp_path, "priced", random_rows()), "priced")
    return write_log(tmp_path, "toy", random_rows())


@pytest.fixture
def make_config(toy: Path):
    """Give a function that makes a Config for a model on the toy log."""
    from recbole.config import Config

    def make(model: str, dataset: str = "toy", **options):
        defaults = {
            "data_path": str(toy),
            "event_stream": True,
            "show_progress": False,
            "use_gpu": False,
            "embedding_size": 8,
            "train_batch_size": 32,
            "epochs": 1,
            "topk": [5],
            "valid_metric": "NDCG@5",
        }
        return Config(model=model, dataset=dataset, config_dict={**defaults, **options})

    return make


@pytest.fixture
def prepare(make_config):
    """Give a function that makes config, loaders and a model."""
    from recbole_imn.preparation import make_model

    def run(model: str, **options):
        config = make_config(model, **options)
        return config, *make_model(config)

    return run
