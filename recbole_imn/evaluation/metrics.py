"""Means of recall, NDCG and MRR, and where RecBole's figures differ from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recbole_imn.log import Floats
from recbole_imn.rank_metrics import FULL_MRR, rank_metric

CUTS = (10, 20)
# RecBole keeps scores in float32 and rounds its figures.
TOLERANCE = 1e-6


def metrics_of_ranks(
    rank: Floats, cuts: Sequence[int] = CUTS, whole: bool = False
) -> dict[str, float]:
    """Give means over rows under RecBole's names, such as ``ndcg@10``; empty without rows.

    Parameters
    ----------
    rank : float64 [n_rows]
    cuts : sequence of int
    whole : bool
        Whether ``fullmrr``, without a cut, is among them.
    """
    if len(rank) == 0:
        return {}
    names = [*names_with_cuts(cuts), *([FULL_MRR] if whole else [])]
    return {name: float(rank_metric(name)(rank).mean()) for name in names}


def names_with_cuts(cuts: Sequence[int] = CUTS) -> list[str]:
    """Give RecBole's names of the metrics of the first items, such as ``ndcg@10``."""
    return [f"{metric}@{cut}" for metric in ("recall", "ndcg", "mrr") for cut in cuts]


def difference_warning(
    own: Mapping[str, float], recbole: Mapping[str, float], tied: int, missing: int
) -> str | None:
    """Say where RecBole's figures differ from ours and why, or give None.

    RecBole takes the top items in whatever order equal scores come. So a model that gives
    many items the same score may look better or worse there than it is.

    Parameters
    ----------
    own, recbole : mapping of str to float
        Metrics by name.
    tied, missing : int
        Rows whose true item ties with others, and rows whose true item is no candidate.
    """
    differing = [
        f"{name} {recbole[name]:.4f} there, {value:.4f} here"
        for name, value in own.items()
        if name in recbole and abs(recbole[name] - value) > TOLERANCE
    ]
    if not differing:
        return None
    return (
        f"RecBole's evaluator differs, with {tied} rows with ties and {missing} rows whose true "
        f"item is no candidate: {'; '.join(differing)}"
    )
