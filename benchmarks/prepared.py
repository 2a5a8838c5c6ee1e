"""What benchmarks share: a model with its data, and where a figure comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from recbole.config import Config

from recbole_imn import preparation
from recbole_imn.provenance import environment

SIMULATED = Path("atomic_files")


@dataclass
class Prepared:
    """A model with its data, ready to be trained and asked."""

    config: Config
    dataset: Any
    train: Any
    valid: Any
    test: Any
    trainer: Any

    @property
    def model(self) -> torch.nn.Module:
        return self.trainer.model

    @property
    def network(self) -> Any:
        return self.model.network

    @property
    def session(self) -> Any:
        return self.model.session

    @property
    def n_training(self) -> int:
        """Events of the training part."""
        return self.dataset.event_bounds[1]

    def train_on(self, limit: int) -> int:
        """Train on the first events of the log as RecBole's trainer does; give their number."""
        seen = 0
        for batch in self.train:
            self.trainer.optimizer.zero_grad()
            self.model.calculate_loss(batch).backward()
            self.trainer.optimizer.step()
            seen += len(batch)
            if seen >= limit:
                break
        return seen


def prepare(dataset: str, data_path: str | Path, model: str, **settings: Any) -> Prepared:
    """Make a model of RecBole or of the package on a log, by its defaults and some settings."""
    usual = {
        "data_path": str(folder_of(dataset, Path(data_path))),
        "event_stream": True,
        "show_progress": False,
        "use_gpu": False,
        "seed": 1,
    }
    with preparation.no_options():
        config = Config(model=model, dataset=dataset, config_dict={**usual, **settings})
    data, (train, valid, test), trainer = preparation.prepare(config)
    return Prepared(config, data, train, valid, test, trainer)


def folder_of(dataset: str, data_path: Path) -> Path:
    """Give the parent folder of a data set; what is not there is simulated in its own place."""
    there = (data_path / dataset / f"{dataset}.inter").is_file()
    return data_path if there or dataset not in ("czb", "czb-mini") else SIMULATED


def provenance(recorded: Sequence[Mapping[str, str]] = ()) -> str:
    """Give commit, versions and machine as one sentence.

    Parameters
    ----------
    recorded : sequence of mapping
        What runs told of themselves, each of them; this process where there are none. What they
        differ in is listed.
    """
    found = recorded or [environment()]
    names = dict.fromkeys(name for about in found for name in about)
    told = {name: sorted({about.get(name, "not recorded") for about in found}) for name in names}
    return ", ".join(f"{name} {' and '.join(values)}" for name, values in told.items()) + "."
