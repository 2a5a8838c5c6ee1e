"""The command ``python -m recbole_imn convert``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from recbole_imn.data.atomic import check_name
from recbole_imn.data.convert import ijcai16, item_files, jodie, retailrocket, table
from recbole_imn.data.convert.engine import convert
from recbole_imn.data.convert.file_actions import parse_file_actions, require_inputs
from recbole_imn.data.convert.mapping import entries, read_mapping
from recbole_imn.data.convert.source import DUPLICATE_RULES, MAX_BAD, Source
from recbole_imn.errors import DataError
from recbole_imn.registry import DATA_PATH

SOURCES = {
    "czb": "the CheZhiBao platform's event log, with an optional car table and images",
    "ijcai16": "ijcai2016_taobao.csv, or RecBole's two Tmall downloads",
    "retailrocket": "the folder with events.csv and item_properties*.csv",
    "jodie": "a CSV of JODIE's data sets: user, item, timestamp, state label, features",
    "csv": "any table, text, JSON lines or parquet; its columns user, item, time, behavior and "
    "purchase are found, others are named by options or a --mapping",
}
# Options that only tables with a mapping have, as (option, key of the mapping's columns).
COLUMN_OPTIONS = {
    "user": "user_id",
    "item": "item_id",
    "time": "timestamp",
    "behavior": "behavior",
    "purchase_column": "purchase",
}
SETTING_OPTIONS = ("time_format", "time_zone", "separator", "quoting", "header", "encoding")
MAPPED_ONLY = (
    *COLUMN_OPTIONS,
    *SETTING_OPTIONS,
    *("file_action", "purchase", "mapping", "items", "images"),
)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``convert`` and its options to the commands."""
    sources = "; ".join(f"{name}: {text}" for name, text in SOURCES.items())
    parser = commands.add_parser("convert", help="make atomic files of a real log", epilog=sources)
    parser.add_argument("source", choices=tuple(SOURCES), help="where the log comes from")
    parser.add_argument(
        "--input", type=Path, action="append", required=True, help="a file or folder; repeatable"
    )
    parser.add_argument("--name", required=True, help="name of the data set")
    parser.add_argument(
        "--output", type=Path, default=DATA_PATH, help=f"parent folder ({DATA_PATH})"
    )
    parser.add_argument(
        "--max-bad",
        type=float,
        default=MAX_BAD,
        help=f"largest share of bad rows of a file, 0..1 (default {MAX_BAD}); beyond it nothing is "
        "written but NAME.rejected.csv",
    )
    parser.add_argument(
        "--duplicates",
        choices=DUPLICATE_RULES,
        default=DUPLICATE_RULES[0],
        help="write all events equal in user, item, time and action (default), or the first",
    )
    parser.add_argument(
        "--label-is-purchase", action="store_true", help="jodie: state label 1 is a purchase"
    )
    _add_mapping_options(parser)


def _add_mapping_options(parser: argparse.ArgumentParser) -> None:
    group = add_table_options(parser, "csv and czb")
    group.add_argument("--items", type=Path, metavar="FILE", help="a table of items")
    group.add_argument("--images", type=Path, metavar="PATH", help="folder of ITEM.npy, or X.npy")
    group.add_argument(
        "--image-width",
        type=int,
        default=32,
        metavar="N",
        help="components of images that training keeps (default 32), found in its own part; the "
        "summary says what to set for others",
    )


def add_table_options(parser: argparse.ArgumentParser, title: str) -> argparse._ArgumentGroup:
    """Add the options that say how a table of events is to be read, and give their group."""
    group = parser.add_argument_group(title, "a COLUMN is a name or a position from 1")
    group.add_argument("--user", metavar="COLUMN", help="who")
    group.add_argument("--item", metavar="COLUMN", help="what")
    group.add_argument("--time", metavar="COLUMN[,CLOCK]", help="when; date and clock may be apart")
    group.add_argument("--behavior", metavar="COLUMN", help="kind of action")
    group.add_argument(
        "--file-action",
        action="append",
        metavar="FILE=ACTION",
        help="action that all rows of a file are, where no column has it; FILE is a name, or a "
        "pattern such as views-*.csv",
    )
    group.add_argument(
        "--purchase",
        metavar="ACTION,...",
        help="actions that are purchases; all, where every row is one",
    )
    group.add_argument("--purchase-column", metavar="COLUMN", help="1 for purchases, else 0")
    group.add_argument("--time-format", help="auto, seconds, milliseconds, or like %%d/%%m/%%Y %%R")
    group.add_argument("--time-zone", help="such as Asia/Shanghai (csv: UTC)")
    group.add_argument("--separator", help="one character or several (default: found)")
    group.add_argument("--quoting", help="double (default), or none: quotes are plain characters")
    group.add_argument("--header", help="true, false or auto (default): is the first line one")
    group.add_argument("--encoding", help="such as gbk (default utf-8)")
    group.add_argument("--mapping", type=Path, metavar="FILE", help="yaml with all of these")
    return group


def run(options: argparse.Namespace) -> int:
    """Convert as the options say, and give the exit status.

    Raises
    ------
    DataError
        If the options make no sense or the files cannot be converted.
    """
    if not 0 <= options.max_bad <= 1:
        raise DataError(f"--max-bad is {options.max_bad}; it is a share and must be in 0..1")
    check_name(options.name, "--name")

    source = _source(options)
    job = convert(source, options.output, options.name, options.max_bad, options.duplicates)
    print(job.text())
    return 0


def _source(options: argparse.Namespace) -> Source:
    is_mapped = options.source in ("csv", "czb")
    for name in () if is_mapped else MAPPED_ONLY:
        if getattr(options, name) is not None:
            raise DataError(f"--{name.replace('_', '-')} is for csv and czb, not {options.source}")
    if options.label_is_purchase and options.source != "jodie":
        raise DataError(f"--label-is-purchase is for jodie, not {options.source}")
    if is_mapped:
        extras = item_files.Extras(options.items, options.images, options.image_width)
        settings = table_settings(options)
        require_inputs(settings, options.input)
        if options.source == "czb":
            return table.read_czb(options.input, settings, extras)
        return table.read_table("csv", options.input, settings, extras)
    if options.source == "jodie":
        return jodie.read(options.input, options.label_is_purchase)
    return (
        ijcai16.read(options.input)
        if options.source == "ijcai16"
        else retailrocket.read(options.input)
    )


def table_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Put the options of :func:`add_table_options` over the mapping file that they name.

    Raises
    ------
    DataError
        If that file cannot be read.
    """
    settings = read_mapping(options.mapping) if options.mapping else {}
    columns = {
        role: _place(getattr(options, option), role)
        for option, role in COLUMN_OPTIONS.items()
        if getattr(options, option) is not None
    }
    if columns:
        settings["columns"] = {**entries(settings, "columns"), **columns}
    if options.file_action is not None:
        settings["file_actions"] = parse_file_actions(options.file_action)
    if options.purchase is not None:
        settings["purchases"] = [name.strip() for name in options.purchase.split(",")]
    for option in SETTING_OPTIONS:
        if getattr(options, option) is not None:
            settings[option] = getattr(options, option)
    return settings


def _place(text: str, role: str) -> int | str | list[int]:
    """Read a position or a name; two positions for the date and the clock of a time."""
    parts = text.split(",")
    if role == "timestamp" and len(parts) == 2 and all(part.isdigit() for part in parts):
        return [int(part) for part in parts]
    return int(text) if text.isdigit() else text
