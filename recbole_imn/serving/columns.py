"""Frames of callers as columns of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole_imn.errors import ServingError

Columns = dict[str, list[Any]]


def columns_of(frame: Any) -> Columns:
    """Give a table's columns as lists; what is missing in a cell is None.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or mapping of str to sequence

    Raises
    ------
    ServingError
        If it is no table.
    """
    if hasattr(frame, "to_dicts"):
        columns = frame.to_dict(as_series=False)
    elif hasattr(frame, "iloc"):
        columns = {name: frame[name].tolist() for name in frame.columns}
    elif isinstance(frame, Mapping):
        columns = {name: list(values) for name, values in frame.items()}
    else:
        raise ServingError(
            f"a {type(frame).__name__} is no table; give a frame of pandas or polars, or columns "
            "by name"
        )
    lengths = {str(name): len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ServingError(f"columns have different lengths: {lengths}")
    return {str(name): [_cell(value) for value in values] for name, values in columns.items()}


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and value != value):
        return None
    # pandas writes times that are missing as NaT, which equals nothing.
    return None if type(value).__name__ in ("NaTType", "NAType") else value
