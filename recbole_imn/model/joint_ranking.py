"""Search for the weights of the joint ranking, equations (23)-(24), in one pass over rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recbole_imn.log import Floats
from recbole_imn.rank_metrics import rank_metric

N_WEIGHTS = 21


@dataclass(frozen=True)
class JointWeights:
    """What a search found.

    Attributes
    ----------
    mse, nce : float
        alpha_m and alpha_n; they add up to 1.
    mse_scale, nce_scale : float
        What the two parts are divided by before they are weighed.
    score : float
        The metric at these weights.
    """

    mse: float
    nce: float
    mse_scale: float
    nce_scale: float
    score: float


class WeightSearch:
    """Try the weights (1 - w, w) for w = 0, 0.05, ..., 1 on batches of scored rows.

    Parts are scaled by their spread in the first batch, so that one pass does: the scale
    sets the unit of the weights, and need not be exact.

    Parameters
    ----------
    metric : str
        A metric of ranks with its cut, such as 'NDCG@10'.
    standard : bool
        Whether parts are divided by their standard deviations. False: they are added as
        they are.

    Attributes
    ----------
    found : list of (float64 [n_weights], int)
        Of each batch, in order: sums of the metric, and the number of rows.

    Raises
    ------
    SettingsError
        If the metric is none of ranks.
    """

    def __init__(self, metric: str, standard: bool) -> None:
        self.metric = rank_metric(metric)
        self.standard = standard
        self._scales: tuple[float, float] | None = None
        # Of each batch, the sums of the metric by all weights, and its rows.
        self.found: list[tuple[Floats, int]] = []

    def add(self, mse: Tensor, nce: Tensor, targets: Tensor) -> None:
        """Rank the targets of a batch by all weights.

        Parameters
        ----------
        mse, nce : float [n_rows, n_items]
            The two parts of the scores; minus infinity in both for what is no candidate.
        targets : int64 [n_rows]
            The item of each row.
        """
        if self._scales is None:
            self._scales = (spread(mse), spread(nce)) if self.standard else (1.0, 1.0)
        mse_scale, nce_scale = self._scales
        # Most rows are below the cut by any weights, and need no sweep; what is no candidate
        # is not found by any.
        near = ahead_of(targets, mse, nce) < self.metric.top
        shown = mse.gather(1, targets.unsqueeze(1)).squeeze(1) > -torch.inf
        rows = (near & shown).nonzero().squeeze(1)
        grid = torch.linspace(0, 1, N_WEIGHTS, dtype=mse.dtype, device=mse.device)
        ranks = sweep_ranks(mse[rows] / mse_scale, nce[rows] / nce_scale, targets[rows], grid)
        self.found.append((self.metric(ranks.cpu().numpy()).sum(axis=0), len(targets)))

    def best(self) -> JointWeights:
        """Give the weights with the best metric; of equal ones, the smallest w.

        Raises
        ------
        ValueError
            If no rows were added.
        """
        if self._scales is None:
            raise ValueError("a search for ranking weights needs rows, got none")
        total = np.zeros(N_WEIGHTS)
        for sums, _ in self.found:
            total += sums
        place = int(total.argmax())
        weight = place / (N_WEIGHTS - 1)
        score = float(total[place]) / sum(n for _, n in self.found)
        return JointWeights(1 - weight, weight, *self._scales, score)


def ahead_of(targets: Tensor, mse: Tensor, nce: Tensor) -> Tensor:
    """Count the candidates that both parts rank above each row's target, int64 [n_rows]."""
    column = targets.unsqueeze(1)
    return ((mse > mse.gather(1, column)) & (nce > nce.gather(1, column))).sum(dim=1)


def spread(scores: Tensor) -> float:
    """Give the standard deviation over a row's candidates, pooled over rows; 1 if it is 0.

    Parameters
    ----------
    scores : float [n_rows, n_items]
        Minus infinity for what is no candidate.
    """
    candidate = scores.isfinite()
    n = candidate.sum(dim=1, keepdim=True).clamp(min=1)
    values = scores.masked_fill(~candidate, 0.0)
    away = (values - values.sum(dim=1, keepdim=True) / n).masked_fill(~candidate, 0.0)
    deviation = float((away.square().sum(dim=1, keepdim=True) / n).mean().sqrt())
    return deviation if deviation > 0 else 1.0


def sweep_ranks(first: Tensor, second: Tensor, targets: Tensor, grid: Tensor) -> Tensor:
    """Rank each row's target by (1 - w) * first + w * second for every w at once.

    A candidate that is ahead of the target by one part and behind by the other changes
    sides at one w, so that counting where sides change gives all ranks.

    Parameters
    ----------
    first, second : float [n_rows, n_items]
        Minus infinity in both for what is no candidate.
    targets : int64 [n_rows]
    grid : float [n_weights]
        Increasing, in 0..1.

    Returns
    -------
    float64 [n_rows, n_weights]
        1 + candidates ahead + half of the candidates at the same score.
    """
    column = targets.unsqueeze(1)
    ahead_first = first - first.gather(1, column)
    ahead_second = second - second.gather(1, column)
    always = (ahead_first > 0) & (ahead_second > 0)
    equal = (ahead_first == 0) & (ahead_second == 0)
    # Two for a candidate that is ahead, one for one that ties; the target ties with itself.
    halves = (2 * always.sum(dim=1) + equal.sum(dim=1) - 1).unsqueeze(1)
    leaves = (ahead_first >= 0) & (ahead_second <= 0) & ~equal
    arrives = (ahead_first <= 0) & (ahead_second >= 0) & ~equal
    n_leaving = _passed(leaves, ahead_first, ahead_second, grid)
    halves = halves + 2 * leaves.sum(dim=1, keepdim=True) - n_leaving
    halves = halves + _passed(arrives, ahead_first, ahead_second, grid)
    return 1 + halves.double() / 2


def _passed(chosen: Tensor, first: Tensor, second: Tensor, grid: Tensor) -> Tensor:
    """Count chosen candidates whose crossing is below each w twice, at w once, int64 [n, n_w]."""
    rows, columns = chosen.nonzero(as_tuple=True)
    start, end = first[rows, columns], second[rows, columns]
    crossing = start / (start - end)
    bins = len(grid) + 1
    counts = torch.zeros(len(chosen), bins, dtype=torch.int64, device=rows.device)
    for right in (False, True):
        reached = torch.searchsorted(grid, crossing, right=right)
        places = torch.bincount(rows * bins + reached, minlength=counts.numel())
        counts += places.view_as(counts).cumsum(dim=1)
    return counts[:, :-1]
