"""``python -m recbole_imn export``: lists for all users, as a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from recbole_imn.arguments import positive
from recbole_imn.errors import ServingError, UsageError
from recbole_imn.places import require_apart
from recbole_imn.serving import Recommender
from recbole_imn.serving.commands import options as shared
from recbole_imn.serving.commands.export.job import Job
from recbole_imn.serving.commands.export.limited import export_limited
from recbole_imn.serving.commands.export.ranking import export
from recbole_imn.serving.commands.export.users import read_users, unknown_users
from recbole_imn.serving.lists import Wish

FORMATS = ("parquet", "csv", "jsonl")


def add_command(commands: Any) -> None:
    """Add ``export`` and its options to the commands."""
    parser = shared.new_parser(commands, "export", "write lists for all users to a file")
    parser.add_argument(
        "--users", default="all", metavar="all|FILE", help="all (default), or a file, one id a line"
    )
    shared.add_length(parser, 100)
    shared.add_moment(parser)
    shared.add_candidates(parser)
    shared.add_exclude(parser)
    shared.add_attributes(parser)
    shared.add_format(parser, FORMATS)
    parser.add_argument(
        "--output",
        metavar="FILE|DIR",
        help="file, or folder for it (default: the checkpoint's name in the present folder)",
    )
    parser.add_argument(
        "--capacity",
        type=positive,
        metavar="N",
        help="put no item on more than N lists; lists are then made together, in memory",
    )
    parser.add_argument(
        "--batch",
        type=positive,
        metavar="N",
        help="users who are scored together (default 256, fewer for large catalogues)",
    )
    parser.add_argument(
        "--restart", action="store_true", help="begin anew, whatever was broken off there"
    )


def run(options: argparse.Namespace) -> int:
    """Write the file, and give the exit status.

    Raises
    ------
    ValueError
        With one line for people, if something that is asked for does not exist, or another
        export was broken off there.
    """
    output = output_file(options.output, options.checkpoint, options.format)
    require_apart([("--output", output)], _files_read(options), ServingError)
    recommender = shared.load(options)
    job = _job(options, recommender, output)
    for line in job.remarks:
        print(line)
    done = (export if job.capacity is None else export_limited)(job, options.restart)
    print(f"{done.n_rows:,} rows for {len(job.users):,} users as of {done.moment}: {job.output}")
    if recommender.simulated:
        print(recommender.simulated)
    return 0


def _files_read(options: argparse.Namespace) -> list[tuple[str, Path]]:
    users = [] if options.users == "all" else [("the file of users", Path(options.users))]
    return [("the checkpoint", options.checkpoint), *users]


def _job(options: argparse.Namespace, recommender: Recommender, output: Path) -> Job:
    users = recommender.users if options.users == "all" else read_users(Path(options.users))
    names = tuple(shared.attributes_of(options, recommender.attributes))
    return Job(
        recommender,
        options.checkpoint,
        tuple(users),
        options.at,
        Wish(options.k, shared.candidates_of(options), options.exclude or (), attributes=names),
        options.format,
        output,
        options.capacity,
        options.batch,
        unknown_users(recommender, users, options.users),
    )


def output_file(output: str | None, checkpoint: Path, form: str) -> Path:
    """Give the file to be written.

    Parameters
    ----------
    output : str or None
        A file, or a folder: one that is there, or whose name ends with a slash.
    checkpoint : Path
    form : str

    Raises
    ------
    UsageError
        If the file's name ends like another format.
    """
    name = f"{checkpoint.stem}.lists.{form}"
    if output is None:
        return Path(name)
    if Path(output).is_dir() or output.endswith(("/", "\\")):
        return Path(output) / name
    ending = Path(output).suffix.removeprefix(".").lower()
    if ending in FORMATS and ending != form:
        raise UsageError(f"{output} would hold {form}; give --format={ending}, or another name")
    return Path(output)
