"""Small logs with attributes of every kind, and models that have seen them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.conftest import random_rows, write_log

COLUMNS = ["user_id", "item_id", "timestamp", "behavior", "purchase"]
HEADER = "user_id:token\titem_id:token\ttimestamp:float\tbehavior:token\tpurchase:float"
N_ITEMS = 20


def rich_rows(n_events: int = 300) -> list[list[Any]]:
    """Rows of a log with a price, a kind and tags of each event."""
    rng = np.random.default_rng(1)
    rows: list[list[Any]] = []
    for row in random_rows(n_events=n_events):
        tags = " ".join(f"t{tag}" for tag in rng.permutation(4)[: rng.integers(0, 3)])
        rows.append([*row, f"{rng.lognormal():.3f}", f"k{rng.integers(3)}", tags])
    return rows


RICH_HEADER = f"{HEADER}\tpaid:float\tkind:token\ttags:token_seq"


def rich_items(n_items: int = N_ITEMS) -> dict[str, list[str]]:
    """Attributes of the items of :func:`rich_rows`, as cells by item."""
    rng = np.random.default_rng(2)
    return {
        f"i{item}": [
            f"b{item % 3}",
            f"{rng.lognormal(3):.2f}",
            " ".join(f"g{genre}" for genre in sorted(rng.permutation(5)[: rng.integers(0, 4)])),
            f"{rng.normal():.3f} {rng.normal():.3f}",
        ]
        for item in range(1, n_items + 1)
    }


ITEM_HEADER = "item_id:token\tbrand:token\tprice:float\tgenres:token_seq\timage:float_seq"
RICH = {
    "load_col": {
        "inter": [*COLUMNS, "paid", "kind", "tags"],
        "item": ["item_id", "brand", "price", "genres", "image"],
    },
    "event_features": ["paid", "kind", "tags"],
    "item_features": ["brand", "price", "genres", "image"],
}

# The cross-entropy over the whole catalogue draws no negatives.
CE = {"train_neg_sample_args": None}


def write_items(
    folder: Path, name: str, items: dict[str, list[str]], header: str = ITEM_HEADER
) -> None:
    """Write NAME.item from cells by item."""
    lines = [header, *("\t".join([item, *cells]) for item, cells in items.items())]
    (folder / name / f"{name}.item").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_rich(
    folder: Path,
    name: str,
    rows: list[list[Any]] | None = None,
    items: dict[str, list[str]] | None = None,
) -> None:
    """Write a log and its items."""
    write_log(folder, name, [tuple(row) for row in rows or rich_rows()], RICH_HEADER)
    write_items(folder, name, rich_items() if items is None else items)


def train(model: Any, loader: Any) -> list[float]:
    """Train for an epoch and give the losses."""
    torch.manual_seed(0)
    # Of the tables, gradients are sparse.
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for batch in loader:
        optimizer.zero_grad()
        loss = model.calculate_loss(batch)
        loss = sum(loss) if isinstance(loss, tuple) else loss
        if loss.requires_grad:
            loss.backward()
            optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def scores_of(model: Any, part: Any, n_rows: int | None = None) -> torch.Tensor:
    """Score the first rows of a part."""
    model.eval()
    rows = part[np.arange(len(part) if n_rows is None else n_rows)]
    with torch.no_grad():
        scores: torch.Tensor = model.full_sort_predict(rows)
    return scores.view(len(rows), -1)
