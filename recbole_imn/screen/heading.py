"""What is said before training: what runs, on which data, and on which rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import recbole_imn
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.processes import group
from recbole_imn.units import DAY


def run_line(config: Any) -> str:
    """Say what runs, and on what machine."""
    device, threads = str(config["device"]), torch.get_num_threads()
    several = f", {group().size} processes" if group().is_several else ""
    return (
        f"recbole_imn {recbole_imn.__version__}: {config['model']} on {config['dataset']}, "
        f"seed {config['seed']}, {device}, {_counted(threads, 'thread')}{several}"
    )


def data_line(config: Any, dataset: Any) -> str:
    """Say what the data set is, and whether it is SIMULATED.

    Parameters
    ----------
    config : recbole.config.Config
    dataset : recbole.data.dataset.Dataset
        Any part of it.
    """
    name = config["dataset"]
    simulated = simulated_notice(Path(config["data_path"]), name) is not None
    users, items = dataset.user_num - 1, dataset.item_num - 1
    facts = [_counted(users, "user"), _counted(items, "item")]
    log = getattr(dataset, "log", None)
    if log is not None:
        facts = [_counted(len(log), "event"), *facts, *_purchases(log), _span(log)]
    return f"{'SIMULATED data ' if simulated else ''}{name}: {', '.join(facts)}"


def rows_line(config: Any, loaders: Sequence[Any]) -> str:
    """Say how many rows there are of each part, and what is ranked for them.

    Parameters
    ----------
    config : recbole.config.Config
    loaders : sequence of recbole.data.dataloader.AbstractDataLoader
        Of training, validation and test.
    """
    train, valid, test = (f"{len(loader._dataset):,}" for loader in loaders)
    return (
        f"rows: {train} for training, {valid} for validation, {test} for the test; "
        f"ranked: {_ranked(config, loaders[2]._dataset.item_num - 1)}"
    )


def _ranked(config: Any, n_items: int) -> str:
    mode = config["eval_args"]["mode"]["test"]
    if mode != "full":
        return f"sampled items ({mode})"
    return "what is for sale" if config["candidates"] == "on_shelf" else f"all {n_items:,} items"


def _purchases(log: Any) -> list[str]:
    share = float(log.purchase.mean())
    return [f"{share:.1%} purchases"] if share else []


def _span(log: Any) -> str:
    days = float(log.time[-1] - log.time[0]) / DAY
    return f"{days:,.1f} days"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
