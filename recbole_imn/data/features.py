"""Columns of a data set as numeric features v of events and items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from recbole.utils.enum_type import FeatureSource, FeatureType
from torch import Tensor

from recbole_imn.data.atomic import DataError

if TYPE_CHECKING:
    from recbole_imn.data.dataset import StreamDataset

MAX_CATEGORIES = 512
# Squares of features must still be numbers of float32.
LARGEST_FEATURE = 1e18

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def standardise(values: Floats, reference: Floats) -> npt.NDArray[np.float32]:
    """Scale columns to mean 0 and deviation 1 over the rows of ``reference``, float32."""
    deviation, mean = reference.std(axis=0), reference.mean(axis=0)
    if len(reference):
        # Of equal numbers, rounding may leave a tiny deviation that would blow up all others.
        equal = reference.min(axis=0) == reference.max(axis=0)
        deviation, mean = np.where(equal, 1.0, deviation), np.where(equal, reference[0], mean)
    scaled = (values - mean) / deviation
    # What is too large becomes infinite here, and is refused with its line.
    with np.errstate(over="ignore"):
        result: npt.NDArray[np.float32] = scaled.astype(np.float32)
    return result


def feature_columns(dataset: StreamDataset, log: pd.DataFrame, key: str) -> npt.NDArray[np.float32]:
    """Give columns of the log as numbers, as :func:`item_feature_matrix` does those of items.

    Parameters
    ----------
    dataset : StreamDataset
        Knows the types of the columns, and the training part.
    log : DataFrame
        In stream order, tokens as ids.
    key : str
        The setting that names the columns.

    Returns
    -------
    float32 [n_events, n_features]

    Raises
    ------
    DataError
        If a field is not there or has too many categories, or a number is too far away.
    """
    inter = FeatureSource.INTERACTION
    fields = dataset.names(key)
    for field in fields:
        if field not in log:
            raise _missing(dataset, key, field, inter, list(log.columns))
    columns = [log[field].to_numpy() for field in fields]
    return _matrix(dataset, key, fields, columns, dataset.in_training, inter)


def item_feature_matrix(dataset: StreamDataset, key: str) -> Tensor:
    """Give item attributes as numbers: categories as 0/1 columns, everything standardised.

    A category is a column of its own; the first column of a field is that of empty cells. A
    sequence of categories has a column a category, and zeros where it is empty. Columns are
    the categories of the training part; others are in no column.

    Parameters
    ----------
    dataset : StreamDataset
        With ``item_feat`` as an Interaction.
    key : str
        The setting that names the item fields.

    Returns
    -------
    float32 [n_items, n_features]
        Row 0 (padding) is 0.

    Raises
    ------
    DataError
        As for :func:`feature_columns`.
    """
    known, fields = dataset.item_feat, dataset.names(key)
    for field in fields:
        if known is None or field not in known:
            columns = [] if known is None else known.columns
            raise _missing(dataset, key, field, FeatureSource.ITEM, columns)
    inside = np.zeros(dataset.item_num, np.bool_)
    inside[dataset.stream.item[dataset.in_training]] = True
    columns = [known[field].numpy() for field in fields]
    matrix = _matrix(dataset, key, fields, columns, inside, FeatureSource.ITEM)
    matrix[0] = 0
    return torch.from_numpy(matrix)


def _missing(
    dataset: StreamDataset, key: str, field: str, source: FeatureSource, loaded: list[str]
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


def _matrix(
    dataset: StreamDataset,
    key: str,
    fields: list[str],
    columns: Sequence[npt.NDArray[Any]],
    inside: Flags,
    source: FeatureSource,
) -> npt.NDArray[np.float32]:
    """Put fields side by side, standardised by the rows inside the training part."""
    parts = [
        _numbers(dataset, field, values, inside)
        for field, values in zip(fields, columns, strict=True)
    ]
    numbers = np.concatenate([np.zeros((len(inside), 0)), *parts], axis=1)
    reference = rows_inside(numbers, inside)
    matrix = standardise(numbers, reference)
    owners = [field for field, part in zip(fields, parts, strict=True) for _ in part.T]
    _forget_constants(dataset, owners, matrix, reference)
    far = np.argwhere(~(np.abs(matrix) < LARGEST_FEATURE))
    if len(far):
        row, column = far[0]
        raise _too_far(dataset, owners[column], float(numbers[row, column]), source)
    if fields:
        widths = [f"{field} {owners.count(field)}" for field in fields]
        dataset.logger.info(f"Columns of {key}: {', '.join(widths)}")
    return matrix


def _forget_constants(
    dataset: StreamDataset,
    owners: list[str],
    matrix: npt.NDArray[np.float32],
    reference: Floats,
) -> None:
    """Set columns of numbers to 0 that never change in training: others have no scale there.

    They would enter at their full size, by weights that nothing has trained.
    """
    for column, field in enumerate(owners):
        later = matrix[:, column] != 0
        is_number = dataset.field2type[field] in (FeatureType.FLOAT, FeatureType.FLOAT_SEQ)
        if is_number and later.any() and np.ptp(reference[:, column]) == 0:
            dataset.logger.warning(
                f"{field} is {reference[0, column]:g} in all of the training part, so that nothing "
                f"can be learnt of it; {int(later.sum())} other values count as the same"
            )
            matrix[later, column] = 0


def rows_inside(values: Floats, inside: Flags) -> Floats:
    """Give the rows inside the training part, as a view where they come first."""
    n_inside = int(inside.sum())
    return values[:n_inside] if inside[:n_inside].all() else values[np.flatnonzero(inside)]


def _too_far(dataset: StreamDataset, field: str, value: float, source: FeatureSource) -> DataError:
    line = dataset.line_of(source, field, value)
    return DataError(
        f"{dataset.file(source)}, line {line}: {field} is {value:g}, too far from all numbers of "
        "the training part to be computed with"
    )


def _numbers(dataset: StreamDataset, field: str, values: npt.NDArray[Any], inside: Flags) -> Floats:
    """Give a field as columns, float64 [n, n_columns]."""
    kind, width = dataset.field2type[field], dataset.field2seqlen[field]
    if field in dataset.config["numerical_features"] and field not in dataset.unscaled:
        # RecBole's pairs: a value and 1, or 1 and a bucket.
        values = _products(values)
    if values.dtype == object:
        # A sequence a row, as the log has them before it becomes tensors.
        values = _padded(values, width)
    if kind == FeatureType.TOKEN:
        known = np.union1d(0, values[inside])
        _check_number(field, len(known))
        one_hot: Floats = (values[:, None] == known).astype(np.float64)
        return one_hot
    if kind == FeatureType.TOKEN_SEQ:
        known = np.setdiff1d(values[inside], 0)
        _check_number(field, len(known))
        # One category at a time: a row may have many.
        hot = [(values == category).any(axis=1) for category in known]
        return np.stack([np.zeros(len(values)), *hot], axis=1)[:, 1:]
    return np.asarray(values, np.float64).reshape(len(values), -1)


def _products(pairs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Multiply the pairs of a numerical feature, one a row, or a sequence of them a row."""
    if pairs.dtype != object:
        product: npt.NDArray[Any] = pairs.prod(axis=-1)
        return product
    rows = [np.prod(pair, axis=0) for pair in pairs]
    return np.array(rows, object if np.ndim(rows[0]) else np.float64)


def _padded(values: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """Put sequences into a matrix [n, width], cut or padded with 0."""
    padded = np.zeros((len(values), width))
    for row, sequence in zip(padded, values, strict=True):
        row[: len(sequence)] = sequence[:width]
    return padded


def _check_number(field: str, n_categories: int) -> None:
    if n_categories > MAX_CATEGORIES:
        raise DataError(
            f"feature {field!r} has {n_categories} categories; "
            f"at most {MAX_CATEGORIES} are turned into columns"
        )
