"""Ids of tokens, in the order in which these first occur; no Python object a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from recbole.utils.enum_type import FeatureType

from recbole_imn.data.columnwise import dense
from recbole_imn.log.columns import Ids

PADDING = "[PAD]"

# The numbers of a column's cells, from 0, -1 for an empty one; and what has these numbers.
Numbered = tuple[Ids, npt.NDArray[Any]]


class TokenIds:
    """The numbering of tokens of a RecBole data set (dataset.py, ``_remap``), column-wise."""

    # What is used of RecBole's Dataset.
    field2id_token: dict[str, Any]
    field2token_id: dict[str, dict[str, int]]

    def _remap(self, remap_list: list[tuple[Any, str, FeatureType]]) -> None:
        """Give the tokens of columns that share their ids these, column after column."""
        if not remap_list:
            return
        parts = [_numbered(frame[field], kind) for frame, field, kind in remap_list]
        names, numbers = _joined(parts)
        tokens = np.array([PADDING, *names], object)
        ids = dict(zip(map(str, tokens.tolist()), range(len(tokens)), strict=True))
        for (frame, field, kind), own in zip(remap_list, numbers, strict=True):
            if field not in self.field2id_token:
                self.field2id_token[field], self.field2token_id[field] = tokens, ids
            frame[field] = own if kind == FeatureType.TOKEN else _cut(own, frame[field])


def _joined(parts: list[Numbered]) -> tuple[npt.NDArray[Any], list[Ids]]:
    """Give the tokens of all columns, and the ids of each column's cells, 0 for an empty one."""
    if len(parts) == 1:
        ((codes, names),) = parts
        return names, [codes + 1]
    places, names = pd.factorize(np.concatenate([names for _, names in parts]))
    ids, start = [], 0
    for codes, own in parts:
        # Behind the last one lies what an empty cell gets.
        numbers = np.append(places[start : start + len(own)] + 1, 0).astype(np.int32)
        ids.append(numbers[codes])
        start += len(own)
    return names, ids


def _numbered(column: Any, kind: FeatureType) -> Numbered:
    """Give the tokens of one column numbers of its own, -1 where there is none, and the tokens."""
    if kind == FeatureType.TOKEN and isinstance(column.dtype, pd.CategoricalDtype):
        numbers = column.cat.codes.to_numpy()
        codes, first = dense(numbers)
        return codes, column.cat.categories.to_numpy(object)[numbers[first]]
    is_one = kind == FeatureType.TOKEN
    cells = column.to_numpy() if is_one else np.concatenate([np.empty(0, object), *column])
    places, names = pd.factorize(cells)
    return places.astype(np.int32), np.asarray(names, object)


def _cut(numbers: Ids, column: Any) -> pd.Series[Any]:
    """Cut the ids of all cells of a column of sequences into those of each."""
    ends = np.cumsum([len(cell) for cell in column])
    cells = np.split(numbers.astype(np.int64), ends[:-1])
    return pd.Series(cells, index=getattr(column, "index", None), dtype=object)
