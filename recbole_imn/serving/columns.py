"""Frames of callers as columns of plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recbole_imn.errors import ServingError

Columns = dict[str, list[Any]]
# What every event has and a model may read among its features.
READ_AS_FEATURES = ("behavior", "purchase")


def with_features(plain: Columns, told: Sequence[Mapping[str, Any]]) -> Columns:
    """Lay the features of events beside what every event has.

    Parameters
    ----------
    plain : dict of str to list
        ``user``, ``item``, ``time``, ``behavior``, ``purchase`` and ``key``.
    told : sequence of mapping
        The features of each event; one that it does not tell is an empty cell.

    Raises
    ------
    ServingError
        If a feature would change what its event says elsewhere.
    """
    columns = dict(plain)
    for name in dict.fromkeys(name for features in told for name in features):
        if name in plain:
            pairs = zip(plain[name], told, strict=True)
            columns[name] = [_cell_told(name, cell, features) for cell, features in pairs]
        else:
            columns[name] = [features.get(name) for features in told]
    return columns


def _cell_told(name: str, cell: Any, features: Mapping[str, Any]) -> Any:
    """Give the cell of what every event has, where features may tell it as well."""
    value = features.get(name)
    # A model may read the kind of action as a feature, which then need not be told twice.
    if cell is None and name in READ_AS_FEATURES:
        return value
    if name in features and str(value) != str(cell):
        raise ServingError(
            f"the feature {name!r} is {value!r}, but every event has a {name} of its own; tell it "
            "there, or call the feature otherwise"
        )
    return cell


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
    if isinstance(value, np.number | np.bool_):
        value = value.item()
    if value is None or (isinstance(value, float) and value != value):
        return None
    # pandas writes times that are missing as NaT, which equals nothing.
    return None if type(value).__name__ in ("NaTType", "NAType") else value
