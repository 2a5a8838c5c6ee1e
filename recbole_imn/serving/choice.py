"""From scores to lists: the best of some items, in a fixed order, and lists that vary."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recbole_imn.log import Floats, Integers

# Items that a varied list is chosen from, for each of its places.
POOL = 10


def best(items: Integers, scores: Tensor, k: int) -> tuple[Integers, Floats]:
    """Give the best items, equal scores in the order of their numbers.

    Parameters
    ----------
    items : int64 [n]
        In rising order.
    scores : float [n]
    k : int

    Returns
    -------
    items : int64 [min(k, n)]
    scores : float64, same shape
    """
    values = scores.detach().cpu().numpy().astype(np.float64)
    k = min(k, len(values))
    if k == 0:
        return items[:0], values[:0]
    least = np.partition(values, len(values) - k)[len(values) - k]
    above, equal = np.flatnonzero(values > least), np.flatnonzero(values == least)
    chosen = np.sort(np.concatenate([above, equal[: k - len(above)]]))
    order = chosen[np.argsort(-values[chosen], kind="stable")]
    return items[order], values[order]


def varied(
    items: Integers, scores: Floats, vectors: Tensor, k: int, share: float
) -> tuple[Integers, Floats]:
    """Choose a list whose items differ, one after the other (maximal marginal relevance).

    Each place goes to the item with the largest ``(1 - share) * relevance - share * likeness``:
    relevance is the score scaled to 0..1 over the items given, likeness the largest cosine to
    an item that is on the list already (Carbonell and Goldstein, SIGIR 1998).

    Parameters
    ----------
    items : int64 [n]
        The best ones, in order.
    scores : float64 [n]
    vectors : float [n, width]
        Of the items.
    k : int
    share : float
        0 leaves the order as it is.

    Returns
    -------
    items : int64 [min(k, n)]
    scores : float64, same shape
        Those given, in the order of the list.
    """
    if share == 0 or len(items) < 2:
        return items[:k], scores[:k]
    spread = scores.max() - scores.min()
    relevance = (scores - scores.min()) / (spread if spread > 0 else 1.0)
    unit = functional.normalize(vectors.float(), dim=1)
    likeness = np.full(len(items), -1.0)
    left, places = np.ones(len(items), np.bool_), list[int]()
    for _ in range(min(k, len(items))):
        worth = (1 - share) * relevance - share * (likeness if places else 0.0)
        place = int(np.where(left, worth, -np.inf).argmax())
        left[place] = False
        places.append(place)
        likeness = np.maximum(likeness, (unit @ unit[place]).double().cpu().numpy())
    return items[places], scores[places]


def cosines(table: Tensor, item: int, items: Integers) -> Tensor:
    """Give the cosine of an item's vector to those of others, float [n].

    Parameters
    ----------
    table : float [n_items, width]
    item : int
    items : int64 [n]
    """
    chosen = functional.normalize(table[torch.from_numpy(items).to(table.device)], dim=1)
    one = functional.normalize(table[item], dim=0)
    return (chosen * one).sum(dim=1)
