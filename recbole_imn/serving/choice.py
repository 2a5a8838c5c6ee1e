"""From scores to lists: the best of some items, in a fixed order, and lists that vary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recbole_imn.kernels.best_places import best_places
from recbole_imn.log import Floats, Integers

NOTHING: Integers = np.empty(0, np.int64)

# Items that a varied list is chosen from, for each of its places.
POOL = 10


@dataclass(frozen=True)
class Ranking:
    """Lists one behind the other.

    Attributes
    ----------
    counts : int64 [n_lists]
        Their lengths.
    items : int64 [n_entries]
        The best one of each list first.
    scores : float64 [n_entries]
    """

    counts: Integers
    items: Integers
    scores: Floats

    @property
    def ranks(self) -> Integers:
        """Ranks of the entries, from 1, int64 [n_entries]."""
        starts = np.cumsum(self.counts) - self.counts
        return np.arange(1, len(self.items) + 1) - np.repeat(starts, self.counts)

    def lists(self) -> Iterator[tuple[Integers, Floats]]:
        """Give the items and scores of one list after the other."""
        stops = np.cumsum(self.counts)[:-1]
        parts = np.split(self.items, stops), np.split(self.scores, stops)
        return zip(*parts, strict=True)

    @classmethod
    def joined(cls, rankings: Sequence[Ranking]) -> Ranking:
        """Put rankings one behind the other."""
        if not rankings:
            return cls(NOTHING, NOTHING, NOTHING.astype(np.float64))
        columns = zip(*((one.counts, one.items, one.scores) for one in rankings), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


def best(items: Integers, scores: Tensor, k: int) -> tuple[Integers, Floats]:
    """Give the best items of one row, as :func:`best_of_rows` does.

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
    found = best_of_rows(items, scores.unsqueeze(0), k, [NOTHING])
    return found.items, found.scores


def best_of_rows(items: Integers, scores: Tensor, k: int, left_out: Sequence[Integers]) -> Ranking:
    """Give the best items of each row, equal scores in the order of the items' numbers.

    Parameters
    ----------
    items : int64 [n_items]
        In rising order.
    scores : float [n, n_items]
    k : int
    left_out : sequence of int64 [any]
        Places of items that a row leaves out, a row each.

    Raises
    ------
    ValueError
        If a score is NaN.
    """
    values = scores.detach().cpu().numpy()
    start = np.concatenate([[0], np.cumsum([len(out) for out in left_out])]).astype(np.int64)
    out = np.concatenate([NOTHING, *left_out])
    places, counts = best_places(values, k, out, start)
    chosen = np.take_along_axis(values, np.maximum(places, 0), axis=1)[places >= 0]
    return Ranking(counts, items[places[places >= 0]], chosen.astype(np.float64))


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
