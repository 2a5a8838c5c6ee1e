"""Exact scores of the whole catalogue at each row's own time, with moving item states."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recbole_imn.stream.events import Integers
from recbole_imn.stream.products import affine
from recbole_imn.stream.tbatch import rows_at


class ItemTimeline:
    """Representations of all items over a segment of the stream.

    An item is what it was at the segment's start until an event of the segment moves it.
    Scores are inner products, so the catalogue at one moment is a plain product, and only
    the columns of items that moved are overwritten.

    Parameters
    ----------
    start, stop : int
        The segment: events ``start <= k < stop``.
    base : float [n_items, width]
        Representations at the segment's start.
    items : int64 [stop - start]
        The item of each event.
    moved : float [stop - start, width]
        Representation of that item just after each event.
    """

    def __init__(self, start: int, stop: int, base: Tensor, items: Integers, moved: Tensor) -> None:
        if not len(items) == len(moved) == stop - start:
            raise ValueError(
                f"segment {start}..{stop} has {stop - start} events, "
                f"got {len(items)} items and {len(moved)} representations"
            )
        self.start, self.stop = start, stop
        self._base, self._moved, self._items = base, moved, items
        self._n = max(stop - start, 1)
        order = np.argsort(items, kind="stable")
        self._keys = items[order] * self._n + order
        self._key_rows = order
        self._current = base.clone()
        self._position = start

    def score(self, queries: Tensor, positions: Integers, items: Tensor) -> Tensor:
        """Score one item a row at the row's own time.

        Parameters
        ----------
        queries : float [n_rows, width]
        positions : int64 [n_rows]
            Stream positions; a row sees the events before its position.
        items : int64 [n_rows]

        Returns
        -------
        float [n_rows]
        """
        ids = items.cpu().numpy()
        newest = self._newest(ids, positions)
        found = torch.from_numpy(newest >= 0).to(queries.device).unsqueeze(1)
        rows = torch.from_numpy(np.maximum(newest, 0)).to(queries.device)
        if len(self._moved) == 0:
            return (queries * self._base[items]).sum(dim=1)
        return (queries * torch.where(found, self._moved[rows], self._base[items])).sum(dim=1)

    def score_all(self, queries: Tensor, positions: Integers, chunk: int) -> Tensor:
        """Score the whole catalogue for each row at the row's own time.

        Parameters
        ----------
        queries : float [n_rows, width]
        positions : int64 [n_rows]
            Stream positions in any order, each in ``start..stop``.
        chunk : int
            Rows scored at a time; bounds the memory for items that move meanwhile.

        Returns
        -------
        float [n_rows, n_items]
        """
        self._check(positions)
        if len(positions) <= chunk and (positions[1:] >= positions[:-1]).all():
            return self._score_piece(queries, positions)
        order = np.argsort(positions, kind="stable")
        scores = queries.new_empty(len(positions), len(self._base))
        for piece in np.array_split(order, range(chunk, len(order), chunk)):
            rows = torch.from_numpy(piece).to(queries.device)
            scores[rows] = self._score_piece(queries[rows], positions[piece])
        return scores

    def _score_piece(self, queries: Tensor, positions: Integers) -> Tensor:
        """Scores of rows whose positions do not decrease."""
        first, last = int(positions[0]), int(positions[-1])
        self._move_to(first)
        scores = affine(queries, self._current)
        changed = np.unique(self._items[first - self.start : last - self.start])
        if len(changed):
            newest = self._newest(changed[None, :], positions[:, None])
            # Versions older than the piece are in the current table already.
            versions = torch.from_numpy(newest - (first - self.start)).to(queries.device)
            moved = self._moved[first - self.start : last - self.start]
            columns = torch.from_numpy(changed).to(queries.device)
            overwritten = affine(queries, moved).gather(1, versions.clamp(min=0))
            scores[:, columns] = torch.where(versions >= 0, overwritten, scores[:, columns])
        return scores

    def _move_to(self, position: int) -> None:
        """Bring the current table to a position; backwards means starting again."""
        if position < self._position:
            self._current.copy_(self._base)
            self._position = self.start
        passed = self._items[self._position - self.start : position - self.start]
        # Reversed, the first occurrence of an item is its newest event.
        items, from_end = np.unique(passed[::-1], return_index=True)
        events = position - self.start - 1 - from_end
        device = self._current.device
        self._current[torch.from_numpy(items).to(device)] = self._moved[
            torch.from_numpy(events).to(device)
        ]
        self._position = position

    def _newest(self, items: Integers, positions: Integers) -> Integers:
        """Newest event of an item before a position, counted from the start; -1 for none."""
        places = positions - self.start
        none = np.int64(-1)
        return rows_at(self._keys, self._key_rows, self._n, items, places, np.asarray(none))

    def _check(self, positions: Integers) -> None:
        outside = (positions < self.start) | (positions > self.stop)
        if outside.any():
            raise ValueError(
                f"position {positions[outside][0]} is outside the segment {self.start}..{self.stop}"
            )
