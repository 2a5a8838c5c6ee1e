"""One run of a benchmark: ``python -m recbole_imn.evaluation.benchmark.run FOLDER AT_A_TIME``.

AT_A_TIME says how many runs share the machine. A caller's own model is named behind it, as
MODULE:CLASS.

A process of its own has a clean RecBole and a memory of its own to measure. It reads what to
run from a line of its input, and ends when that is closed: with the process that started it.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from recbole.config import Config
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.utils import init_logger
from torch import Tensor, cuda

from recbole_imn.allocator import keep_freed_memory
from recbole_imn.data.features import item_features
from recbole_imn.data.searched import VALIDATION_ENDS
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.errors import DataError
from recbole_imn.evaluation.benchmark.plan import Run
from recbole_imn.evaluation.benchmark.results import read_any_result, write_result
from recbole_imn.evaluation.leaderboards import log_facts
from recbole_imn.evaluation.metrics import difference_warning, metrics_of_ranks
from recbole_imn.evaluation.model_card import Facts, write_card
from recbole_imn.evaluation.ranks import RankRecorder
from recbole_imn.evaluation.shelf import ShelfEvalDataLoader
from recbole_imn.evaluation.slices import described_items, metrics_by_slice, slice_labels
from recbole_imn.files import os_line
from recbole_imn.own_models import register_imported
from recbole_imn.preparation import no_options, prepare
from recbole_imn.provenance import environment, fingerprint
from recbole_imn.quick_start import never_silent
from recbole_imn.resume import IF_STOPPED, until_done
from recbole_imn.tuned import TUNING


class Clock:
    """Times the epochs and validations of a trainer and keeps its learning curve.

    Parameters
    ----------
    trainer : recbole.trainer.Trainer
        Two of its methods are wrapped on this object alone. ``notes`` of it, which are kept
        with the state of its run, are the figures.
    """

    def __init__(self, trainer: Any) -> None:
        self._notes: Any = {"training": 0.0, "validation": 0.0, "curve": []}
        self._trainer, trainer.notes = trainer, self._notes
        self._train, self._validate = trainer._train_epoch, trainer._valid_epoch
        trainer._train_epoch, trainer._valid_epoch = self._timed_train, self._timed_validate

    @property
    def training(self) -> float:
        """Seconds of training."""
        return float(self._notes["training"])

    @property
    def validation(self) -> float:
        """Seconds of validation."""
        return float(self._notes["validation"])

    @property
    def curve(self) -> list[dict[str, float]]:
        """Loss and validation of each epoch."""
        curve: list[dict[str, float]] = self._notes["curve"]
        return curve

    def _timed_train(self, *args: Any, **kwargs: Any) -> Any:
        start = perf_counter()
        loss = self._train(*args, **kwargs)
        self._notes["training"] += perf_counter() - start + self._trainer.run.earlier
        total = sum(loss) if isinstance(loss, tuple) else loss
        self.curve.append({"epoch": len(self.curve) + 1, "loss": float(total)})
        return loss

    def _timed_validate(self, *args: Any, **kwargs: Any) -> Any:
        start = perf_counter()
        score, result = self._validate(*args, **kwargs)
        self._notes["validation"] += perf_counter() - start
        self.curve[-1].update({name: float(value) for name, value in result.items()})
        return score, result


def execute(run: Run, folder: Path, at_a_time: int = 1) -> None:
    """Train and test, and write ``runs/NAME.parquet``, ``runs/NAME.json`` and a model card.

    A run that was stopped goes on where it was.

    Parameters
    ----------
    run : Run
    folder : Path
        Of the benchmark. The checkpoint goes to ``saved/NAME`` in it.
    at_a_time : int
        Runs that share the machine, which is said beside its times.
    """
    before = read_any_result(run, folder) or {}
    with never_silent(), until_done():
        checkpoint = _execute(run, folder, at_a_time)
    _remove_leftovers(checkpoint, before.get("checkpoint", ""))


def _execute(run: Run, folder: Path, at_a_time: int) -> Path:
    """Do all that may be broken off, and give the checkpoint."""
    # The code may change while the run lasts.
    about = environment()
    trainer, train, valid, test = _prepare(run, folder)
    config, dataset = trainer.config, test._dataset
    about["device"] = _device_name(config["device"])
    _require_same_data(run, Path(dataset.dataset_path))
    # Before training, so that a data set without intervals costs nobody an epoch.
    loaders = {protocol: _loader(protocol, config, test) for protocol in run.protocols}
    recorder, clock = RankRecorder(trainer), Clock(trainer)
    trainer.fit(train, valid, saved=True, show_progress=False)
    protocols, tables, seconds = {}, [], {}
    for protocol, loader in loaders.items():
        start = perf_counter()
        official = trainer.evaluate(loader, load_best_model=True, show_progress=False)
        seconds[protocol] = perf_counter() - start
        table = recorder.table()
        protocols[protocol] = _judge(official, table, dataset)
        tables.append(table.assign(candidates=protocol, part="test"))
    if run.protocol.with_validation:
        trainer.evaluate(valid, load_best_model=False, show_progress=False)
        tables.append(recorder.table().assign(candidates=run.protocols[0], part="validation"))
    facts = Facts.of(
        config, simulated_notice(Path(dataset.dataset_path), run.dataset), run.fingerprint, about
    )
    result = {
        **asdict(run),
        "identity": run.identity,
        "settings_from": run.tuned or "defaults",
        "protocol": run.protocol.name,
        "log": log_facts(dataset.log, dataset.event_bounds),
        "simulated": facts.simulated,
        "environment": about,
        "config": facts.config,
        "protocols": protocols,
        "validation": {name: float(value) for name, value in trainer.best_valid_result.items()},
        "epochs": len(clock.curve),
        "curve": clock.curve,
        "seconds": {"training": clock.training, "validation": clock.validation, "test": seconds},
        "events_per_second": len(clock.curve) * dataset.event_bounds[1] / clock.training,
        "runs_at_a_time": at_a_time,
        "peak_memory_mib": peak_memory(),
        "parameters": sum(weight.numel() for weight in trainer.model.parameters()),
        "checkpoint": trainer.saved_model_file,
    }
    write_card(Path(trainer.saved_model_file), facts, tables[0])
    write_result(result, pd.concat(tables), run, folder)
    return Path(trainer.saved_model_file)


def _require_same_data(run: Run, folder: Path) -> None:
    """Refuse data that are not those of the benchmark's other runs.

    Raises
    ------
    DataError
    """
    if fingerprint(folder, run.dataset) != run.fingerprint:
        raise DataError(
            f"{folder / run.dataset}.* changed while the benchmark ran; give the command again"
        )


def _remove_leftovers(checkpoint: Path, before: str) -> None:
    """Remove what unfinished runs left beside a checkpoint, and keep that of the result before.

    Those that could still go on, with other settings, are left alone.
    """
    if any(checkpoint.parent.glob("*.state")):
        return
    kept = {checkpoint.stem, Path(before).stem}
    for file in checkpoint.parent.iterdir():
        if file.suffix in (".pth", ".md") and file.stem not in kept:
            file.unlink()


def _prepare(run: Run, folder: Path) -> tuple[Any, Any, Any, Any]:
    """Make the trainer and the loaders of a run."""
    own = {
        "checkpoint_dir": str(folder / "saved" / run.name),
        "resume": IF_STOPPED,
        TUNING: {VALIDATION_ENDS: run.validation_ends},
    }
    settings = {**run.settings, **own}
    with no_options():
        config = Config(model=run.model, dataset=run.dataset, config_dict=settings)
        init_logger(config)
    _, loaders, trainer = prepare(config)
    return (trainer, *loaders)


def _loader(protocol: str, config: Any, test: Any) -> Any:
    """Give the test rows under a protocol."""
    kind = ShelfEvalDataLoader if protocol == "on_shelf" else FullSortEvalDataLoader
    return kind(config, test._dataset, test._sampler, shuffle=False)


def _judge(official: dict[str, Any], table: pd.DataFrame, dataset: Any) -> dict[str, Any]:
    """Put RecBole's figures beside those of the ranks, with slices."""
    rank, tied = table["rank"].to_numpy(), int((table["ties"] > 0).sum())
    missing = int((rank == float("inf")).sum())
    own = metrics_of_ranks(rank, whole=True)
    recbole = {name: float(value) for name, value in official.items()}
    events = table["event_index"].to_numpy()
    described = described_items(_features_of_items(dataset))
    labels = slice_labels(dataset.past, events, dataset.event_bounds[1], described)
    return {
        "rows": len(table),
        "true_item_not_a_candidate": missing,
        "rows_with_ties": tied,
        "recbole": recbole,
        "metrics": own,
        "warning": difference_warning(own, recbole, tied, missing),
        "slices": metrics_by_slice(labels, rank),
    }


def _features_of_items(dataset: Any) -> Tensor:
    """Give what the data set tells of items, whichever setting names it for the model."""
    if dataset.item_features.shape[1] or not dataset.config["selected_features"]:
        features: Tensor = dataset.item_features
        return features
    inside = np.zeros(dataset.item_num, np.bool_)
    inside[dataset.log.item[dataset.in_training]] = True
    return item_features(dataset, inside, "selected_features")[1]


def _device_name(device: Any) -> str:
    """Name what a model computes on: a GPU by its name, else the processor."""
    return cuda.get_device_name(device) if device.type == "cuda" else f"{device.type}, no GPU"


def peak_memory() -> float:
    """Give the largest memory of this process so far, MiB."""
    import resource

    # Kilobytes everywhere but on macOS.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def end_with_parent(descriptor: int) -> None:
    """End this process when the other end of a pipe is closed, as by the end of its process."""

    def watch() -> None:
        os.read(descriptor, 1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def main(arguments: list[str]) -> int:
    """Execute the run that a line of the input describes."""
    folder, at_a_time, *own = arguments
    values = json.loads(sys.stdin.readline())
    end_with_parent(sys.stdin.fileno())
    keep_freed_memory()
    for name in own:
        register_imported(name)
    values["protocols"] = tuple(values["protocols"])
    try:
        execute(Run(**values), Path(folder), int(at_a_time))
    except OSError as error:
        # The last line is what the benchmark shows.
        traceback.print_exc()
        print(os_line(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
