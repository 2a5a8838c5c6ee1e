"""Recency and popularity that fade, in proportions that are fitted on validation."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_imn.baselines.local_rows import Rules, Walks, rank_rows, score_rows
from recbole_imn.baselines.orders import places_of
from recbole_imn.baselines.trending import trending
from recbole_imn.log import Floats, Integers
from recbole_imn.model.recency import RecentHistory
from recbole_imn.model.rows import event_indices
from recbole_imn.rank_metrics import RankMetric

HOUR = 3600.0
# Trending items that rows find.
N_TREND = 50
# Validation rows that a choice looks at, evenly spaced.
MOST_ROWS = 4_000
SWEEPS = 2


@dataclass(frozen=True)
class Proportions:
    """What is fitted.

    Attributes
    ----------
    own_power : float
        The user's r-th latest event counts :math:`r^{-p}`.
    following_power : float
        The same of the r-th latest time that anybody went on from an item.
    following_weight, trend_weight : float
        Of what followed the user's latest item, and of the trend; own events have 1.
    half_life : float
        Hours in which an event loses half of what it counts in the trend.
    """

    own_power: float = 1.0
    following_power: float = 0.5
    following_weight: float = 0.1
    trend_weight: float = 0.01
    half_life: float = 168.0


# Tried one after the other, the others held.
GRID: dict[str, tuple[float, ...]] = {
    "own_power": (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0),
    "following_weight": (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    "trend_weight": (0.0, 0.001, 0.01, 0.1, 1.0, 10.0),
    "half_life": (1.0, 6.0, 24.0, 72.0, 168.0, 720.0, 8760.0),
    "following_power": (0.0, 0.25, 0.5, 1.0, 2.0),
}


class LocalGlobal(RecentHistory):
    r"""Own recency, what followed for anybody, and fading popularity, weighed on validation.

    .. math::
        s(i) = \frac{\sum_{r : o_r = i} r^{-p}}{\sum_r r^{-p}}
        + w_f \sum_{a=1}^3 \frac{1}{a} \frac{\sum_{j : f_{aj} = i} j^{-q}}{\sum_j j^{-q}}
        + w_g \frac{\sum_{k : i_k = i} 2^{-(t - t_k)/h}}{\sum_k 2^{-(t - t_k)/h}}

    with the user's r-th latest item :math:`o_r`, and the item :math:`f_{aj}` that somebody, the
    j-th latest time, went on to from the a-th latest of the user's distinct items. The first term
    alone is a memory of edges that fades, as EdgeBank [1]_ has one that does not; the last is the
    popularity that [2]_ found hard to beat. Everything is counted over the log up to the row,
    event by event, through the validation and test rows too.

    The five numbers of :class:`Proportions` are chosen on at most 4,000 evenly spaced rows of
    the validation part: each in turn is set to the best value of ``GRID`` with the others held,
    twice around. Without a validation they are as they begin. Items that a row does not find are
    ranked by training events.

    Parameters
    ----------
    config : recbole.config.Config
        ``recent_events`` and ``following_events``: how many of the latest ones count.
    dataset : IMNNetDataset

    References
    ----------
    .. [1] F. Poursafaei et al., "Towards better evaluation for dynamic link prediction",
       NeurIPS 2022.
    .. [2] M. Daniluk and J. Dabrowski, "Temporal graph models fail to capture global temporal
       dynamics", arXiv 2309.15730, 2023.
    """

    chooses = True
    proportions: Tensor

    def __init__(self, config: Any, dataset: Any) -> None:
        super().__init__(config, dataset)
        self.following_events = config["following_events"]
        self.places = places_of(self.popularity.numpy())
        self.register_buffer("proportions", _as_tensor(Proportions()))

    @property
    def chosen(self) -> Proportions:
        """What is used."""
        return Proportions(*self.proportions.tolist())

    # -- choice ----------------------------------------------------------------------------

    def choose(self, events: Integers, metric: RankMetric) -> str:
        """Search the grid on validation rows; the parameters are those of the base class."""
        rows = np.sort(events)[:: -(-len(events) // MOST_ROWS)]
        trends = {hours: self._trend(rows, hours) for hours in GRID["half_life"]}

        def value(proportions: Proportions) -> float:
            ranks = np.empty(len(rows), np.float64)
            trend = trends[proportions.half_life]
            rank_rows(rows, *trend, self._walks(), self._rules(proportions), ranks)
            return float(metric(ranks).mean())

        best = self._search(value)
        self.proportions.copy_(_as_tensor(best))
        told = ", ".join(f"{name} {number:g}" for name, number in vars(best).items())
        return f"local and global: {told}; {value(best):.4f} on {len(rows)} validation rows"

    @staticmethod
    def _search(value: Any) -> Proportions:
        """Set one number after the other to the best of its grid; of equal ones, as before."""
        best = Proportions()
        score = value(best)
        for _ in range(SWEEPS):
            for name, numbers in GRID.items():
                for number in numbers:
                    tried = replace(best, **{name: number})
                    found = value(tried)
                    if found > score:
                        best, score = tried, found
        return best

    # -- scores ----------------------------------------------------------------------------

    def full_sort_predict(self, interaction: Interaction) -> Tensor:
        """Score the whole catalogue for each row, float32 [n, n_items]."""
        events = event_indices(interaction).astype(np.int64)
        scores = np.repeat(self.popularity.cpu().numpy()[None], len(events), axis=0)
        trend, rules = self._trend(events, self.chosen.half_life), self._rules(self.chosen)
        order = np.argsort(events, kind="stable")
        score_rows(events, order, *trend, self._walks(), rules, scores)
        return torch.from_numpy(scores).to(self.popularity.device)

    def _trend(self, events: Integers, hours: float) -> tuple[Integers, Floats]:
        log = self.past.log
        return trending(events, log.item, log.time, hours * HOUR, self.places, N_TREND)

    def _walks(self) -> Walks:
        return Walks(self.past.log.item, self.past.chains.user, self.past.chains.link)

    def _rules(self, proportions: Proportions) -> Rules:
        own, following = (1.0 + np.arange(n) for n in (self.recent_events, self.following_events))
        return Rules(
            own**-proportions.own_power,
            following**-proportions.following_power,
            proportions.following_weight,
            proportions.trend_weight,
            self.places,
        )


def _as_tensor(proportions: Proportions) -> Tensor:
    numbers = [getattr(proportions, field.name) for field in fields(Proportions)]
    return torch.tensor(numbers, dtype=torch.float64)
