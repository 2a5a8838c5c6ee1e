"""Numbers in the cells of atomic files: those that cannot be computed with are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recbole_imn.data.atomic import line_at
from recbole_imn.errors import DataError
from recbole_imn.log import Floats

# RecBole turns all numbers into float32.
LARGEST = float(np.finfo(np.float32).max)
# Beyond nanoseconds since any year of the calendar; squares of such times are still numbers.
LATEST = 1e20


def check_numbers(path: Path, column: pd.Series[Any]) -> None:
    """Check a float column; empty cells are fine.

    Parameters
    ----------
    path : Path
        The file, for messages.
    column : Series of float64
        With the field's name; the index is the line number minus 2.

    Raises
    ------
    DataError
        For the first number that float32 cannot hold.
    """
    bad = np.flatnonzero(column.abs().to_numpy() > LARGEST)
    if len(bad):
        place = int(bad[0])
        raise _refusal(path, column, place, f"{float(column.iloc[place])!r}")


def check_times(path: Path, column: pd.Series[Any]) -> None:
    """Check the times of a log, which are finite already.

    Raises
    ------
    DataError
        For the first that is no time in any unit.
    """
    bad = np.flatnonzero(column.abs().to_numpy() > LATEST)
    if len(bad):
        place = int(bad[0])
        line, value = line_at(column, place), float(column.iloc[place])
        raise DataError(
            f"{path}, line {line}: {column.name} is {value!r}, which is a time in no unit"
        )


def split_numbers(
    path: Path, column: pd.Series[Any], separator: str, limit: int | None, open_end: bool = False
) -> list[Floats]:
    """Split the cells of a float_seq column; an empty cell is an empty sequence.

    Parameters
    ----------
    path : Path
        The file, for messages.
    column : Series of str
        With the field's name; the index is the line number minus 2.
    separator : str
    limit : int, optional
        Numbers of a cell that are read at most.
    open_end : bool
        Whether ``inf`` is allowed.

    Returns
    -------
    list of float64 arrays

    Raises
    ------
    DataError
        For the first cell with something that float32 cannot hold, or that is no number.
    """
    cells = column.fillna("").astype(str)
    numbers = [_split(path, column, place, separator) for place in range(len(cells))]
    lengths = np.array([len(values) for values in numbers])
    flat = np.concatenate([np.empty(0), *numbers])
    fine = np.abs(flat) <= LARGEST
    if open_end:
        fine |= flat == np.inf
    if not fine.all():
        wrong = int(np.flatnonzero(~fine)[0])
        place = int(np.repeat(np.arange(len(lengths)), lengths)[wrong])
        raise _refusal(path, column, place, f"{float(flat[wrong])!r} in {cells.iloc[place]!r}")
    return [values[:limit] for values in numbers]


def _split(path: Path, column: pd.Series[Any], place: int, separator: str) -> Floats:
    cell = column.iloc[place]
    if not isinstance(cell, str):
        return np.empty(0)
    try:
        return np.array([float(value) for value in cell.split(separator) if value])
    except ValueError as error:
        raise DataError(
            f"{path}, line {line_at(column, place)}: {column.name} is {cell!r}, not "
            f"numbers with {separator!r} between"
        ) from error


def _refusal(path: Path, column: pd.Series[Any], place: int, shown: str) -> DataError:
    return DataError(
        f"{path}, line {line_at(column, place)}: {column.name} is {shown}; it must be "
        f"a finite number within ±{LARGEST:.1e}, or an empty cell where it is unknown"
    )
