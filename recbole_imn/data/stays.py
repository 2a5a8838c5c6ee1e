"""Stays of items on the shelf, as the columns ``listed_at`` and ``delisted_at`` tell them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recbole_imn.data.atomic import line_at
from recbole_imn.data.numbers import split_numbers
from recbole_imn.errors import DataError
from recbole_imn.log import Floats, Integers

LISTED, DELISTED = STAYS = "listed_at", "delisted_at"


def split_stays(path: Path, table: pd.DataFrame, separator: str) -> tuple[Integers, Floats, Floats]:
    """Split the cells of a table of items into stays.

    Parameters
    ----------
    path : Path
        The file, for messages.
    table : DataFrame
        With both columns; the index is the line number minus 2.
    separator : str
        Between the numbers of a cell.

    Returns
    -------
    row : int64 [n_stays]
        Row of the table.
    start, end : float64 [n_stays]
        Seconds of the log; infinity where the end is open.

    Raises
    ------
    DataError
        If a cell holds something else, or an item has stays without a beginning or an end, or
        that end before they begin.
    """
    cells = table[[*STAYS]].astype(object).where(table[[*STAYS]].notna(), "")
    starts, ends = (
        split_numbers(path, cells[name].astype(str), separator, None, name == DELISTED)
        for name in STAYS
    )
    counts = np.array([len(stays) for stays in starts], np.int64)
    uneven = np.flatnonzero(counts != [len(stays) for stays in ends])
    if len(uneven):
        rule = "each stay needs both (inf for an open end)"
        raise _refusal(path, cells, int(uneven[0]), rule)
    row = np.repeat(np.arange(len(table)), counts)
    start, end = (np.concatenate([np.empty(0), *stays]) for stays in (starts, ends))
    wrong = np.flatnonzero(~(start <= end))
    if len(wrong):
        raise _refusal(path, cells, int(row[wrong[0]]), "a stay must not end before it begins")
    return row, start, end


def _refusal(path: Path, cells: pd.DataFrame, row: int, rule: str) -> DataError:
    listed, delisted = cells.iloc[row]
    return DataError(
        f"{path}, line {line_at(cells, row)}: {LISTED} is {str(listed)!r} and {DELISTED} "
        f"{str(delisted)!r}; {rule}"
    )
