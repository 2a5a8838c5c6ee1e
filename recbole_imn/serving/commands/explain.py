"""``python -m recbole_imn explain``: why an item has its place for a user."""

from __future__ import annotations

import argparse
import json
from typing import Any

from recbole_imn.serving.commands import options as shared
from recbole_imn.serving.commands.printing import show, tell_strangers


def add_command(commands: Any) -> None:
    """Add ``explain`` and its options to the commands."""
    parser = shared.new_parser(commands, "explain", "say why an item has its place for a user")
    parser.add_argument("--user", required=True, metavar="U")
    parser.add_argument("--item", required=True, metavar="I")
    shared.add_moment(parser)
    shared.add_candidates(parser)
    parser.add_argument(
        "--purchases",
        type=int,
        default=1,
        metavar="N",
        help="what the user's last N purchases have changed (default 1; 0: do not ask)",
    )
    shared.add_format(parser, ("table", "json"))


def run(options: argparse.Namespace) -> int:
    """Print the explanation, and give the exit status.

    Raises
    ------
    ValueError
        With one line for people, if something that is asked for does not exist.
    """
    recommender = shared.load(options)
    found = recommender.explain(
        options.user,
        options.item,
        options.at,
        purchases=options.purchases,
        candidates=shared.candidates_of(options),
    )
    tell_strangers([options.user], recommender, "explained")
    if options.format == "json":
        print(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
        return 0
    show(found.to_frame(), "table", found.sentence, recommender.simulated)
    return 0
