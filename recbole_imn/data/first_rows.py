"""Rows of items or users by their ids: one row of each counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recbole_imn.data.atomic import line_at
from recbole_imn.errors import DataError


def first_rows_of_each(path: Path, frame: pd.DataFrame, field: str) -> tuple[pd.DataFrame, str]:
    """Keep the first row of each id, as RecBole does, but say so.

    Parameters
    ----------
    path : Path
        The file, for messages.
    frame : DataFrame
        Its rows; the index is the line number minus 2.
    field : str
        The id.

    Returns
    -------
    frame : DataFrame
        A copy.
    note : str
        How many rows are left out; empty if none is.

    Raises
    ------
    DataError
        If an id is empty.
    """
    ids = frame[field]
    unnamed = np.flatnonzero(ids.isna())
    if len(unnamed):
        raise DataError(f"{path}, line {line_at(ids, int(unnamed[0]))}: {field} is empty")
    repeated = ids.duplicated()
    note = ""
    if repeated.any():
        others = ids[repeated]
        note = (
            f"{len(others)} rows of {path.name} repeat an earlier {field}; the first row of each "
            f"counts (line {line_at(others, 0)}: {others.iloc[0]!r})"
        )
    # A copy: pandas 2 warns of changes to what may be a view.
    return frame[~repeated].copy(), note
