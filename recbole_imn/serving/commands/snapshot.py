"""``python -m recbole_imn snapshot``: let a checkpoint do without its data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from recbole_imn.checkpoints import load_data_and_model
from recbole_imn.serving.commands.options import new_parser
from recbole_imn.serving.taking import add_snapshot

# The number of the bound in a data set at which events of a part begin; the last is the end.
PARTS = {"validation": 1, "test": 2, "end": 3}


def add_command(commands: Any) -> None:
    """Add ``snapshot`` and its options to the commands."""
    parser = new_parser(
        commands, "snapshot", "add its market to a checkpoint, which can then be used anywhere"
    )
    parser.add_argument(
        "--data-path", type=Path, metavar="DIR", help="folder of the data sets (as in training)"
    )
    parser.add_argument(
        "--until",
        choices=tuple(PARTS),
        default="end",
        help="what has happened: all before the validation or the test part, or everything",
    )


def run(options: argparse.Namespace) -> int:
    """Write the checkpoint anew, with its snapshot, and give the exit status.

    Raises
    ------
    CheckpointError
        If scores of the model are no function of weights and log, or it cannot be loaded.
    DataError
        If its data set is not there.
    """
    _, model, dataset, *_ = load_data_and_model(str(options.checkpoint), options.data_path)
    stop = int(dataset.event_bounds[PARTS[options.until]])
    add_snapshot(options.checkpoint, model, dataset, stop)
    log = dataset.log
    print(
        f"{options.checkpoint} has a snapshot of {dataset.dataset_name}: {stop:,} of "
        f"{len(log):,} events, {log.n_users - 1:,} users, {log.n_items - 1:,} items"
    )
    return 0
