"""Losses of a target against sampled items."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus


def sampled_softmax(target: Tensor, others: Tensor) -> Tensor:
    """Give the cross entropy of targets among themselves and sampled items, float [].

    Parameters
    ----------
    target : float [n]
        Scores of targets.
    others : float [n, n_negatives]
        Scores of sampled items; minus infinity is none.
    """
    everything = torch.cat([target.unsqueeze(1), others], dim=1)
    return (everything.logsumexp(dim=1) - target).mean()


def generalised_bce(target: Tensor, others: Tensor, n_items: int, calibration: float) -> Tensor:
    r"""Give the generalised binary cross entropy of gSASRec [1]_, float [].

    A target's probability is taken to the power of

    .. math:: \beta = \alpha (t (1 - 1/\alpha) + 1/\alpha) , \quad \alpha = N / (|I| - 1)

    which undoes the overconfidence that sampling N of the items I brings about.

    Parameters
    ----------
    target : float [n]
    others : float [n, n_negatives]
        Minus infinity is none.
    n_items : int
        Without padding.
    calibration : float
        t, from 0 (ordinary cross entropy) to 1 (fully calibrated).

    References
    ----------
    .. [1] A. Petrov and C. Macdonald, "gSASRec: reducing overconfidence in sequential
       recommendation trained with negative sampling", RecSys 2023, arXiv 2308.07192.
    """
    n_negatives = others.shape[1]
    rate = min(n_negatives / max(n_items - 1, 1), 1.0)
    power = rate * (calibration * (1 - 1 / rate) + 1 / rate)
    positive = -power * logsigmoid(target)
    return ((positive + softplus(others).sum(dim=1)) / (n_negatives + 1)).mean()
