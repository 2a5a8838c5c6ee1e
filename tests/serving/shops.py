"""Checkpoints of small models, trained for a moment, of which recommenders are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recbole_imn.checkpoints import encode_parameters, plain_config
from recbole_imn.checkpoints.sealed import CHECKPOINT, write_sealed
from recbole_imn.serving import Recommender
from recbole_imn.serving.snapshot import KEY
from recbole_imn.serving.taking import take_snapshot
from tests.session.streams import learn


@dataclass
class Shop:
    """A model in RecBole's hands, and its checkpoint as of the beginning of the test part.

    Attributes
    ----------
    model, dataset : object
    test : object
        The loader of the test part.
    file : Path
    start, stop : int
        Events of the test part.
    """

    model: Any
    dataset: Any
    test: Any
    file: Path
    start: int
    stop: int

    def recommender(self, **options: Any) -> Recommender:
        """Open the checkpoint."""
        return Recommender.load(self.file, **options)

    def event(self, number: int) -> dict[str, Any]:
        """Give an event of the log, or several, as a shop would tell of it."""
        return {name: cells[0] for name, cells in self.events(number, number + 1).items()}

    def events(self, start: int, stop: int) -> dict[str, list[Any]]:
        """Give events of the log as columns of raw values."""
        log, known = self.dataset.log, self.dataset.field2id_token
        origin = self.origin
        cells: dict[str, list[Any]] = {
            "user": [str(known["user_id"][user]) for user in log.user[start:stop]],
            "item": [str(known["item_id"][item]) for item in log.item[start:stop]],
            "time": (log.time[start:stop] + origin).tolist(),
            "purchase": log.purchase[start:stop].tolist(),
        }
        if "behavior" in known:
            cells["behavior"] = [str(known["behavior"][one]) for one in log.behaviour[start:stop]]
        for name in self.fields:
            cells[name] = self._raw(name, start, stop)
        return cells

    def told(self, number: int) -> dict[str, Any]:
        """Give an event of the log as arguments of ``observe``."""
        event = self.event(number)
        features = {name: event.pop(name) for name in self.fields}
        return {**event, "features": features}

    @property
    def fields(self) -> list[str]:
        """Fields of events that the model reads."""
        keys = ("event_features", "inventory_features")
        return [f["name"] for key in keys for f in self.model.feature_maps[key]["fields"]]

    @property
    def origin(self) -> float:
        """Epoch seconds of the log's time 0."""
        found = take_origin(self.file)
        return 0.0 if found is None else found

    def _raw(self, name: str, start: int, stop: int) -> list[Any]:
        values = self.dataset.events[name][start:stop]
        known = self.dataset.field2id_token.get(name)
        if known is None:
            return [float(value) for value in values]
        return [None if value == 0 else str(known[value]) for value in values]


def take_origin(file: Path) -> float | None:
    """Read the origin of times from a checkpoint."""
    return torch.load(file, weights_only=True)[KEY]["origin"]


def make_shop(folder: Path, prepared: Any, stop: int | None = None, epochs: int = 1) -> Shop:
    """Train a model for a moment, and write its checkpoint.

    Parameters
    ----------
    folder : Path
        Where the checkpoint goes.
    prepared : tuple
        Config, data set, loaders and model, as ``make_model`` gives them with its config.
    stop : int, optional
        The events before it have happened; those before the test part by default.
    """
    config, dataset, loaders, model = prepared
    learn(model.session, epochs=epochs)
    model.session.weights_changed()
    model.eval()
    start, end = dataset.event_bounds[2:]
    file = folder / f"{config['model']}-{config['dataset']}.pth"
    values = {
        "config": plain_config(config),
        "epoch": 0,
        "state_dict": model.state_dict(),
        "other_parameter": encode_parameters(model.other_parameter()),
        KEY: take_snapshot(model, dataset, start if stop is None else stop).to_values(),
    }
    write_sealed(file, values, CHECKPOINT)
    return Shop(model, dataset, loaders[2], file, start, end)


def ranks_of(scores: np.ndarray, places: list[int]) -> list[int]:
    """How many items are ranked above the one at a place, a row."""
    return [int((row > row[place]).sum()) for row, place in zip(scores, places, strict=True)]


def moment(recommender: Recommender, later: float = 0.0) -> float:
    """Give a moment after the last event, as a shop tells it."""
    return recommender.last_time + later + recommender.clock.origin
