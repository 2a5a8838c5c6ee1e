"""Trainings with and without something that knows of resources, each with a file of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from recbole.config import Config

from benchmarks.resource_markets import WEEK, Market
from benchmarks.resumable import read_record
from recbole_imn.checkpoints import plain_config
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.files import replace_text
from recbole_imn.log import NO_EVENT
from recbole_imn.preparation import no_options, prepare
from recbole_imn.provenance import commit, fingerprint, versions
from recbole_imn.registry import dataset_config
from recbole_imn.tuning.objective import quiet

Settings = dict[str, Any]
WITHOUT = "without"
BRANCHES: dict[str, Settings] = {
    WITHOUT: {"resource_branch": "none"},
    "simplified, sum": {"resource_branch": "simplified", "fusion": "sum"},
    "simplified, gate": {"resource_branch": "simplified", "fusion": "gate"},
    "full": {"resource_branch": "full", "fusion": "sum"},
}
# By model and by what it has that knows of purchases.
SYSTEMS: dict[str, dict[str, Settings]] = {
    "IMNNet": BRANCHES,
    "IMNNetPlus": {
        **BRANCHES,
        # A term of the mixture instead of a state, with few weights.
        "holdings": {"resource_branch": "none", "terms": ["freshness", "taste", "holdings"]},
    },
}


@dataclass(frozen=True)
class Run:
    """One training on a market.

    Attributes
    ----------
    market : Market
    model, variant : str
        Keys of :data:`SYSTEMS`.
    epochs : int
        At most; the best one on validation is tested.
    """

    market: Market
    model: str
    variant: str
    epochs: int

    def file(self, out: Path) -> Path:
        name = self.variant.replace(",", "").replace(" ", "-")
        return out / self.market.name / f"{self.model}-{name}.json"


def runs_of(market: Market, epochs: int) -> list[Run]:
    """Give all runs on a market."""
    return [
        Run(market, model, variant, epochs)
        for model, variants in SYSTEMS.items()
        for variant in variants
    ]


def finish(market: Market, epochs: int, out: Path) -> Iterator[Run]:
    """Train what is missing on a market, and give each run when it is kept."""
    # Busy threads wait for each other; two trainings side by side use two cores better.
    torch.set_num_threads(1)
    missing = [run for run in runs_of(market, epochs) if not run.file(out).is_file()]
    with TemporaryDirectory() as name:
        for run in missing:
            market.write(Path(name))
            with quiet():  # every market is simulated, as the table says
                record = train(run, Path(name))
            run.file(out).parent.mkdir(parents=True, exist_ok=True)
            replace_text(run.file(out), json.dumps(record) + "\n")
            yield run


def is_finished(market: Market, epochs: int, out: Path) -> bool:
    """Whether all runs on a market are kept."""
    return all(run.file(out).is_file() for run in runs_of(market, epochs))


def read(run: Run, out: Path) -> dict[str, Any]:
    """Give a run's record.

    Raises
    ------
    ValueError
        If the file is no record, or that of another run.
    """
    return read_record(run.file(out), asdict(run))


def train(
    run: Run, folder: Path, on_epoch: Callable[[int, float], None] | None = None
) -> dict[str, Any]:
    """Train a model, and rank the test rows by its best epoch on validation."""
    settings = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        "event_stream": True,
        "use_gpu": False,
        "epochs": run.epochs,
        "seed": run.market.seed,
        "show_progress": False,
        "snapshot": False,
        **SYSTEMS[run.model][run.variant],
    }
    with no_options():
        config = Config(run.model, run.market.name, [str(dataset_config("czb"))], settings)
    dataset, (train_data, valid, test), trainer = prepare(config)
    score, _ = trainer.fit(train_data, valid, verbose=False, callback_fn=on_epoch)
    recorder = RankRecorder(trainer)
    trainer.evaluate(test, load_best_model=True, show_progress=False)
    table = recorder.table()
    events = table["event_index"].to_numpy()
    facts = dataset.past.look_at_events(events)
    recent = (facts.purchase != NO_EVENT) & (facts.since_purchase <= WEEK)
    return {
        "run": asdict(run),
        "simulated": True,
        "provenance": provenance(config),
        "validation": float(score),
        "events": events.tolist(),
        "users": facts.user.tolist(),
        "recent_purchase": recent.tolist(),
        "new_item": (dataset.past.chains.times[events] == 1).tolist(),
        "ranks": table["rank"].tolist(),
    }


def provenance(config: Config) -> dict[str, Any]:
    """Say what one needs to know to repeat a run."""
    return {
        "configuration": plain_config(config)["final"],
        "seed": int(config["seed"]),
        "commit": commit(),
        "versions": versions(),
        "fingerprint": fingerprint(Path(config["data_path"]), config["dataset"]),
    }
