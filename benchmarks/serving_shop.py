"""A shop to be measured: a checkpoint of untrained weights, and events that come after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recbole_imn.checkpoints import encode_parameters, plain_config
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.serving import Policies, Recommender
from recbole_imn.serving.snapshot import KEY
from recbole_imn.serving.taking import take_snapshot

POLICIES = Policies(duplicate="accept")


@dataclass
class Shop:
    """A checkpoint and what happens next.

    Attributes
    ----------
    name : str
    folder : Path
        For files that come and go.
    checkpoint : Path
    columns : dict of str to list
        The events after the checkpoint, as a shop tells of them.
    users : list of str
    """

    name: str
    folder: Path
    checkpoint: Path
    columns: dict[str, list[Any]]
    users: list[str]

    def recommender(self, **options: Any) -> Recommender:
        """Open the checkpoint; events that are alike are all counted, as the log has them."""
        return Recommender.load(self.checkpoint, policies=POLICIES, **options)

    def batches(self, size: int, events: int) -> Iterator[dict[str, list[Any]]]:
        """Give the events in batches."""
        for start in range(0, min(events, len(self.columns["user"])), size):
            stop = min(start + size, events)
            yield {name: cells[start:stop] for name, cells in self.columns.items()}

    def rows(self, most: int, first: int = 0) -> Iterator[dict[str, Any]]:
        """Give the events one by one."""
        names = list(self.columns)
        cells = zip(*self.columns.values(), strict=True)
        for number, row in enumerate(cells):
            if first <= number < first + most:
                yield dict(zip(names, row, strict=True))

    def some_users(self, n: int) -> list[str]:
        """Draw users, the same ones every time."""
        return [str(user) for user in np.random.default_rng(0).choice(self.users, n)]


def make_shop(dataset: str, data_path: str, events: int, folder: Path) -> Shop:
    """Write a checkpoint as of so many events before a log's end."""
    from recbole.config import Config

    from recbole_imn.preparation import make_model, no_options

    settings = {
        "data_path": data_path,
        "event_stream": True,
        "show_progress": False,
        "use_gpu": False,
    }
    with no_options():
        config = Config(model="IMNNetPlus", dataset=dataset, config_dict=settings)
    data, _, model = make_model(config)
    model.eval()
    stop = len(data.log) - events
    snapshot = take_snapshot(model, data, stop)
    file = folder / "checkpoint.pth"
    values = {
        "config": plain_config(config),
        "epoch": 0,
        "state_dict": model.state_dict(),
        "other_parameter": encode_parameters(model.other_parameter()),
        KEY: snapshot.to_values(),
    }
    write_sealed(file, values, CHECKPOINT)
    columns = told(data, stop, snapshot.origin or 0.0)
    return Shop(dataset, folder, file, columns, list(snapshot.users))


def told(data: Any, start: int, origin: float) -> dict[str, list[Any]]:
    """Give the events of a log from a position on as raw values."""
    log, known = data.log, data.field2id_token
    columns: dict[str, list[Any]] = {
        "user": [str(known[data.uid_field][user]) for user in log.user[start:]],
        "item": [str(known[data.iid_field][item]) for item in log.item[start:]],
        "time": (log.time[start:] + origin).tolist(),
        "behavior": [str(known["behavior"][kind]) for kind in log.behaviour[start:]],
        "key": [f"key-{number}" for number in range(start, len(log))],
    }
    return columns
