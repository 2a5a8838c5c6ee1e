"""The place of the true item among all candidates, and RecBole's metric of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from recbole.evaluator import register
from recbole.evaluator.base_metric import AbstractMetric
from recbole.utils import EvaluatorType
from torch import Tensor

from recbole_imn.kernels.counting import count_above
from recbole_imn.rank_metrics import FULL_MRR

# What RecBole's collector keeps for the metric, float64 [n_rows].
RANK = "rec.rank"


def ranks_of_scores(scores: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Rank the true item of each row among the candidates, ties counted half.

    Parameters
    ----------
    scores : float [n_rows, n_items]
        Scores of all items; minus infinity marks what is no candidate.
    items : int64 [n_rows]
        The true item of each row.

    Returns
    -------
    rank : float64 [n_rows]
        1 + items with a higher score + half of the other items with the same score;
        infinity where the true item is no candidate itself.
    ties : int64 [n_rows]
        Other candidates with the same score.

    Raises
    ------
    ValueError
        If a score is not a number.
    """
    try:
        above, equal = _count_above(scores, items)
    except ValueError as error:
        raise ValueError("a model gave scores that are not numbers; it cannot be ranked") from error
    missing = scores.gather(1, items.reshape(-1, 1)).squeeze(1) == -np.inf
    ties = (equal - 1).masked_fill(missing, 0)
    rank = (1 + above + ties / 2.0).double().masked_fill(missing, np.inf)
    return rank, ties


def _count_above(scores: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Count scores above the true item's, and as high, int64 [n_rows] each."""
    if not is_for_loops(scores):
        return count_with_torch(scores, items)
    above, equal = count_above(scores.detach().numpy(), items.numpy())
    return torch.from_numpy(above), torch.from_numpy(equal)


def count_with_torch(scores: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Count as the compiled loop does, on any device and of any type.

    Raises
    ------
    ValueError
        If a score is not a number.
    """
    if scores.isnan().any():
        raise ValueError("a score is no number")
    own = scores.gather(1, items.reshape(-1, 1))
    return (scores > own).sum(dim=1), (scores == own).sum(dim=1)


def is_for_loops(scores: Tensor) -> bool:
    """Whether compiled loops can read scores: they are on the processor, of a usual type."""
    return scores.device.type == "cpu" and scores.dtype in (torch.float32, torch.float64)


class FullMRR(AbstractMetric):  # type: ignore[misc]  # RecBole is untyped
    r"""Mean reciprocal rank without a cut, ties counted half.

    .. math:: \frac{1}{|R|} \sum_{r \in R} \frac{1}{\mathrm{rank}_r}

    RecBole's MRR ends at a cut, and gives tied items whatever order a sort leaves them in.
    """

    metric_type = EvaluatorType.RANKING
    metric_need = (RANK,)

    def calculate_metric(self, dataobject: Any) -> dict[str, float]:
        """Give ``fullmrr`` of the rows that were collected."""
        rank: Tensor = dataobject.get(RANK)
        return {FULL_MRR: round(float((1 / rank).mean()), self.decimal_place)}


def install() -> None:
    """Let settings name ``FullMRR`` among their metrics (evaluator/register.py)."""
    name = FullMRR.__name__.lower()
    register.metrics_dict[name] = FullMRR
    register.metric_types[name] = FullMRR.metric_type
    register.metric_information[name] = list(FullMRR.metric_need)


def collect_ranks(collector: Any, scores: Tensor, rows: Tensor, items: Tensor) -> None:
    """Keep the ranks of a batch, where a metric needs them.

    Parameters
    ----------
    collector : recbole.evaluator.collector.Collector
    scores : float [n_rows, n_items]
    rows, items : int64 [n_true]
        Rows and columns of the true items.
    """
    if collector.register.need(RANK):
        rows = rows.to(scores.device)
        rank, _ = ranks_of_scores(scores[rows], items.to(scores.device))
        collector.data_struct.update_tensor(RANK, rank)
