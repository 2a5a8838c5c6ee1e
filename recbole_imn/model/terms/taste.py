"""What users like, told by the features of items."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.kernels.taste import profile
from recbole_imn.log import Floats
from recbole_imn.model.latest import latest_items
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.pointer import GAIN, SPEED
from recbole_imn.model.terms.base import ProductTerm, Rows, described_anew
from recbole_imn.past import Facts, Past

LATEST = 50
# A user's own part moves slowly, so that a few events do not make a taste.
USER_GAIN = 0.3


class Taste(ProductTerm):
    r"""A log density ratio that is linear in the features of items.

    .. math::
        \psi(x)^\top (b + b_u + a \odot m_u(t)), \quad
        m_u(t) = \frac{\sum_k w_k \psi(x_k)}{e^p + \sum_k w_k}

    with b for everybody, b_u for the user, and the profile m of the user's latest items, in
    which an event weighs by how many came after it, how long ago it was, and its behaviour.
    An item without a past is judged like any other.

    Parameters
    ----------
    making : Making
        Features of the training part's items tell what values are usual.
    """

    descriptions: Tensor
    features: Tensor
    reference: Tensor

    def __init__(self, making: Making) -> None:
        super().__init__(making)
        log = making.past.log
        fitted = log.item[: making.fitted]
        known = making.item_features[torch.from_numpy(np.unique(fitted).astype(np.int64))]
        # What later features are ranked by is part of a checkpoint.
        self.register_buffer("reference", known.sort(dim=0).values)
        self.register_buffer("features", making.item_features, persistent=False)
        described = describe(making.item_features, self.reference)
        self.register_buffer("descriptions", described, persistent=False)
        width = self.descriptions.shape[1]
        self.everybody = nn.Parameter(torch.zeros(width))
        n_users = int(log.user[: making.n_training].max()) + 1
        self.users = nn.Embedding(n_users, width, sparse=True)
        nn.init.zeros_(self.users.weight)
        self.likeness = nn.Parameter(torch.zeros(width))
        self.place = nn.Parameter(torch.zeros(LATEST))
        self.behaviour = nn.Parameter(torch.zeros(log.n_behaviours))
        self.age = nn.Parameter(torch.zeros(2))
        self.prior = nn.Parameter(torch.zeros(()))
        self.register_load_state_dict_post_hook(_describe_all)  # type: ignore[no-untyped-call]

    @classmethod
    def applies(cls, making: Making) -> bool:
        """Whether items have features."""
        return making.item_features.shape[1] > 0

    def look(self, past: Past, facts: Facts) -> Any:
        """Look up the users' latest items, their behaviours and ages, [n, 50], newest first."""
        found = latest_items(past, facts, LATEST)
        return tuple(torch.from_numpy(column) for column in found)

    def read(self, users: Tensor) -> Tensor:
        """Read users' own parts, float [n, n_columns]."""
        # Row 0 is nobody's, and stays 0: who was never trained has no part of his own.
        own: Tensor = self.users(users.masked_fill(users >= self.users.num_embeddings, 0))
        return own

    def queries(self, rows: Rows, looked: Any) -> Tensor:
        """Give what the descriptions of items are multiplied by, float [n, n_columns]."""
        own = rows.own[self] if self in rows.own else self.read(rows.columns.user)
        items, behaviours, ages = looked
        later = torch.arange(LATEST, device=items.device).expand_as(items)
        weights = self.place, self.behaviour, self.age, self.prior
        mean = profile(self.descriptions, items, behaviours, ages, later, *weights, SPEED)
        taste: Tensor = GAIN * self.everybody + USER_GAIN * own + GAIN * self.likeness * mean
        return taste

    def items(self, ids: Tensor, represented: Tensor) -> Tensor:
        """Give the descriptions of items, float [m, n_columns]."""
        return self.descriptions[ids]

    def grow(self, n_users: int, n_items: int, item_features: Tensor) -> None:
        """Describe items that have come, and those of which more is known than before."""
        self.descriptions = described_anew(
            self.descriptions,
            self.features,
            item_features,
            lambda features: describe(features, self.reference),
        )
        self.features = item_features.to(self.features)


def _describe_all(taste: Taste, _: Any) -> None:
    """Describe items by the reference that was loaded, not by the one of the items at hand."""
    taste.descriptions = describe(taste.features, taste.reference).to(taste.descriptions)


def describe(features: Tensor, reference: Tensor) -> Tensor:
    """Turn features into columns of one size that a linear taste can use.

    A feature with two values, such as whether an item is of some brand, keeps them 1 apart,
    however rare one is. Of any other, the column is the rank, uniform with deviation 1, so
    that a skewed price is no outlier; and its square, by which a taste can have an optimum.

    Parameters
    ----------
    features : float [n_items, n_features]
        Row 0 is padding.
    reference : float [n_known, n_features]
        Values by which others are ranked, each column sorted.

    Returns
    -------
    float32 [n_items, n_columns]
        Row 0 is 0; features with a single known value have no column.
    """
    values, known = (part.double().cpu().numpy() for part in (features, reference))
    columns = [
        column
        for feature, usual in zip(values.T, known.T, strict=True)
        for column in _columns(feature, usual)
    ]
    described = np.stack(columns, axis=1) if columns else np.zeros((len(values), 0))
    described[0] = 0
    return torch.from_numpy(described.astype(np.float32))


def _columns(feature: Floats, known: Floats) -> list[Floats]:
    distinct = len(np.unique(known))
    if distinct == 1:
        return []
    if distinct == 2:
        return [(feature - known.mean()) / np.ptp(known)]
    below, upto = (np.searchsorted(known, feature, side) for side in ("left", "right"))
    rank = np.sqrt(12) * ((below + upto) / 2 / len(known) - 0.5)
    # The square of a uniform variable of deviation 1 has mean 1 and deviation 0.9.
    return [rank, (np.square(rank) - 1) / 0.9]
