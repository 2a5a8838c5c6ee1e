"""The command ``python -m recbole_imn describe``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole_imn.data.atomic import check_name
from recbole_imn.data.describe import log as logs
from recbole_imn.data.describe.measures import profile
from recbole_imn.data.describe.page import html
from recbole_imn.data.describe.report import text
from recbole_imn.data.filters import filters_set
from recbole_imn.data.first_use import provide
from recbole_imn.data.publishing import reading
from recbole_imn.data.simulated import simulated_notice
from recbole_imn.files import replace_text
from recbole_imn.registry import DATA_PATH, dataset_config
from recbole_imn.settings_files import named_files, read_settings


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``describe`` and its options to the commands."""
    parser = commands.add_parser("describe", help="figures and plots of a data set")
    parser.add_argument("name", help="name of the data set")
    parser.add_argument(
        "--data_path", type=Path, default=DATA_PATH, help=f"parent folder ({DATA_PATH})"
    )
    parser.add_argument(
        "--config_files", default="", help="yaml files with settings, such as USER_ID_FIELD"
    )


def run(options: argparse.Namespace) -> int:
    """Print the report, write it beside the data set, and give the exit status.

    Raises
    ------
    DataError
        If the data set is not there or its files are broken.
    """
    check_name(options.name, "NAME")
    name, folder = options.name, options.data_path / options.name
    settings = _settings(name, options)
    _tell_of_filters(settings)
    form = logs.Format.of(settings)
    provide(folder, name, getLogger())
    with reading(folder, name):
        log = logs.read_log(folder, name, form)
        notice = simulated_notice(folder, name)
    found = profile(log)
    report = {"name": name, "simulated": notice is not None, **found.figures}
    print(text(name, report, notice))
    replace_text(folder / f"{name}.report.json", json.dumps(report, indent=2) + "\n")
    replace_text(folder / f"{name}.report.html", html(name, found, log.origin, notice))
    print(f"\nwritten to {folder / name}.report.json and {folder / name}.report.html")
    return 0


def _tell_of_filters(settings: Mapping[str, Any]) -> None:
    """Say that events are shown which training would leave out."""
    named = ", ".join(f"{key}: {value}" for key, value in filters_set(settings).items())
    if named:
        print(f"the whole log is described; training leaves events out by {named}", file=sys.stderr)


def _settings(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Give the settings of the data set and of the files that are named, later ones win."""
    own = dataset_config(name, options.data_path)
    files = [*([own] if own else []), *named_files(options.config_files)]
    return {key: value for file in files for key, value in read_settings(file).items()}
