"""Mends of RecBole's data sets: pandas 3, empty cells and the first download."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch

from recbole_imn.compat.views import View, recbole_module, show

DATASET = "data.dataset.dataset"
SEQUENCE_DTYPES = {"token_seq": np.int64, "float_seq": np.float64}


class _Cells(pd.Series):
    """A column of sequences, measured cell by cell; pandas 3 measures the column itself."""

    def agg(self, func: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Aggregate as pandas does, but ``len`` gives the length of each cell."""
        return self.map(len) if func is len else super().agg(func, *args, **kwargs)


class _Measured:
    """A table whose columns are :class:`_Cells`; what is assigned goes to the table itself.

    Parameters
    ----------
    table : pandas.DataFrame
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def __getitem__(self, field: str) -> _Cells:
        return _Cells(self.table[field])

    def __setitem__(self, field: str, values: Any) -> None:
        self.table[field] = values

    def __iter__(self) -> Iterator[Any]:
        return iter(self.table)

    def __contains__(self, field: str) -> bool:
        return field in self.table


def sequence_lengths() -> bool:
    """Measure sequence cells one by one: pandas 3 refuses ``Series.agg(len)``."""
    dataset = recbole_module(DATASET).Dataset
    field2feats = dataset.field2feats

    @wraps(field2feats)
    def measured_feats(self: Any, field: str) -> list[Any]:
        feats: list[Any] = field2feats(self, field)
        is_sequence = self.field2type[field].value.endswith("_seq")
        # Only tables are measured; after loading, they are interactions.
        is_table = is_sequence and all(isinstance(feat, pd.DataFrame) for feat in feats)
        return [_Measured(feat) for feat in feats] if is_table else feats

    dataset.field2feats = measured_feats
    sequential = recbole_module("data.dataset.sequential_dataset").SequentialDataset
    presets = sequential._benchmark_presets

    @wraps(presets)
    def measured_presets(self: Any) -> None:
        table = self.inter_feat
        self.inter_feat = _Measured(table)
        try:
            presets(self)
        finally:
            self.inter_feat = table

    sequential._benchmark_presets = measured_presets
    return True


def missing_values() -> bool:
    """Fill missing values: a chained ``fillna(inplace=True)`` does nothing in pandas 3."""
    recbole_module(DATASET).Dataset._fill_nan = _fill_nan
    return True


def _fill_nan(self: Any) -> None:
    """Fill missing tokens by [PAD], numbers by their mean, sequences by empty ones.

    As RecBole does (data/dataset/dataset.py, ``_fill_nan``) where pandas lets it.
    """
    self.logger.debug("Filling nan")
    for name in self.feat_name_list:
        table = getattr(self, name)
        for field in table:
            column, kind = table[field], self.field2type[field].value
            if kind == "token":
                table[field] = column.fillna(0)
            elif kind == "float":
                table[field] = column.fillna(column.mean())
            else:
                table[field] = column.map(partial(_without_nan, dtype=SEQUENCE_DTYPES[kind]))


def _without_nan(cell: Any, dtype: type) -> Any:
    # A missing sequence is NaN, the only number in its column.
    return np.array([], dtype=dtype) if isinstance(cell, float) else cell


def empty_sequences() -> bool:
    """Read an empty sequence cell as an empty sequence, not as NaN."""

    @wraps(pd.read_csv)
    def read_csv(*args: Any, **kwargs: Any) -> Any:
        table = pd.read_csv(*args, **kwargs)
        for column in table:
            # The header has names and types: 'tags:token_seq'.
            if str(column).endswith("_seq"):
                table[column] = table[column].fillna("")
        return table

    show((DATASET,), "pd", read_csv=read_csv)
    dataset = recbole_module(DATASET).Dataset
    original = dataset._load_feat

    @wraps(original)
    def load_feat(self: Any, *args: Any, **kwargs: Any) -> Any:
        # RecBole's own attempt to fill them, of which pandas 3 says that it does nothing.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", vars(pd.errors)["ChainedAssignmentError"])
            return original(self, *args, **kwargs)

    dataset._load_feat = load_feat
    return True


class _Copies:
    """Columns of a table as arrays of their own.

    Parameters
    ----------
    table : pandas.DataFrame
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def __iter__(self) -> Iterator[Any]:
        return iter(self.table)

    def __getitem__(self, field: str) -> SimpleNamespace:
        return SimpleNamespace(values=self.table[field].to_numpy(copy=True))


def read_only_columns() -> bool:
    """Copy columns before they become tensors: those of pandas 3 are read-only."""
    dataset = recbole_module(DATASET).Dataset
    original = dataset._dataframe_to_interaction

    @wraps(original)
    def convert(self: Any, data: pd.DataFrame) -> Any:
        return original(self, _Copies(data))

    dataset._dataframe_to_interaction = convert
    return True


def download_barrier() -> bool:
    """Wait for other processes after a download only if there are any."""

    def barrier() -> None:
        if torch.distributed.is_initialized():
            torch.distributed.barrier()

    show((DATASET,), "torch", distributed=View(torch.distributed, barrier=barrier))
    return True
