"""What users like, told by the features of items."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from recbole_imn.model.pointer import GAIN, SPEED, log_time
from recbole_imn.stream.events import EventStream, Floats, Integers

LATEST = 50
# A user's own part moves slowly, so that a few events do not make a taste.
USER_GAIN = 0.3


class Taste(nn.Module):
    r"""A log density ratio that is linear in the features of items.

    .. math::
        \psi(x)^\top (b + b_u + a \odot m_u(t)), \quad
        m_u(t) = \frac{\sum_k w_k \psi(x_k)}{e^p + \sum_k w_k}

    with b for everybody, b_u for the user, and the profile m of the user's latest items, in
    which an event weighs by how many came after it, how long ago it was, and its behaviour.
    An item without a past is judged like any other.

    Parameters
    ----------
    stream : EventStream
    features : float [n_items, n_features]
        Features of items; row 0 is padding.
    n_training : int
        Number of training events, whose items tell what values are usual.
    """

    descriptions: Tensor

    def __init__(self, stream: EventStream, features: Tensor, n_training: int) -> None:
        super().__init__()
        self.stream = stream
        known = np.unique(stream.item[:n_training])
        self.register_buffer("descriptions", describe(features, known), persistent=False)
        width = self.descriptions.shape[1]
        self.everybody = nn.Parameter(torch.zeros(width))
        self.users = nn.Embedding(stream.n_users, width, sparse=True)
        nn.init.zeros_(self.users.weight)
        self.likeness = nn.Parameter(torch.zeros(width))
        self.place = nn.Parameter(torch.zeros(LATEST))
        self.behaviour = nn.Parameter(torch.zeros(stream.n_behaviours))
        self.age = nn.Parameter(torch.zeros(2))
        self.prior = nn.Parameter(torch.zeros(()))

    def forward(self, events: Integers) -> Tensor:
        """Give what the descriptions of items are multiplied by, float [n, n_columns]."""
        users = self.users(self._tensor(self.stream.user[events]))
        profile = GAIN * self.likeness * self._profile(events)
        taste: Tensor = GAIN * self.everybody + USER_GAIN * users + profile
        return taste

    def _profile(self, events: Integers) -> Tensor:
        """Weighted mean of the descriptions of each user's latest items before events."""
        stream = self.stream
        past, lengths = stream.histories(events, LATEST)
        known, places = past >= 0, np.maximum(past, 0)
        passed = np.where(known, stream.time[events][:, None] - stream.time[places], 0)
        later = np.clip(lengths[:, None] - 1 - np.arange(past.shape[1]), 0, LATEST - 1)
        ages = self._tensor(log_time(passed).astype(np.float32))
        logits = SPEED * (
            self.place[self._tensor(later)]
            + self.behaviour[self._tensor(stream.behaviour[places])]
            + self.age[0] * ages
            + self.age[1] * ages.square()
        )
        weights = torch.exp(logits) * self._tensor(known)
        items = self._tensor(np.where(known, stream.item[places], 0))
        total = functional.embedding_bag(
            items, self.descriptions, mode="sum", per_sample_weights=weights
        )
        everything = torch.exp(SPEED * self.prior) + weights.sum(dim=1, keepdim=True)
        mean: Tensor = total / everything
        return mean

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(self.everybody.device)


def describe(features: Tensor, known: Integers) -> Tensor:
    """Turn features into columns of one size that a linear taste can use.

    A feature with two values, such as whether an item is of some brand, keeps them 1 apart,
    however rare one is. Of any other, the column is the rank, uniform with deviation 1, so
    that a skewed price is no outlier; and its square, by which a taste can have an optimum.

    Parameters
    ----------
    features : float [n_items, n_features]
        Row 0 is padding.
    known : int64 [n_known]
        Items by which values are ranked.

    Returns
    -------
    float32 [n_items, n_columns]
        Row 0 is 0; features with a single known value have no column.
    """
    values = features.double().cpu().numpy()
    columns = [column for feature in values.T for column in _columns(feature, feature[known])]
    described = np.stack(columns, axis=1) if columns else np.zeros((len(values), 0))
    described[0] = 0
    return torch.from_numpy(described.astype(np.float32))


def _columns(feature: Floats, known: Floats) -> list[Floats]:
    distinct = len(np.unique(known))
    if distinct == 1:
        return []
    if distinct == 2:
        return [(feature - known.mean()) / np.ptp(known)]
    ordered = np.sort(known)
    below, upto = (np.searchsorted(ordered, feature, side) for side in ("left", "right"))
    rank = np.sqrt(12) * ((below + upto) / 2 / len(known) - 0.5)
    # The square of a uniform variable of deviation 1 has mean 1 and deviation 0.9.
    return [rank, (np.square(rank) - 1) / 0.9]
