"""Rows at random, and their ranks by the whole catalogue."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from recbole_imn.evaluation.ranks import ranks_of_scores
from recbole_imn.kernels.mixture_ranking import add_mixture
from recbole_imn.model.calibration import Calibration
from recbole_imn.model.calibration.rows import RowCollector

SIZES, BY_RECENCY = (4, 3), (True, False)


class Rows:
    """Scores of a catalogue and slots of two sources, in few values, so that there are ties."""

    def __init__(self, seed: int, n_rows: int = 12, n_items: int = 15) -> None:
        generator = torch.Generator().manual_seed(seed)

        def draw(low, high, *shape):
            return torch.randint(low, high, shape, generator=generator)

        self.scores = draw(-2, 3, n_rows, n_items).double() / 2
        self.scores[:, 0] = -torch.inf
        # No candidates of the evaluation.
        self.scores[draw(0, 6, n_rows, n_items) == 0] = -torch.inf
        self.items = draw(0, n_items, n_rows, sum(SIZES))
        own = self.items[:, : SIZES[0]]
        for row in own:
            row.copy_(torch.randperm(n_items - 1, generator=generator)[: SIZES[0]] + 1)
        self.weights = draw(-2, 3, n_rows, sum(SIZES)).double() / 2
        self.weights[(self.items == 0) | (draw(0, 5, n_rows, sum(SIZES)) == 0)] = -torch.inf
        self.targets = draw(1, n_items, n_rows)
        self.users = draw(1, 5, n_rows).numpy()
        self.calibration = Calibration(SIZES, BY_RECENCY).double()

    def ranks(self, proportions):
        """Rank the targets among all items, float64 [n]."""
        self.calibration.set(proportions)
        weights = self.calibration(self.weights)
        mixed = add_mixture(self.scores.clone(), self.items, weights)
        mixed[self.scores == -torch.inf] = -torch.inf
        return ranks_of_scores(mixed, self.targets)[0].numpy()

    def collected(self, top, batch=5):
        """The same rows as a search sees them; heard in pieces, and some of them twice."""
        collector, n = RowCollector(top), len(self.targets)
        for start in range(0, n, batch):
            events = np.arange(start, min(start + batch, n))
            for some in (events[:2], events[1:]):
                facts = SimpleNamespace(position=some, user=self.users[some])
                asked = SimpleNamespace(candidates=self.items[some], weights=self.weights[some])
                collector.hear(asked, facts)
            collector.add(self.scores[events].clone(), self.targets[events], events)
        return collector.rows()
