"""Metrics of the rank of a row's only relevant item, and how evenly items are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recbole_imn.errors import SettingsError
from recbole_imn.log import Floats, Integers

FULL_MRR = "fullmrr"
# A cut beyond any catalogue, for the metric that has none.
NO_CUT = 2**62


@dataclass(frozen=True)
class RankMetric:
    """A metric as a function of the rank, from 1, of a row's only relevant item.

    Attributes
    ----------
    gain : callable
        Value at ranks down to the cut.
    top : int
        The cut; lower ranks are worth 0.
    """

    gain: Callable[[Floats], Floats]
    top: int

    def __call__(self, ranks: Floats) -> Floats:
        """Give the value at each rank.

        Parameters
        ----------
        ranks : float64, of any shape
            A half where items tie, infinity where the true item is no candidate.
        """
        return np.where(ranks <= self.top, self.gain(ranks), 0.0)


def rank_metric(name: str) -> RankMetric:
    """Find a metric of ranks by its name with a cut, such as 'NDCG@10', or 'FullMRR' without.

    Parameters
    ----------
    name : str
        In capitals or not.

    Raises
    ------
    SettingsError
        If the metric is unknown or has no cut.
    """
    kind, _, cut = name.lower().partition("@")
    if (kind, cut) == (FULL_MRR, ""):
        return RankMetric(_inverse, NO_CUT)
    if kind not in _METRICS or not cut.isdigit():
        raise SettingsError(f"{name!r} is no metric of a row's rank; choose {_known()}")
    top = int(cut)
    if kind == "precision":
        return RankMetric(lambda ranks: np.full_like(ranks, 1 / top), top)
    return RankMetric(_METRICS[kind], top)


def searched_metric(name: str, switch: str | None = None) -> RankMetric:
    """Find the metric by which something is chosen on validation.

    Parameters
    ----------
    name : str
        As ``valid_metric`` gives it.
    switch : str, optional
        The setting that leaves the choice out if it is False, named in the message.

    Raises
    ------
    SettingsError
        If it is no metric of ranks.
    """
    try:
        return rank_metric(name)
    except SettingsError as error:
        otherwise = f", or set {switch}: False" if switch else ""
        raise SettingsError(
            f"valid_metric is {name!r}, which a search on validation cannot use; choose "
            f"{_known()}{otherwise}"
        ) from error


def _discount(ranks: Floats) -> Floats:
    gains: Floats = 1 / np.log2(1 + ranks)
    return gains


def _inverse(ranks: Floats) -> Floats:
    return 1 / ranks


_METRICS: dict[str, Callable[[Floats], Floats]] = {
    "ndcg": _discount,
    "mrr": _inverse,
    "map": _inverse,
    "recall": np.ones_like,
    "hit": np.ones_like,
    # Over the cut, which is not known here.
    "precision": np.ones_like,
}


def _known() -> str:
    return f"one of {', '.join(f'{metric.upper()}@10' for metric in _METRICS)} (any cut)"


def gini_of(counts: Integers, n_items: int) -> float:
    r"""Give the Gini coefficient of how often items are shown, 0 (all alike) to 1.

    .. math::
        G = \frac{\sum_j (2 j - n - 1) c_{(j)}}{n \sum_j c_j}

    with c in rising order.

    Parameters
    ----------
    counts : int64 [at most n_items]
        Of some items, among them all that are shown at all.
    n_items : int
    """
    places = np.arange(n_items - len(counts) + 1, n_items + 1)
    total = int(((2 * places - n_items - 1) * np.sort(counts)).sum())
    return total / (n_items * max(int(counts.sum()), 1))
