"""Exact scores of items at each row's own time, with item states that move meanwhile.

An item is what it was at the window's start until an event of the window moves it. Scores
are inner products, so the catalogue at one moment is a plain product, and only the columns of
items that moved are overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recbole_imn.log import Integers
from recbole_imn.model.ranking import Asked
from recbole_imn.past import Facts, Past
from recbole_imn.stream.products import MOST_COLUMNS, affine
from recbole_imn.stream.versions import item_versions


@dataclass(frozen=True)
class Ranked:
    """A window whose rows can be scored.

    Attributes
    ----------
    start, stop : int
        The window's events.
    facts : Facts
        Of the rows, by position and time.
    asked : Asked
        The rows as ranking sees them.
    moved : float [stop - start, width]
        Each event's item as ranking sees it just after the event.
    """

    start: int
    stop: int
    facts: Facts
    asked: Asked
    moved: Tensor

    def __getitem__(self, rows: Any) -> Ranked:
        """Give some of the rows."""
        asked = self.asked[torch.as_tensor(rows, device=self.moved.device)]
        return Ranked(self.start, self.stop, self.facts[rows], asked, self.moved)

    def score_all(self, queries: Tensor, past: Past, table: Tensor, rows: Integers) -> Tensor:
        """Score the whole catalogue for some rows, up to what is no inner product.

        Parameters
        ----------
        queries : float [n, width]
        past : Past
        table : float [n_items, width]
            The catalogue at the window's start.
        rows : int64 [n]
            Increasing.

        Returns
        -------
        float [n, n_items]
        """
        scores = products(queries, table)
        positions = self.facts.position[rows]
        changed = np.unique(past.log.item[self.start : int(positions[-1])]).astype(np.int64)
        if len(changed) == 0:
            return scores
        versions = item_versions(past, self.start, positions, changed)
        # Where the window has not moved an item yet, its column stays.
        seen = versions.events if versions.columns is None else versions.events[versions.columns]
        seen = np.broadcast_to(seen, (len(rows), len(changed)))
        places = _tensor(np.where(seen >= 0, seen - self.start, -1), table)
        columns = _tensor(changed, table)
        last = int(positions[-1]) - self.start
        overwritten = affine(queries, self.moved[:last]).gather(1, places.clamp(min=0))
        scores[:, columns] = torch.where(places >= 0, overwritten, scores[:, columns])
        return scores

    def score_one(
        self, queries: Tensor, past: Past, table: Tensor, rows: Integers, items: Tensor
    ) -> Tensor:
        """Do the same for one item a row, float [n]; rows in any order, repeated or not."""
        facts = self.facts[rows]
        latest = past.look_at_items(items.cpu().numpy(), facts.at, facts.position).latest
        chosen = table[items]
        inside = np.flatnonzero(latest >= self.start)
        if len(inside):
            places = _tensor(latest[inside] - self.start, table)
            chosen = chosen.index_copy(0, _tensor(inside, table), self.moved[places])
        return (queries * chosen).sum(dim=1)


def products(queries: Tensor, table: Tensor) -> Tensor:
    """Multiply rows by the catalogue; how many items there are makes no difference to one."""
    missing = MOST_COLUMNS - len(table)
    if missing <= 0:
        return affine(queries, table)
    padded = functional.pad(table, (0, 0, 0, missing))
    return affine(queries, padded)[:, : len(table)].contiguous()


def _tensor(values: Integers, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(like.device)
