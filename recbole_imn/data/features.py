"""Columns of a data set as numeric features v of events and items."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from recbole.utils.enum_type import FeatureSource
from torch import Tensor

from recbole_imn.data.feature_maps import FarValue, FeatureMap, Features
from recbole_imn.data.field_maps import FieldMap
from recbole_imn.data.preparation import Preparation, padded
from recbole_imn.data.scaling import ScaledDataset
from recbole_imn.errors import DataError
from recbole_imn.log import Flags


def event_features(
    dataset: ScaledDataset, log: pd.DataFrame, key: str
) -> tuple[FeatureMap, Features]:
    """Give columns of the log as numbers, as :func:`item_features` does those of items.

    Parameters
    ----------
    dataset : ScaledDataset
        Knows the types of the columns, and the training part.
    log : DataFrame
        In stream order, tokens as ids.
    key : str
        The setting that names the columns.

    Returns
    -------
    FeatureMap
        What was fitted on the training part.
    float32 [n_events, n_features]

    Raises
    ------
    DataError
        If a field is not there or has too many categories, or a number is too far away.
    """
    inter, fields = FeatureSource.INTERACTION, dataset.names(key)
    for field in fields:
        if field not in log:
            raise _missing(dataset, key, field, inter, list(log.columns))
    columns = [_plain(dataset, field, log[field].to_numpy()) for field in fields]
    return _fitted(dataset, key, columns, dataset.in_training, inter)


def item_features(dataset: ScaledDataset, inside: Flags, key: str) -> tuple[FeatureMap, Tensor]:
    """Give item attributes as numbers: categories as 0/1 columns, everything standardised.

    A category is a column of its own; the first column of a field is that of empty cells. A
    sequence of categories has a column a category, and zeros where it is empty. Columns are
    the categories of the training part; others are in no column.

    Parameters
    ----------
    dataset : ScaledDataset
        With ``item_feat`` as an Interaction.
    inside : bool [n_items]
        Items that the training part has an event of.
    key : str
        The setting that names the item fields.

    Returns
    -------
    FeatureMap
        What was fitted on those items.
    float32 [n_items, n_features]
        Row 0 (padding) is 0.

    Raises
    ------
    DataError
        As for :func:`event_features`.
    """
    known, fields = dataset.item_feat, dataset.names(key)
    for field in fields:
        if known is None or field not in known:
            loaded = [] if known is None else known.columns
            raise _missing(dataset, key, field, FeatureSource.ITEM, loaded)
    columns = [_plain(dataset, field, known[field].numpy()) for field in fields]
    fitted, matrix = _fitted(dataset, key, columns, inside, FeatureSource.ITEM)
    matrix[0] = 0
    return fitted, torch.from_numpy(matrix)


def _missing(
    dataset: ScaledDataset, key: str, field: str, source: FeatureSource, loaded: list[str]
) -> DataError:
    """Say what to do about a feature that was not loaded."""
    file = dataset.file(source)
    if not file.is_file():
        reason = f"but there is no {file}"
    elif field in dataset.header(source):
        reason = f"which {file} has, but load_col does not name; name it there as well"
    else:
        reason = f"which {file} does not have; loaded: {', '.join(loaded) or 'nothing'}"
    return DataError(
        f"{key} names {field!r}, {reason}; or leave it out of {key}, which the data set's own "
        "settings name where you give none"
    )


def _fitted(
    dataset: ScaledDataset,
    key: str,
    columns: list[npt.NDArray[Any]],
    inside: Flags,
    source: FeatureSource,
) -> tuple[FeatureMap, Features]:
    """Fit a map on the rows inside the training part, and use it on all."""
    fields = [_field(dataset, field) for field in dataset.names(key)]
    found = FeatureMap.fit(fields, columns, inside, dataset.field2id_token)
    if not fields:
        return found, np.zeros((len(inside), 0), np.float32)
    try:
        matrix = found.transform(columns)
    except FarValue as error:
        line = dataset.line_of(source, error.field, error.value)
        # Numbers that were scaled are on no line of the file.
        place = f", line {line}" if line else ""
        raise DataError(f"{dataset.file(source)}{place}: {error}") from None
    widths = ", ".join(f"{field} {width}" for field, width in found.widths.items())
    dataset.logger.info(f"Columns of {key}: {widths}")
    return found, matrix


def _field(dataset: ScaledDataset, field: str) -> FieldMap:
    """Say what a field of the data set is, before anything is fitted."""
    return FieldMap(
        field,
        dataset.field2type[field].value,
        int(dataset.field2seqlen[field]),
        # Of users and items, every id is kept; new tokens of other fields become empty cells.
        new_is_empty=field in dataset._rest_fields,
        preparation=dataset.preparations.get(field, Preparation()),
    )


def _plain(dataset: ScaledDataset, field: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give a field as a number or an id a row, or a matrix of them."""
    if field in dataset.config["numerical_features"] and field not in dataset.unscaled:
        # RecBole's pairs: a value and 1, or 1 and a bucket.
        values = _products(values)
    if values.dtype != object:
        return values
    # A sequence a row, as the log has them before it becomes tensors.
    return padded(values, dataset.field2seqlen[field])


def _products(pairs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Multiply the pairs of a numerical feature, one a row, or a sequence of them a row."""
    if pairs.dtype != object:
        product: npt.NDArray[Any] = pairs.prod(axis=-1)
        return product
    rows = [np.prod(pair, axis=0) for pair in pairs]
    return np.array(rows, object if np.ndim(rows[0]) else np.float64)
