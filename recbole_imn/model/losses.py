"""The parts of equation (22). Each sums over events, so that every event weighs the same."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def prediction_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Sum of squared distances of predictions to items, equation (20).

    The target is detached: else the cheapest way to predict items is to make them alike.

    Parameters
    ----------
    predicted, target : float [n, width]
    """
    return (predicted - target.detach()).square().sum()


def contrastive_loss(positive: Tensor, negative: Tensor, duplicate: Tensor) -> Tensor:
    """Sum of the negative log of the positive's share of the density ratio, equation (21).

    Parameters
    ----------
    positive : float [n]
        Log density ratio of each event's item.
    negative : float [n, n_negatives]
        Log density ratios of the negatives.
    duplicate : bool [n, n_negatives]
        Where a negative is the positive item itself; it does not count.
    """
    logits = torch.cat([positive.unsqueeze(1), negative.masked_fill(duplicate, -torch.inf)], dim=1)
    first = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    return functional.cross_entropy(logits, first, reduction="sum")


def drift_loss(after: Tensor, before: Tensor) -> Tensor:
    """Sum of squared changes of states, the last two terms of equation (22), float [n, width]."""
    return (after - before).square().sum()
