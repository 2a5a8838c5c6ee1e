"""What RecBole's evaluator is given: scores that are numbers, and what was really shown.

RecBole 1.2.1 cannot compute its metrics of what is shown beside how right it is
(ItemCoverage, GiniIndex, ShannonEntropy, TailPercentage, AveragePopularity): its collector
takes counts for tensors. Formulas are RecBole's; padding is no item of the catalogue, and what
is shown only because fewer than k items are candidates does not count as shown, or as found.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping
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
from recbole_imn.run_checks import check_valid_metric

Items = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
# What belongs to one evaluation; all else that is collected stays (evaluator/collector.py:228).
OF_ONE_EVALUATION = (
    *("rec.topk", "rec.meanrank", "rec.score", "rec.items", "data.label"),
    full_ranking.RANK,
)


def mend() -> None:
    """Replace what does not work of RecBole's collector and of five of its metrics."""
    full_ranking.install()
    collect: Callable[..., None] = Collector.eval_batch_collect

    @wraps(collect)
    def collect_batch(self: Any, scores_tensor: Tensor, *rest: Any) -> None:
        _require_numbers(self.config["model"], scores_tensor)
        collect(self, scores_tensor, *rest)
        full_ranking.collect_ranks(self, scores_tensor, *rest[-2:])
        if self.register.need("rec.topk"):
            # RecBole leaves the places of true items on the processor.
            rows, items = (places.to(scores_tensor.device) for places in rest[-2:])
            _miss_no_candidates(self, scores_tensor, rows, items)
        if self.register.need("rec.items"):
            _drop_no_candidates(self, scores_tensor)

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
    if not bool((scores < torch.inf).all()):
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


def _miss_no_candidates(self: Any, scores: Tensor, rows: Tensor, items: Tensor) -> None:
    """Count no true item as found that is no candidate, where others fill the first k."""
    missing = rows[scores[rows, items] == -torch.inf].unique()
    hits = self.data_struct["rec.topk"][-len(scores) :]
    # Of a row, candidates come first; the last column counts its true items.
    n_candidates = (scores[missing] > -torch.inf).sum(dim=1, keepdim=True)
    shown = torch.arange(hits.shape[1] - 1, device=scores.device) < n_candidates
    hits[missing, :-1] *= shown.to(hits)


def _drop_no_candidates(self: Any, scores: Tensor) -> None:
    """Put 0 where the latest rows show what is no candidate, because there are no others."""
    shown = self.data_struct["rec.items"][-len(scores) :]
    shown[scores.gather(1, shown) == -torch.inf] = 0


def coverage(shown: Items, n_items: int) -> float:
    """Give the share of the catalogue that is shown to anybody, [n_rows, k]; 0 is no item."""
    return len(np.unique(shown[shown > 0])) / n_items


def gini(shown: Items, n_items: int) -> float:
    """Give the inequality of how often items are shown, 0 (all alike) to 1."""
    counts = np.sort(np.unique(shown[shown > 0], return_counts=True)[1])
    places = np.arange(n_items - len(counts) + 1, n_items + 1)
    total = float(((2 * places - n_items - 1) * counts).sum())
    return total / (n_items * max(int(counts.sum()), 1))


def entropy(shown: Items) -> float:
    """Give the entropy of what is shown, divided by the number of items as RecBole does."""
    counts = np.unique(shown[shown > 0], return_counts=True)[1]
    shares = counts / max(int(counts.sum()), 1)
    return float(-(shares * np.log(shares)).sum()) / max(len(counts), 1)


def popularity(shown: Items, counts: Mapping[int, int]) -> Reals:
    """Give the training events of what is shown, float64 [n_rows, k]; nan for no item."""
    items, places = np.unique(shown, return_inverse=True)
    values = np.array([counts.get(int(item), 0) if item else np.nan for item in items], np.float64)
    return values[places.reshape(shown.shape)]


def tail(shown: Items, counts: Mapping[int, int], ratio: float) -> Reals:
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


def means_to_each_cut(values: Reals) -> Reals:
    """Give means of the first 1, 2, ... columns, float64 [n_rows, k]; 0 where nothing is shown."""
    there = ~np.isnan(values)
    sums = np.where(there, values, 0.0).cumsum(axis=1)
    means: Reals = sums / np.maximum(there.cumsum(axis=1), 1)
    return means
