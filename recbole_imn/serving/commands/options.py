"""Options that commands of serving share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recbole_imn.arguments import positive
from recbole_imn.errors import ServingError
from recbole_imn.serving import Recommender
from recbole_imn.serving.names import OWN_COLUMNS

FORMATS = ("table", "csv", "jsonl")


def new_parser(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    """Add a command that works on a checkpoint.

    Parameters
    ----------
    commands : argparse._SubParsersAction
    name, text : str
        Of the command, and what it does.
    """
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, allow_abbrev=False)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="file of a model")
    return parser


def add_moment(parser: argparse.ArgumentParser) -> None:
    """Add the moment that lists are for."""
    parser.add_argument(
        "--at",
        metavar="MOMENT",
        help="epoch seconds, ISO 8601, or now (default: the time of the last event)",
    )


def add_candidates(parser: argparse.ArgumentParser) -> None:
    """Add which items are ranked."""
    parser.add_argument(
        "--candidates",
        choices=("all", "on_shelf"),
        default="all",
        help="the whole catalogue (default), or what is for sale",
    )


def add_exclude(parser: argparse.ArgumentParser) -> None:
    """Add which items of a user's past are left out."""
    parser.add_argument(
        "--exclude", choices=("seen", "purchased"), help="leave out what a user has had already"
    )


def add_attributes(parser: argparse.ArgumentParser) -> None:
    """Add what is told of each item."""
    parser.add_argument(
        "--attributes",
        default="",
        metavar="A,B",
        help="columns of the item file to be told of each item, such as title,price, or all",
    )


def add_length(parser: argparse.ArgumentParser, length: int = 10) -> None:
    """Add the length of a list."""
    parser.add_argument(
        "--k", type=positive, default=length, help=f"length of a list (default {length})"
    )


def add_format(parser: argparse.ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    """Add the form of what is printed."""
    parser.add_argument(
        "--format", choices=formats, default=formats[0], help=f"default {formats[0]}"
    )


def load(options: argparse.Namespace) -> Recommender:
    """Open the checkpoint that is named.

    Raises
    ------
    CheckpointError
        If it cannot be used.
    """
    return Recommender.load(options.checkpoint)


def candidates_of(options: argparse.Namespace) -> Any:
    """Give the candidates as the recommender takes them."""
    return None if options.candidates == "all" else options.candidates


def attributes_of(options: argparse.Namespace, known: Sequence[str]) -> list[str]:
    """Give the names of the attributes that are asked for.

    Raises
    ------
    ServingError
        If one is not known, or comes twice.
    """
    if options.attributes == "all":
        return [name for name in known if name not in OWN_COLUMNS]
    names = [name.strip() for name in options.attributes.split(",") if name.strip()]
    for name in names:
        if name not in known:
            there = ", ".join(known) or "there are none"
            raise ServingError(f"--attributes names {name!r}, which items do not have ({there})")
        if names.count(name) > 1:
            raise ServingError(f"--attributes names {name!r} twice; name it once")
    return names
