"""The command ``python -m recbole_imn update``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from recbole_imn.arguments import positive
from recbole_imn.data.convert.command import add_table_options, table_settings
from recbole_imn.errors import DataError, UsageError
from recbole_imn.places import require_apart
from recbole_imn.serving.policies import Repeated
from recbole_imn.serving.spans import counted
from recbole_imn.serving.updating.card import card_beside, write_card
from recbole_imn.serving.updating.update import Updated, files_read, output_beside, update
from recbole_imn.serving.updating.wishes import Keep, Since, Wishes

EPILOG = (
    "The events are new ones alone, or some that the log of the checkpoint has and then new ones; "
    "they must repeat it to its end, event by event. Columns are found that are called user or "
    "user_id, item or item_id, time or timestamp, behavior and purchase; options name others. "
    "Atomic files (.inter) are read as well, with times in seconds of the log. The old checkpoint "
    "stays as it is until the new one is complete."
)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``update`` and its options to the commands."""
    parser = commands.add_parser(
        "update", help="bring a checkpoint up to date with new events", epilog=EPILOG
    )
    parser.add_argument("checkpoint", type=Path, help="a checkpoint with a snapshot")
    parser.add_argument(
        "--events", type=Path, action="append", required=True, help="a file; repeatable"
    )
    parser.add_argument("--items", type=Path, metavar="FILE", help="a table of items")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: beside the old one")
    parser.add_argument(
        "--card", type=Path, metavar="FILE.md", help="default: OUTPUT.update.md; json beside it"
    )
    parser.add_argument(
        "--duplicates",
        choices=get_args(Repeated),
        default="drop",
        help="events equal to one before in user, item, time and action (default drop)",
    )
    parser.add_argument("--quiet", action="store_true", help="show no bars")
    group = parser.add_argument_group("training")
    group.add_argument("--train", action="store_true", help="go on training")
    group.add_argument("--epochs", type=positive, metavar="N", help="default 1")
    group.add_argument(
        "--since",
        choices=get_args(Since),
        help="learn from the new events (default), or from all that training never saw",
    )
    group.add_argument(
        "--validation",
        type=float,
        metavar="SHARE",
        help="last share of the new events, which judge old and new weights (default 0.1)",
    )
    group.add_argument(
        "--keep",
        choices=get_args(Keep),
        help="which weights; better (default): the new ones unless they are worse",
    )
    add_table_options(parser, "the files")


def run(options: argparse.Namespace) -> int:
    """Update as the options say, and give the exit status.

    Raises
    ------
    DataError
        If the options make no sense, or a file cannot be taken.
    CheckpointError
        If the checkpoint cannot be used.
    DivergenceError
        If training blows up; nothing was written then.
    """
    wishes = Wishes(
        table_settings(options),
        options.items,
        options.duplicates,
        options.train,
        **_training(options),
        progress=not options.quiet and sys.stderr.isatty(),
    )
    _refuse_places(options)
    done = update(options.checkpoint, options.events, options.output, wishes)
    for note in done.notes:
        print(note)
    files = ", ".join(map(str, options.events))
    if not done.changed:
        print(f"{files}: nothing is new; nothing was written")
        return 0
    card = options.card or card_beside(done.output)
    write_card(done, wishes, card)
    for line in _lines(done):
        print(line)
    print(f"written to {done.output}, and told in {card}")
    return 0


def _training(options: argparse.Namespace) -> dict[str, Any]:
    """Give what is said of training.

    Raises
    ------
    UsageError
        If there is to be none.
    """
    names = "epochs", "since", "validation", "keep"
    told = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if told and not options.train:
        raise UsageError(f"--{next(iter(told))} is about training; give --train as well")
    return told


def _refuse_places(options: argparse.Namespace) -> None:
    """Refuse to write over what is read, or one thing over another.

    Raises
    ------
    DataError
    """
    if options.card is not None and options.card.suffix == ".json":
        raise DataError(f"--card is {options.card}; it is a text such as card.md, json beside it")
    output = options.output or output_beside(options.checkpoint)
    card = options.card or card_beside(output)
    read = files_read(options.events, options.items)
    if options.mapping is not None:
        read.append(("the mapping", options.mapping))
    # The old checkpoint may be replaced by the new one, and by nothing else.
    require_apart([("--output", output)], read, DataError)
    told = [("--card", card), ("the json beside the card", card.with_suffix(".json"))]
    checkpoints = [("the checkpoint", options.checkpoint), ("the new checkpoint", output)]
    require_apart(told, [*checkpoints, *read], DataError)


def _lines(done: Updated) -> list[str]:
    """Say what has been done."""
    n_users, n_items = (after - before for before, after in (done.users, done.items))
    dropped = "".join(f", {n:,} left out: {why}" for why, n in done.observed.dropped.items())
    lines = [
        f"{counted(done.observed.accepted, 'new event')} ({done.known_rows:,} known already"
        f"{dropped}), {counted(n_users, 'new user')}, {counted(n_items, 'new item')}"
    ]
    if done.learned is None:
        return lines
    judged = done.learned.judgement
    for name, metrics in (("old", judged.old), ("new", judged.new), ("history", judged.history)):
        shown = ", ".join(f"{key} {value:.4f}" for key, value in metrics.items())
        lines.append(f"{name:>8}: {shown}")
    compared = judged.comparison
    return [
        *lines,
        f"the {done.learned.kept} weights were kept: ndcg@10 {compared.figure} "
        f"on {judged.rows:,} rows",
    ]
