"""What item fields tell of candidates: numbers, and how far a user's latest items are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recbole_imn.kernels.compiled import exact
from recbole_imn.log import Flags, Floats, Integers
from recbole_imn.model.sources.base import Numbers

# The user's latest distinct items, of which a mean is taken.
LATEST = 10


class ItemFields:
    """Columns of candidates that come from the item file.

    Of each field one says how far a candidate is from the mean of the user's latest ten distinct
    items: their difference where the field is a number, the squared distance of its columns where
    it has several. A category's columns are 0 and 1, so that the distance orders a user's
    candidates by how many of his items have theirs. Numbers have a second column, as they are.

    Parameters
    ----------
    features : float32 [n_items, n_features]
        As a data set has them; row 0 is padding.
    widths : mapping of str to int
        How many of these columns each field has, in order.
    seen : bool [n_items]
        Items of the training part. They alone tell which columns have two values, so that what
        is listed later moves no score of theirs.

    Attributes
    ----------
    n_columns : int
        0 where items have no fields.
    """

    def __init__(self, features: Numbers, widths: Mapping[str, int], seen: Flags) -> None:
        self.features = np.ascontiguousarray(_binary(features, features[seen]))
        self.bounds = np.cumsum([0, *widths.values()], dtype=np.int64)
        n_numbers = sum(width == 1 for width in widths.values())
        self.n_columns = len(widths) + n_numbers

    def fill(self, own: Integers, items: Integers, starts: Integers, out: Numbers) -> None:
        """Fill in the columns of candidates.

        Parameters
        ----------
        own : int64 [n_rows, n_own]
            The users' latest distinct items, newest first; 0 where there is none.
        items : int64 [n]
            Candidates, row by row.
        starts : int64 [n_rows + 1]
        out : float32 [n, n_columns]
            Distances are nan where the user has no items.
        """
        if self.n_columns:
            _fill(self.features, self.bounds, own[:, :LATEST], items, starts, out)


def _binary(features: Numbers, known: Numbers) -> Numbers:
    """Let columns that have two values among known items have 0 and 1, however scaled."""
    if len(known) == 0:
        return features
    low, high = known.min(axis=0), known.max(axis=0)
    binary = ((known == low) | (known == high)).all(axis=0) & (low < high)
    width = np.where(binary, high - low, 1)
    return ((features - np.where(binary, low, 0)) / width).astype(np.float32)


@exact
def _fill(
    features: Numbers,
    bounds: Integers,
    own: Integers,
    items: Integers,
    starts: Integers,
    out: Numbers,
) -> None:
    mean = np.empty(features.shape[1])
    for row in range(len(own)):
        mean[:] = 0.0
        n_own = 0
        while n_own < own.shape[1] and own[row, n_own] > 0:
            mean += features[own[row, n_own]]
            n_own += 1
        # Of nobody's items the mean is nan.
        mean /= n_own
        for k in range(starts[row], starts[row + 1]):
            _fill_one(features[items[k]], bounds, mean, out[k])


@exact
def _fill_one(feature: Numbers, bounds: Integers, mean: Floats, out: Numbers) -> None:
    n_fields = len(bounds) - 1
    number = n_fields
    for field in range(n_fields):
        first, last = bounds[field], bounds[field + 1]
        if last - first == 1:
            out[field] = feature[first] - mean[first]
            out[number] = feature[first]
            number += 1
        else:
            distance = 0.0
            for column in range(first, last):
                distance += (feature[column] - mean[column]) ** 2
            out[field] = distance
