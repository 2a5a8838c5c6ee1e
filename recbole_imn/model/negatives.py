"""Negatives from two strata of the catalogue: items touched lately, and all the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recbole_imn.stream.events import EventStream

# Latest events whose items count as touched lately.
ACTIVE_EVENTS = 2048


@dataclass(frozen=True)
class Negatives:
    """Items that stand for the catalogue.

    Attributes
    ----------
    items : int64 [m]
    log_shares : float [m]
        Logarithm of how many items each stands for; -inf for one that stands for none.
    """

    items: Tensor
    log_shares: Tensor


def draw_negatives(stream: EventStream, start: int, n_active: int, n_others: int) -> Negatives:
    """Draw negatives for the events from ``start`` on.

    Where items come and go, few of those drawn from the whole catalogue can be chosen at
    all, and a sum over so few is too low in most draws. Hence as many as ``n_active`` come
    from the items of the latest events, and the others stand for the rest.

    Parameters
    ----------
    stream : EventStream
    start : int
        Only earlier events are looked at.
    n_active : int
        Negatives among the items touched lately, without replacement; if there are no more
        than these, all of them.
    n_others : int
        Negatives drawn from the whole catalogue; those touched lately are left out. If there
        are no more items than these, each is there once, and the sum is exact.
    """
    if n_others >= stream.n_items - 1:
        return Negatives(torch.arange(1, stream.n_items), torch.zeros(stream.n_items - 1))
    since = max(0, start - ACTIVE_EVENTS) if n_active else start
    active = np.unique(stream.item[since:start])
    others = torch.randint(1, stream.n_items, (n_others,))
    outside = torch.from_numpy(~np.isin(others.numpy(), active))
    n_rest = stream.n_items - 1 - len(active)
    shares = torch.where(outside, n_rest / max(int(outside.sum()), 1), 0.0)
    chosen = torch.from_numpy(active)[torch.randperm(len(active))[:n_active]]
    share = torch.full((len(chosen),), len(active) / max(len(chosen), 1))
    return Negatives(torch.cat([others, chosen]), torch.cat([shares, share]).log())
