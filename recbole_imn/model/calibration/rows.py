"""What a search for proportions needs of rows, small enough to be ranked hundreds of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recbole_imn.log import Floats, Integers
from recbole_imn.model.ranking import Asked
from recbole_imn.past import Facts

# Of items that no source proposes, so many ranks of each row are known at most.
MOST_RANKS = 100


@dataclass(frozen=True)
class SearchedRows:
    """Rows and the candidates that may be ranked before their items.

    An entry is a slot with a candidate of the evaluation. Entries go by row, within a row the
    row's own item first, then by item and slot.

    Attributes
    ----------
    users : int64 [n]
        Whose rows they are: numbers from 0 on, none left out.
    own : float64 [n]
        Catalogue's score of the row's item; -inf where it is no candidate itself.
    others : float64 [n, m]
        Catalogue's best scores of other items that no slot proposes, the best first.
    starts : int64 [n + 1]
        Where the entries of each row begin.
    own_stops : int64 [n]
        Where those of the row's item end.
    items, slots : int64 [n_entries]
    weights, scores : float64 [n_entries]
        Log weight before any calibration, and the catalogue's score of the item.
    """

    users: Integers
    own: Floats
    others: Floats
    starts: Integers
    own_stops: Integers
    items: Integers
    slots: Integers
    weights: Floats
    scores: Floats

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.users)


class RowCollector:
    """Collects rows batch by batch, while the network keeps candidates apart.

    Parameters
    ----------
    top : int
        Ranks that matter; at most :data:`MOST_RANKS` of them are known.
    """

    def __init__(self, top: int) -> None:
        self.top = min(top, MOST_RANKS)
        self._heard: list[tuple[Integers, Integers, Tensor, Tensor]] = []
        self._rows: list[tuple[Integers, Floats, Floats]] = []
        self._entries: list[tuple[Integers, ...]] = []
        self._weights: list[tuple[Floats, Floats]] = []
        self._n_rows = 0

    def hear(self, asked: Asked, facts: Facts) -> None:
        """Take down what sources propose for rows that are being scored."""
        self._heard.append((facts.position, facts.user, asked.candidates, asked.weights))

    def add(self, scores: Tensor, targets: Tensor, events: Integers) -> None:
        """Take down a batch that has been scored, each row's slots having been heard.

        Parameters
        ----------
        scores : float [n, n_items]
            The catalogue's, before candidates join; -inf for what is no candidate of the
            evaluation. They are overwritten.
        targets : int64 [n]
            The rows' items.
        events : int64 [n]
            Positions of the rows in the log.
        """
        users, items, weights = self._slots_of(events)
        found = scores.gather(1, items)
        empty = (weights == -torch.inf) | (found == -torch.inf)
        own = scores.gather(1, targets.unsqueeze(1))
        scores[:, 0] = -torch.inf
        scores.scatter_(1, items.masked_fill(empty, 0), -torch.inf)
        scores.scatter_(1, targets.unsqueeze(1), -torch.inf)
        # Ties count half, so that up to twice as many may stand before a rank.
        others = scores.topk(min(2 * self.top, scores.shape[1]), dim=1).values
        self._rows.append((users, _array(own.squeeze(1)), _array(others)))
        self._add_entries(items, weights, found, empty, targets)

    def _add_entries(
        self, items: Tensor, weights: Tensor, found: Tensor, empty: Tensor, targets: Tensor
    ) -> None:
        rows, slots = (~empty).nonzero(as_tuple=True)
        chosen = items[rows, slots]
        whole = rows + self._n_rows, slots, chosen, chosen == targets[rows]
        self._entries.append(tuple(part.cpu().numpy() for part in whole))
        self._weights.append((_array(weights[rows, slots]), _array(found[rows, slots])))
        self._n_rows += len(items)

    def _slots_of(self, events: Integers) -> tuple[Integers, Tensor, Tensor]:
        """Give users, candidates and log weights of rows; forget what was heard."""
        heard_positions, heard_users, heard_items, heard_weights = zip(*self._heard, strict=True)
        positions, users = np.concatenate(heard_positions), np.concatenate(heard_users)
        items, weights = torch.cat(heard_items), torch.cat(heard_weights)
        self._heard = []
        distinct, first = np.unique(positions, return_index=True)
        places = first[np.searchsorted(distinct, events)]
        chosen = torch.from_numpy(places).to(items.device)
        return users[places], items[chosen], weights[chosen]

    def rows(self) -> SearchedRows:
        """Give all rows that were collected.

        Raises
        ------
        ValueError
            If there are none.
        """
        if self._n_rows == 0:
            raise ValueError("a search for proportions needs rows, got none")
        users, own, others = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        row, slot, item, is_own = (
            np.concatenate(part) for part in zip(*self._entries, strict=True)
        )
        weights, scores = (np.concatenate(part) for part in zip(*self._weights, strict=True))
        order = np.lexsort((slot, item, ~is_own, row))
        starts = np.searchsorted(row[order], np.arange(self._n_rows + 1))
        own_stops = starts[:-1] + np.bincount(row[is_own], minlength=self._n_rows)
        return SearchedRows(
            np.unique(users, return_inverse=True)[1], own, others, starts, own_stops,
            item[order], slot[order], weights[order], scores[order],
        )  # fmt: skip


def _array(values: Tensor) -> Floats:
    found: Floats = values.double().cpu().numpy()
    return found
