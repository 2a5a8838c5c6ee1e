"""``python -m recbole_imn similar``: items that are like another one."""

from __future__ import annotations

import argparse
from typing import Any

from recbole_imn.serving.commands import options as shared
from recbole_imn.serving.commands.printing import show


def add_command(commands: Any) -> None:
    """Add ``similar`` and its options to the commands."""
    parser = shared.new_parser(commands, "similar", "rank items by their likeness to another")
    parser.add_argument("--item", required=True, metavar="I")
    shared.add_length(parser)
    shared.add_candidates(parser)
    shared.add_attributes(parser)
    shared.add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Print the list, and give the exit status.

    Raises
    ------
    ValueError
        With one line for people, if something that is asked for does not exist.
    """
    recommender = shared.load(options)
    frame = recommender.similar(
        options.item,
        options.k,
        shared.candidates_of(options),
        shared.attributes_of(options, recommender.attributes),
    )
    moment = recommender.clock.text(recommender.last_time)
    heading = f"like {options.item} on {recommender.data_name} as of {moment}"
    show(frame, options.format, heading, recommender.simulated)
    return 0
