"""What users hold from their purchases, and how items compete with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.kernels.holdings import held
from recbole_imn.log import NO_EVENT, Floats
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.pointer import GAIN, SPEED
from recbole_imn.model.terms.base import ProductTerm, Rows, described_anew
from recbole_imn.past import Facts, Past

LATEST = 10
# Values of a number between which others are told by how close they are to both.
N_KNOTS = 5
# Cells of all pairs of fields at most: those with few come first, in which most purchases meet.
PAIR_CELLS = 256


class Holdings(ProductTerm):
    r"""A log density ratio by how much a user holds already of items alike.

    .. math::
        \sum_f a_f \, c_f(x)^\top h_f, \quad
        h_f = 1 - \exp\Bigl(-\sum_k e^{-r (t - t_k)} c_f(x_k)\Bigr)

    over the user's latest 10 purchases :math:`x_k`, and over the fields of item features, such
    as type or price, and pairs of them, whose cells c say what an item's value is like. A
    purchase takes something away, which comes back at a rate r that is learned: :math:`a_f`
    says how much less an item alike is wanted meanwhile. What the user likes for good is told
    by other terms. There are few weights, since there are few purchases to learn from: a weight
    for every column, or pair of columns, learns them by heart.

    Parameters
    ----------
    making : Making
        Features of the training part's items tell which cells there are.
    """

    cells: Tensor
    features: Tensor
    reference: Tensor
    pace: Tensor
    owners: Tensor

    def __init__(self, making: Making) -> None:
        super().__init__(making)
        trained = np.unique(making.past.log.item[: making.fitted]).astype(np.int64)
        known = making.item_features[torch.from_numpy(trained)]
        # What later features are told by is part of a checkpoint.
        knots = np.quantile(known.double().numpy(), np.linspace(0, 1, N_KNOTS), axis=0)
        self.register_buffer("reference", torch.from_numpy(knots))
        self.groups = groups(_owners(making), known)
        self.register_buffer("features", making.item_features, persistent=False)
        cells, owners = make_cells(making.item_features, self.reference, self.groups)
        self.register_buffer("cells", cells, persistent=False)
        self.register_buffer("owners", owners, persistent=False)
        seconds, first = making.since_previous(making.past.chains.purchase)
        since = seconds[~first]
        pace = float(np.median(since)) if len(since) else 1.0
        self.register_buffer("pace", torch.tensor(max(pace, 1.0), dtype=torch.double))
        self.competition = nn.Parameter(torch.zeros(len(owners.unique())))
        self.rate = nn.Parameter(torch.zeros(()))
        self.register_load_state_dict_post_hook(_make_all_cells)  # type: ignore[no-untyped-call]

    @classmethod
    def applies(cls, making: Making) -> bool:
        """Whether items have features, and anything was purchased in training."""
        purchases = making.past.log.purchase[: making.n_training]
        return making.item_features.shape[1] > 0 and bool(purchases.any())

    def look(self, past: Past, facts: Facts) -> tuple[Tensor, Tensor]:
        """Look up purchased items, and how long ago in units of the usual time, [n, 10]."""
        events = past.purchases(facts.purchase, LATEST)
        there, places = events != NO_EVENT, np.maximum(events, 0)
        items = np.where(there, past.log.item[places], 0).astype(np.int64)
        ages = np.where(there, facts.at[:, None] - past.log.time[places], 0) / float(self.pace)
        return torch.from_numpy(items), torch.from_numpy(ages.astype(np.float32))

    def queries(self, rows: Rows, looked: Any) -> Tensor:
        """Give what the cells of items are multiplied by, float [n, n_cells]."""
        items, ages = looked
        rate = torch.exp(GAIN * self.rate)
        now = held(self.cells, items, ages.to(rate), rate)
        wanted: Tensor = (SPEED * self.competition)[self.owners] * now
        return wanted

    def items(self, ids: Tensor, represented: Tensor) -> Tensor:
        """Give the cells of items, float [m, n_cells]."""
        return self.cells[ids]

    def grow(self, n_users: int, n_items: int, item_features: Tensor) -> None:
        """Make cells of items that have come, and of those of which more is known."""
        self.cells = described_anew(
            self.cells,
            self.features,
            item_features,
            lambda features: make_cells(features, self.reference, self.groups)[0],
        )
        self.features = item_features.to(self.features)


def _make_all_cells(term: Holdings, _: Any) -> None:
    """Make cells by the reference that was loaded, not by the one of the items at hand."""
    cells, owners = make_cells(term.features, term.reference, term.groups)
    term.cells, term.owners = cells.to(term.cells), owners.to(term.owners)


def _owners(making: Making) -> Sequence[str]:
    """Give the field of each column; without names each column is a field."""
    n_columns = making.item_features.shape[1]
    return making.item_fields or [str(column) for column in range(n_columns)]


def groups(owners: Sequence[str], known: Tensor) -> list[list[int]]:
    """Give the columns of each field that has cells.

    Fields whose columns have two values, categories, and those of a single number have cells;
    vectors have none, and what is the same everywhere has none.

    Parameters
    ----------
    owners : sequence of str
        The field of each column.
    known : float [n_known, n_columns]
        Features of items of the training part.
    """
    distinct = [len(column.unique()) for column in known.T]
    found: dict[str, list[int]] = {}
    for column, owner in enumerate(owners):
        if distinct[column] > 1:
            found.setdefault(owner, []).append(column)
    return [
        columns
        for columns in found.values()
        if len(columns) == 1 or all(distinct[column] == 2 for column in columns)
    ]


def make_cells(
    features: Tensor, reference: Tensor, fields: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor]:
    """Turn features into cells: an item's are from 0 to 1, and 1 in all of a field.

    A category is a cell. A number is in the two of five cells whose values, quantiles of the
    training part, it lies between, in proportion to how close it is. A pair of fields has the
    products of their cells; pairs of fewest cells come first, up to 256 cells in all.

    Parameters
    ----------
    features : float [n_items, n_features]
        Row 0 is padding.
    reference : float64 [5, n_features]
        Quantiles of each column.
    fields : sequence of sequence of int
        Columns of each field.

    Returns
    -------
    cells : float32 [n_items, n_cells]
        Row 0 is 0.
    owners : int64 [n_cells]
        The field, or the pair of fields after all fields, that each cell is of.
    """
    values, knots = features.double().cpu().numpy(), reference.cpu().numpy()
    parts = [
        np.concatenate([_cells(values[:, column], knots[:, column]) for column in columns], axis=1)
        for columns in fields
    ]
    parts += [
        (parts[one][:, :, None] * parts[other][:, None, :]).reshape(len(values), -1)
        for one, other in _pairs([part.shape[1] for part in parts])
    ]
    cells = np.concatenate([np.zeros((len(values), 0)), *parts], axis=1)
    cells[0] = 0
    owners = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
    return torch.from_numpy(cells.astype(np.float32)), torch.from_numpy(owners)


def _pairs(widths: Sequence[int]) -> list[tuple[int, int]]:
    """Give the pairs of fields that have cells, by how many cells each field has."""
    pairs = sorted(combinations(range(len(widths)), 2), key=lambda pair: _width(widths, pair))
    ends = np.cumsum([_width(widths, pair) for pair in pairs])
    return pairs[: int(np.searchsorted(ends, PAIR_CELLS, side="right"))]


def _width(widths: Sequence[int], pair: tuple[int, int]) -> int:
    return widths[pair[0]] * widths[pair[1]]


def _cells(values: Floats, knots: Floats) -> Floats:
    """Give the cells of a column, float64 [n_items, 1 to 5]."""
    distinct = np.unique(knots)
    if len(distinct) < 3:
        # Two values, or nearly: whether it is the greater one.
        greater: Floats = (values > distinct.mean())[:, None].astype(np.float64)
        return greater
    cells = [np.interp(values, distinct, row) for row in np.eye(len(distinct))]
    stacked: Floats = np.stack(cells, axis=1)
    return stacked
