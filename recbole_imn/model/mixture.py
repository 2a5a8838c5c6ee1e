"""The mixture of the catalogue's density ratios and the pointer's weights."""

from __future__ import annotations

import torch
from torch import Tensor


def mix(scores: Tensor, items: Tensor, weights: Tensor) -> Tensor:
    """Add the weights of candidates to the density ratios of the catalogue, in place.

    Parameters
    ----------
    scores : float [n, n_items]
        Log density ratios.
    items : int64 [n, n_slots]
        Candidates; 0 is an empty slot.
    weights : float [n, n_slots]
        Log weights; those of slots with the same item add up.

    Returns
    -------
    float [n, n_items]
        ``scores``.
    """
    same = items.unsqueeze(2) == items.unsqueeze(1)
    totals = weights.unsqueeze(1).masked_fill(~same, -torch.inf).logsumexp(dim=2)
    return scores.scatter_(1, items, torch.logaddexp(scores.gather(1, items), totals))


def mixture_loss(positive: Tensor, negative: Tensor, weights: Tensor, hits: Tensor) -> Tensor:
    """Sum of the negative log probability of each event's item under the mixture.

    Negatives stand for the rest of the catalogue (sampled softmax); candidates of the
    pointer are all there, so that their part of the sum is exact.

    Parameters
    ----------
    positive : float [n]
        Log density ratio of the event's item.
    negative : float [n, n_negatives]
        Those of the negatives, plus the logarithm of how many items each stands for.
    weights : float [n, n_slots]
        Log weights of the candidates.
    hits : bool [n, n_slots]
        Where a candidate is the event's item.

    Returns
    -------
    float []
    """
    own = positive.unsqueeze(1)
    everything = torch.cat([own, negative, weights], dim=1).logsumexp(dim=1)
    right = torch.cat([own, weights.masked_fill(~hits, -torch.inf)], dim=1).logsumexp(dim=1)
    return (everything - right).sum()
