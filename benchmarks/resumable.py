"""A benchmark that goes on where it was stopped: its end, and records that it finds again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recbole_imn.files import read_json


def conducted(work: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Do a benchmark's work, and give its exit status; what goes wrong is told in one line.

    Parameters
    ----------
    work : callable
    options : argparse.Namespace
        With ``out``, where finished runs are kept.
    """
    try:
        work(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; finished runs are kept in {options.out}", file=sys.stderr)
        return 130
    return 0


def read_record(file: Path, run: dict[str, Any]) -> dict[str, Any]:
    """Give a run's record.

    Parameters
    ----------
    file : Path
    run : dict
        What the record has to be of.

    Raises
    ------
    ValueError
        If the file is no record, or that of another run.
    """
    record: dict[str, Any] = read_json(file, ValueError)
    if record.get("run") != run:
        raise ValueError(
            f"{file} was made with {record.get('run')}, not {run}; choose another --out, or "
            "delete it"
        )
    return record
