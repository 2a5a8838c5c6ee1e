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


def feature_columns(
    dataset: StreamDataset, log: pd.DataFrame, fields: Sequence[str], n_training: int
) -> npt.NDArray[np.float32]:
    """Give columns of the log as numbers, as :func:`item_feature_matrix` does those of items.

    Parameters
    ----------
    dataset : StreamDataset
        Knows the types of the columns.
    log : DataFrame
        In stream order, tokens as ids.
    fields : sequence of str
        Names of float or token columns.
    n_training : int
        Number of training events; means and deviations are theirs.

    Returns
    -------
    float32 [n_events, n_features]

    Raises
    ------
    DataError
        If a field is not there or has too many categories.
    """
    for field in fields:
        if field not in log:
            raise DataError(
                f"a feature of events is {field!r}, which is no column that was loaded; "
                f"loaded: {list(log.columns)}; name it in load_col as well"
            )
    columns = [_numbers(dataset, field, log[field].to_numpy()) for field in fields]
    values = np.concatenate([np.zeros((len(log), 0)), *columns], axis=1)
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
    return _numbers(dataset, field, dataset.item_feat[field].numpy())


def _numbers(
    dataset: StreamDataset, field: str, values: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Give a field as columns: a category as one-hot columns, float64 [n, n_columns]."""
    if values.dtype == object:
        # A sequence a row, as the log has them before it becomes tensors.
        values = np.stack(values.tolist())
    if dataset.field2type[field] != FeatureType.TOKEN:
        return np.asarray(values, np.float64).reshape(len(values), -1)
    n_categories = dataset.num(field)
    if n_categories > MAX_CATEGORIES:
        raise DataError(
            f"feature {field!r} has {n_categories} categories; "
            f"at most {MAX_CATEGORIES} are turned into columns"
        )
    one_hot: npt.NDArray[np.float64] = np.eye(n_categories)[values]
    return one_hot
