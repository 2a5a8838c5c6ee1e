"""A taste by feature of the items, and by whose taste it is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from recbole_imn.kernels.taste import profile
from recbole_imn.model.sources.pointer import GAIN, SPEED
from recbole_imn.model.terms import Rows, Taste
from recbole_imn.model.terms.taste import LATEST, USER_GAIN

TASTE_ORIGINS = ("everybody", "user", "history")


def taste_apart(term: Taste, rows: Rows, looked: Any, items: Tensor) -> Tensor:
    """Give the summands of a taste.

    Parameters
    ----------
    term : Taste
    rows : Rows
    looked : object
        What the term looked up of them.
    items : int64 [n, k]

    Returns
    -------
    float64 [n, k, n_features, 3]
        By feature of the items, and by whose taste it is: everybody's, the user's own, and
        that of the items he came by last. A feature without columns has 0.
    """
    tastes = torch.stack(_queries(term, rows, looked), dim=2).double()
    described = term.descriptions[items].double()
    columns = described.unsqueeze(3) * tastes.unsqueeze(1)
    owner = features_of_columns(term.reference)
    n_features = term.reference.shape[1]
    apart = columns.new_zeros(*items.shape, n_features, len(TASTE_ORIGINS))
    return apart.index_add_(2, owner, columns)


def _queries(term: Taste, rows: Rows, looked: Any) -> list[Tensor]:
    """Give what descriptions are multiplied by, one [n, n_columns] an origin."""
    users = rows.columns.user
    own = term.users(users.masked_fill(users >= term.users.num_embeddings, 0))
    items, behaviours, ages = looked
    later = torch.arange(LATEST, device=items.device).expand_as(items)
    weights = term.place, term.behaviour, term.age, term.prior
    mean = profile(term.descriptions, items, behaviours, ages, later, *weights, SPEED)
    everybody = (GAIN * term.everybody).expand_as(own)
    return [everybody, USER_GAIN * own, GAIN * term.likeness * mean]


def features_of_columns(reference: Tensor) -> Tensor:
    """Give the feature that each column of the descriptions tells of, int64 [n_columns].

    Parameters
    ----------
    reference : float [n_known, n_features]
        As of :func:`~recbole_imn.model.terms.taste.describe`: each column sorted.
    """
    distinct = 1 + (reference[1:] != reference[:-1]).sum(dim=0)
    # No column for a single value, one for two, and a rank and its square for more.
    n_columns = (distinct - 1).clamp(max=2)
    return torch.repeat_interleave(torch.arange(len(n_columns), device=n_columns.device), n_columns)
