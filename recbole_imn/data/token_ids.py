"""Ids of tokens, in the order in which these first occur; no Python object a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from recbole.utils.enum_type import FeatureType

from recbole_imn.data.columnwise import dense
from recbole_imn.log.columns import Ids, Integers

PADDING = "[PAD]"


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
        places, names = pd.factorize(np.concatenate([names for _, names in parts]))
        tokens = np.array([PADDING, *names], object)
        ids = {str(token): number for number, token in enumerate(tokens)}
        start = 0
        for (frame, field, kind), (codes, own) in zip(remap_list, parts, strict=True):
            # Behind the last one lies what an empty cell gets.
            numbers = np.append(places[start : start + len(own)] + 1, 0)[codes]
            start += len(own)
            if field not in self.field2id_token:
                self.field2id_token[field], self.field2token_id[field] = tokens, ids
            is_one = kind == FeatureType.TOKEN
            frame[field] = numbers.astype(np.int32) if is_one else _cut(numbers, frame[field])


def _numbered(column: Any, kind: FeatureType) -> tuple[Ids | Integers, npt.NDArray[Any]]:
    """Give the tokens of one column numbers of its own, -1 where there is none, and the tokens."""
    if kind == FeatureType.TOKEN and isinstance(column.dtype, pd.CategoricalDtype):
        numbers = column.cat.codes.to_numpy()
        codes, first = dense(numbers)
        return codes, column.cat.categories.to_numpy(object)[numbers[first]]
    is_one = kind == FeatureType.TOKEN
    cells = column.to_numpy() if is_one else np.concatenate([np.empty(0, object), *column])
    places, names = pd.factorize(cells)
    return places, np.asarray(names, object)


def _cut(numbers: Integers, column: Any) -> pd.Series[Any]:
    """Cut the ids of all cells of a column of sequences into those of each."""
    ends = np.cumsum([len(cell) for cell in column])
    cells = np.split(numbers, ends[:-1])
    return pd.Series(cells, index=getattr(column, "index", None), dtype=object)
