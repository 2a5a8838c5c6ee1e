"""Columns of a data set as numeric features v of events and items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from recbole.utils.enum_type import FeatureType
from torch import Tensor

from recbole_imn.data.atomic import DataError

if TYPE_CHECKING:
    from recbole_imn.data.dataset import StreamDataset

MAX_CATEGORIES = 512


def standardise(
    values: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Scale columns to mean 0 and deviation 1 over the rows of ``reference``, float32."""
    deviation = reference.std(axis=0)
    scaled = (values - reference.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    result: npt.NDArray[np.float32] = scaled.astype(np.float32)
    return result


def numeric_columns(
    log: pd.DataFrame, fields: Sequence[str], n_training: int
) -> npt.NDArray[np.float32]:
    """Give float columns of the log, standardised on the training events.

    Parameters
    ----------
    log : DataFrame
        In stream order.
    fields : sequence of str
        Names of float columns.
    n_training : int
        Number of training events.

    Returns
    -------
    float32 [n_events, n_fields]

    Raises
    ------
    DataError
        If a field is not there or not numeric.
    """
    for field in fields:
        if field not in log or not pd.api.types.is_float_dtype(log[field]):
            raise DataError(
                f"event_features names {field!r}, which is no float column that was loaded; "
                f"loaded: {list(log.columns)}"
            )
    values = log[list(fields)].to_numpy(np.float64).reshape(len(log), -1)
    return standardise(values, values[:n_training])


def item_feature_matrix(
    dataset: StreamDataset, fields: Sequence[str], training_items: npt.NDArray[np.int64]
) -> Tensor:
    """Give item attributes as numbers: categories as one-hot columns, the rest standardised.

    Parameters
    ----------
    dataset : StreamDataset
        With ``item_feat`` as an Interaction.
    fields : sequence of str
        Names of item fields.
    training_items : int64 [n_training]
        Items of the training events; means and deviations are theirs.

    Returns
    -------
    float32 [n_items, n_features]
        Row 0 (padding) is 0.

    Raises
    ------
    DataError
        If a field is not there or has too many categories.
    """
    columns = [_item_columns(dataset, field) for field in fields]
    matrix = np.concatenate([np.zeros((dataset.item_num, 0)), *columns], axis=1)
    scaled = torch.from_numpy(standardise(matrix, matrix[np.unique(training_items)]))
    scaled[0] = 0
    return scaled


def _item_columns(dataset: StreamDataset, field: str) -> npt.NDArray[np.float64]:
    """Give one item field as columns, float64 [n_items, n_columns]."""
    if dataset.item_feat is None or field not in dataset.item_feat:
        loaded = [] if dataset.item_feat is None else dataset.item_feat.columns
        raise DataError(
            f"item_features names {field!r}, which is not among the loaded item fields {loaded}; "
            "name it in load_col as well"
        )
    values: npt.NDArray[Any] = dataset.item_feat[field].numpy()
    if dataset.field2type[field] != FeatureType.TOKEN:
        return values.reshape(len(values), -1).astype(np.float64)
    n_categories = dataset.num(field)
    if n_categories > MAX_CATEGORIES:
        raise DataError(
            f"item feature {field!r} has {n_categories} categories; "
            f"at most {MAX_CATEGORIES} are turned into columns"
        )
    one_hot: npt.NDArray[np.float64] = np.eye(n_categories)[values]
    return one_hot
