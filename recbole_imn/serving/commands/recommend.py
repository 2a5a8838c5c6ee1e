"""``python -m recbole_imn recommend``: lists for some users."""

from __future__ import annotations

import argparse
from typing import Any

from recbole_imn.arguments import share
from recbole_imn.serving.commands import options as shared
from recbole_imn.serving.commands.printing import listed, show, tell_strangers


def add_command(commands: Any) -> None:
    """Add ``recommend`` and its options to the commands."""
    parser = shared.new_parser(commands, "recommend", "rank items for users")
    parser.add_argument(
        "--user", action="append", required=True, metavar="U", help="may be given more than once"
    )
    shared.add_length(parser)
    shared.add_moment(parser)
    shared.add_candidates(parser)
    shared.add_exclude(parser)
    parser.add_argument(
        "--diversify",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="0 to 1: how much the items of a list shall differ (default 0)",
    )
    shared.add_attributes(parser)
    shared.add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Print the lists, and give the exit status.

    Raises
    ------
    ValueError
        With one line for people, if something that is asked for does not exist.
    """
    recommender = shared.load(options)
    frame = recommender.recommend_many(
        options.user,
        options.at,
        options.k,
        shared.candidates_of(options),
        options.exclude or (),
        options.diversify,
        shared.attributes_of(options, recommender.attributes),
    )
    if len(options.user) == 1 and options.format == "table":
        frame = frame.drop(columns="user")
    moment = recommender.clock.text(recommender.moment(options.at))
    heading = f"for {listed(options.user)} on {recommender.data_name} as of {moment}"
    show(frame, options.format, heading, recommender.simulated)
    tell_strangers(options.user, recommender, "ranked for")
    return 0
