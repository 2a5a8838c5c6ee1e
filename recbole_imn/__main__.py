"""All commands: ``python -m recbole_imn COMMAND``, or ``recbole-imn COMMAND``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recbole_imn import doctor
from recbole_imn.arguments import OneLineParser
from recbole_imn.command_line import main as train
from recbole_imn.data.atomic import check_name
from recbole_imn.data.convert import command as convert
from recbole_imn.data.describe import command as describe
from recbole_imn.data.market import (
    MarketConfig,
    refuse_real_log,
    simulate,
    statistics_table,
    write_market,
)
from recbole_imn.distributed.ending import refuse_several
from recbole_imn.evaluation.benchmark import command as benchmark
from recbole_imn.files import os_line
from recbole_imn.processes import is_launched
from recbole_imn.serving.commands import explain, recommend, similar, snapshot
from recbole_imn.serving.commands.export import command as export
from recbole_imn.serving.http import run as serve
from recbole_imn.serving.updating import command as update
from recbole_imn.tuning import command as tune

NOTHING = "nothing was written"
INTERRUPTED = {
    "benchmark": "finished runs are kept: the same command goes on from there",
    "export": "what is finished is kept: the same command goes on from there",
    "tune": "finished trials are kept: the same command goes on from there",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["run"]:
        # Its options are settings of RecBole, whatever their names.
        return train(arguments[1:])
    options = argparse.Namespace(command="")
    try:
        _parser().parse_args(arguments, options)
        if is_launched():
            # All of them would write the same files.
            return refuse_several(options.command)
        return doctor.main() if options.command == "doctor" else RUN[options.command](options)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {os_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; {INTERRUPTED.get(options.command, NOTHING)}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = OneLineParser(
        prog="recbole-imn",
        description="IMN-Net and RecBole's sequential models on one event stream; "
        "python -m recbole_imn is the same.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="train and test a model; run --help lists what there is")
    commands.add_parser("doctor", help="versions, mends, devices and folders; what is wrong")
    market = commands.add_parser("simulate", help="make a simulated market as atomic files")
    market.add_argument("name", choices=("czb", "czb-mini"), help="the market's size")
    market.add_argument("--scale", type=float, help="share of the market named, such as 0.1")
    market.add_argument("--seed", type=int, default=1, help="seed of all draws (default 1)")
    market.add_argument(
        "--resource-strength",
        type=float,
        default=1.0,
        help="0: users choose by taste alone; 1: money and stock matter (default); up to 4",
    )
    market.add_argument(
        "--version", type=int, default=2, help="1: the market of earlier results (default 2)"
    )
    market.add_argument("--taste", help="linear or latent (default: latent; version 1: linear)")
    market.add_argument(
        "--output", type=Path, default=Path("atomic_files"), help="parent folder (atomic_files)"
    )
    market.add_argument("--save-as", metavar="NAME", help="name of the data set (default: name)")
    convert.add_command(commands)
    describe.add_command(commands)
    tune.add_command(commands)
    benchmark.add_command(commands)
    for command in (snapshot, recommend, similar, explain, export, update):
        command.add_command(commands)
    serve.add_command(commands)
    return parser


def _simulate(options: argparse.Namespace) -> int:
    config = MarketConfig.named(
        options.name,
        seed=options.seed,
        resource_strength=options.resource_strength,
        version=options.version,
        taste=options.taste,
    )
    if options.scale is not None:
        config = config.scaled(options.scale)
    name = options.save_as or options.name
    check_name(name, "--save-as")
    folder = options.output / name
    refuse_real_log(folder, name)
    log = simulate(config, progress=True)
    write_market(log, folder, name)
    print(statistics_table(log))
    print(f"written to {folder}")
    return 0


RUN = {
    "simulate": _simulate,
    "convert": convert.run,
    "describe": describe.run,
    "tune": tune.run,
    "benchmark": benchmark.run,
    "snapshot": snapshot.run,
    "recommend": recommend.run,
    "similar": similar.run,
    "explain": explain.run,
    "export": export.run,
    "update": update.run,
    "serve": serve.serve,
}


if __name__ == "__main__":
    sys.exit(main())
