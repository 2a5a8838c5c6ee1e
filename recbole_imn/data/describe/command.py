"""The command ``python -m recbole_imn describe``."""

from __future__ import annotations

import argparse
import json
from logging import getLogger
from pathlib import Path

from recbole_imn.data.atomic import DataError, check_name
from recbole_imn.data.simulated import (
    is_simulated,
    make_simulated,
    nearest_data_set,
    simulated_notice,
)
from recbole_imn.files import replace_text
from recbole_imn.registry import DATA_PATH


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``describe`` and its options to the commands."""
    parser = commands.add_parser("describe", help="figures and plots of a data set")
    parser.add_argument("name", help="name of the data set")
    parser.add_argument("--data_path", type=Path, default=DATA_PATH, help="parent folder")


def run(options: argparse.Namespace) -> int:
    """Print the report, write it beside the data set, and give the exit status.

    Raises
    ------
    DataError
        If the data set is not there or its files are broken.
    """
    # polars is loaded here, and not by training.
    from recbole_imn.data.describe import log as logs
    from recbole_imn.data.describe.measures import measure
    from recbole_imn.data.describe.page import html
    from recbole_imn.data.describe.plots import figures
    from recbole_imn.data.describe.report import text

    check_name(options.name, "NAME")
    name, folder = options.name, options.data_path / options.name
    if not (folder / f"{name}.inter").is_file():
        if not is_simulated(name):
            hint = nearest_data_set(name, options.data_path)
            raise DataError(f"{folder / name}.inter does not exist{hint}; name its data_path")
        make_simulated(name, folder, getLogger())
    log = logs.read_log(folder, name)
    notice = simulated_notice(folder, name)
    report = {"name": name, "simulated": notice is not None, **measure(log)}
    replace_text(folder / f"{name}.report.json", json.dumps(report, indent=2) + "\n")
    replace_text(folder / f"{name}.report.html", html(name, report, figures(log), notice))
    print(text(name, report, notice))
    print(f"\nwritten to {folder / name}.report.json and {folder / name}.report.html")
    return 0
