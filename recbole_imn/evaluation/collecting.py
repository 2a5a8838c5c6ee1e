"""What RecBole's evaluator is given: scores that are numbers, and what was really shown.

RecBole 1.2.1 cannot compute its metrics of what is shown beside how right it is
(ItemCoverage, GiniIndex, ShannonEntropy, TailPercentage, AveragePopularity): its collector
takes counts for tensors. Formulas are RecBole's; padding is no item of the catalogue, what is
shown only because fewer than k items are candidates does not count as shown, or as found, and a
true item that is no candidate is ranked below all that are.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from recbole.evaluator import metrics
from recbole.evaluator.collector import Collector
from torch import Tensor

from recbole_imn.errors import DivergenceError
from recbole_imn.evaluation import full_ranking
from recbole_imn.kernels.counting import are_below_infinity
from recbole_imn.log import Floats
from recbole_imn.rank_metrics import gini_of
from recbole_imn.run_checks import check_valid_metric

Items = npt.NDArray[np.int64]
# What belongs to one evaluation; all else that is collected stays (evaluator/collector.py:228).
OF_ONE_EVALUATION = (
    *("rec.topk", "rec.meanrank", "rec.score", "rec.items", "data.label"),
    full_ranking.RANK,
)
# The first k items of each row, and which of them are true: collected here, the rest by RecBole.
BEST = ("rec.items", "rec.topk")
# Ranks of the true items of each row, how many items are ranked, and how many are true.
MEAN_RANKS = "rec.meanrank"


def mend() -> None:
    """Replace what does not work of RecBole's collector and of five of its metrics."""
    full_ranking.install()
    collect: Callable[..., None] = Collector.eval_batch_collect

    @wraps(collect)
    def collect_batch(self: Any, scores_tensor: Tensor, *rest: Any) -> None:
        _require_numbers(self.config["model"], scores_tensor)
        full_ranking.collect_ranks(self, scores_tensor, *rest[-2:])
        _collect_best(self, scores_tensor, *rest[-2:])
        register = self.register
        done = [*BEST, MEAN_RANKS] if _collect_missed(self, scores_tensor, *rest[-2:]) else BEST
        self.register = _Without(register, done)
        try:
            collect(self, scores_tensor, *rest)
        finally:
            self.register = register

    Collector.eval_batch_collect = collect_batch
    Collector.data_collect = _collect_data
    Collector.get_data_struct = _take_data
    metrics.ItemCoverage.get_coverage = lambda self, shown, n_items: coverage(shown, n_items)
    metrics.GiniIndex.get_gini = lambda self, shown, n_items: gini(shown, n_items)
    metrics.ShannonEntropy.get_entropy = lambda self, shown: entropy(shown)
    metrics.AveragePopularity.get_pop = lambda self, shown, counts: popularity(shown, counts)
    metrics.TailPercentage.get_tail = lambda self, shown, counts: tail(shown, counts, self.tail)
    for metric in (metrics.AveragePopularity, metrics.TailPercentage):
        metric.metric_info = lambda self, values: means_to_each_cut(values)


def _require_numbers(model: str, scores: Tensor) -> None:
    """Refuse scores that cannot be ranked.

    Raises
    ------
    DivergenceError
        If one is not a number or infinite; minus infinity marks what is no candidate.
    """
    if full_ranking.is_for_loops(scores):
        fine = are_below_infinity(scores.detach().numpy().reshape(-1))
    else:
        fine = bool((scores < torch.inf).all())
    if not fine:
        raise DivergenceError(
            f"a model gave scores that are not numbers; {model} cannot be ranked: training has "
            "diverged, or data holds extreme values; try a lower learning_rate"
        )


def _collect_data(self: Any, train_data: Any) -> None:
    """Collect what metrics need of the training data, once a training run begins."""
    if self.config["event_stream"]:
        check_valid_metric(self.config)
    dataset, need = train_data.dataset, self.register.need
    if need("data.num_items"):
        # Padding is counted by RecBole.
        self.data_struct.set("data.num_items", dataset.item_num - 1)
    if need("data.num_users"):
        self.data_struct.set("data.num_users", dataset.user_num - 1)
    if need("data.count_items"):
        self.data_struct.set("data.count_items", _counts(dataset, dataset.iid_field))
    if need("data.count_users"):
        self.data_struct.set("data.count_users", _counts(dataset, dataset.uid_field))


def _counts(dataset: Any, field: str) -> Counter[int]:
    """Count the training events of ids; users' first events, which are no rows, included."""
    if hasattr(dataset, "event_start"):
        ids = dataset.events[field][dataset.event_start : dataset.event_stop]
    else:
        ids = dataset.inter_feat[field]
    return Counter(ids.numpy().tolist())


def _take_data(self: Any) -> Any:
    """Give what an evaluation has collected, and forget what belongs to it alone."""
    held = self.data_struct
    for key, value in held._data_dict.items():
        if isinstance(value, Tensor):
            held[key] = value.cpu()
    taken = copy.deepcopy(held)
    for key in OF_ONE_EVALUATION:
        if key in held:
            del held[key]
    return taken


class _Without:
    """What metrics need beside what is collected, as RecBole's register says it."""

    def __init__(self, register: Any, collected: Collection[str]) -> None:
        self._register, self._collected = register, collected

    def need(self, key: str) -> bool:
        return key not in self._collected and bool(self._register.need(key))


def _collect_best(self: Any, scores: Tensor, rows: Tensor, items: Tensor) -> None:
    """Collect the best items of each row, and where true ones are among them.

    RecBole (evaluator/collector.py:150) sorts once for each, and marks true items in a table
    of rows and catalogue, which takes longer than most models score.

    Parameters
    ----------
    scores : float [n_rows, n_items]
    rows, items : int64 [n_true]
        Rows and columns of the true items.
    """
    wanted = [key for key in BEST if self.register.need(key)]
    if not wanted:
        return
    best_scores, best = torch.topk(scores, max(self.topk), dim=-1)
    shown = best_scores > -torch.inf
    if "rec.items" in wanted:
        # What is shown only because there are no other candidates is padding.
        self.data_struct.update_tensor("rec.items", best * shown)
    if "rec.topk" in wanted:
        n_true = torch.zeros(len(scores), 1, dtype=torch.int64, device=scores.device)
        hits = torch.zeros_like(best)
        # RecBole leaves them on the processor. A row has a true item once.
        rows, items = torch.stack([rows, items]).to(scores.device).unique(dim=1)
        hits.index_add_(0, rows, ((best[rows] == items.unsqueeze(1)) & shown[rows]).long())
        n_true.index_add_(0, rows, torch.ones_like(rows).unsqueeze(1))
        self.data_struct.update_tensor("rec.topk", torch.cat([hits, n_true], dim=1))


def _collect_missed(self: Any, scores: Tensor, rows: Tensor, items: Tensor) -> bool:
    """Collect ranks for GAUC of a batch with true items that are no candidates, and say so.

    RecBole (evaluator/collector.py:167) ranks them among all that is no candidate, but counts
    candidates alone, so that the area under the curve lies below 0. Here it is 0 for a row
    whose one true item is missing.

    Parameters as of :func:`_collect_best`.
    """
    if not self.register.need(MEAN_RANKS):
        return False
    # RecBole leaves them on the processor. A row has a true item once.
    rows, items = torch.stack([rows, items]).to(scores.device).unique(dim=1)
    ranks, _ = full_ranking.ranks_of_scores(scores[rows], items)
    missing = ranks == torch.inf
    if not missing.any():
        return False
    ranks, missing = ranks.masked_fill(missing, 0.0), missing.double()
    n_candidates = (scores > -torch.inf).sum(dim=1).double()
    none = torch.zeros_like(n_candidates)
    n_true = none.index_add(0, rows, torch.ones_like(missing))
    n_missing = none.index_add(0, rows, missing)
    # Behind a candidate at least: where there is none, nothing that is true was found.
    last = n_candidates.clamp(min=1.0)
    behind = n_missing * last + n_missing * (n_missing + 1) / 2
    n_ranked = torch.where(n_missing > 0, last + n_missing, n_candidates)
    summed = none.index_add(0, rows, ranks) + behind
    self.data_struct.update_tensor(
        MEAN_RANKS, torch.stack([summed, n_ranked, n_true], dim=1).to(scores.dtype)
    )
    return True


def coverage(shown: Items, n_items: int) -> float:
    """Give the share of the catalogue that is shown to anybody, [n_rows, k]; 0 is no item."""
    return len(np.unique(shown[shown > 0])) / n_items


def gini(shown: Items, n_items: int) -> float:
    """Give the inequality of how often items are shown, 0 (all alike) to 1."""
    return gini_of(np.unique(shown[shown > 0], return_counts=True)[1], n_items)


def entropy(shown: Items) -> float:
    """Give the entropy of what is shown, divided by the number of items as RecBole does."""
    counts = np.unique(shown[shown > 0], return_counts=True)[1]
    shares = counts / max(int(counts.sum()), 1)
    return float(-(shares * np.log(shares)).sum()) / max(len(counts), 1)


def popularity(shown: Items, counts: Mapping[int, int]) -> Floats:
    """Give the training events of what is shown, float64 [n_rows, k]; nan for no item."""
    items, places = np.unique(shown, return_inverse=True)
    values = np.array([counts.get(int(item), 0) if item else np.nan for item in items], np.float64)
    return values[places.reshape(shown.shape)]


def tail(shown: Items, counts: Mapping[int, int], ratio: float) -> Floats:
    """Say what of the shown is seldom in training, 0 or 1, float64 [n_rows, k]; nan for no item.

    Parameters
    ----------
    shown : int64 [n_rows, k]
    counts : mapping of int to int
        Training events of items.
    ratio : float
        Above 1: items with at most so many events. Else the share of the items with any
        events that counts as seldom, equal ones in order of ids.
    """
    if ratio > 1:
        seldom = [item for item, count in counts.items() if count <= ratio]
    else:
        ordered = sorted(counts, key=lambda item: (counts[item], item))
        seldom = ordered[: max(int(len(ordered) * ratio), 1)]
    return np.where(shown > 0, np.isin(shown, seldom), np.nan).astype(np.float64)


def means_to_each_cut(values: Floats) -> Floats:
    """Give means of the first 1, 2, ... columns, float64 [n_rows, k]; 0 where nothing is shown."""
    there = ~np.isnan(values)
    sums = np.where(there, values, 0.0).cumsum(axis=1)
    means: Floats = sums / np.maximum(there.cumsum(axis=1), 1)
    return means
