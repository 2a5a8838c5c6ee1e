"""Scores of single users: RecBole's ``full_sort_scores`` and ``full_sort_topk``, strict.

RecBole (utils/case_study.py) looks users up in the rows of a loader. Where it finds none it
goes on with fewer rows than users, or fails in the model; what is not for sale it leaves in. Where
it finds several of a user, as of one cut in time for all, it would give more rows than users, the
second of which is not that of the second user.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.utils import case_study
from torch import Tensor

from recbole_imn.compat.views import replace
from recbole_imn.errors import DataError
from recbole_imn.validation import shown


def mend() -> None:
    """Check what both functions are asked, wherever they have been imported already."""
    scores, topk = case_study.full_sort_scores, case_study.full_sort_topk
    # full_sort_topk finds the other function in its module.
    replace(scores, _strict_scores(scores), everywhere=True)
    replace(topk, _strict_topk(topk), everywhere=True)


def _strict_scores(original: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @wraps(original)
    def full_sort_scores(
        uid_series: Sequence[int], model: Any, test_data: Any, device: Any = None
    ) -> Tensor:
        users = [int(user) for user in uid_series]
        _require_rows(users, test_data)
        if not test_data.is_sequential:
            return original(users, model, test_data, device)
        rows = _latest_rows(test_data.dataset)
        scores = original(users, model, _with_rows(test_data, rows), device)
        if hasattr(test_data, "shelf"):
            wanted = torch.tensor([rows[user] for user in users])
            scores[test_data.not_for_sale(wanted).to(scores.device)] = -torch.inf
        return scores

    return full_sort_scores


def _strict_topk(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def full_sort_topk(
        uid_series: Sequence[int], model: Any, test_data: Any, k: int, device: Any = None
    ) -> Any:
        n_items = test_data.dataset.item_num - 1
        if not 1 <= k <= n_items:
            raise DataError(f"k is {k}; it must be 1 to {n_items}, the number of items")
        return original(uid_series, model, test_data, k, device)

    return full_sort_topk


def _require_rows(users: list[int], test_data: Any) -> None:
    """Refuse users without rows.

    Raises
    ------
    DataError
    """
    if not isinstance(test_data, FullSortEvalDataLoader):
        raise DataError("scores of users need a loader of full ranking: eval_args mode: full")
    dataset = test_data.dataset
    if not test_data.is_sequential:
        found = {int(user) for user in test_data.uid_list}
    else:
        found = set(dataset.inter_feat[dataset.uid_field].unique().tolist())
    missing = [user for user in users if user not in found]
    if missing or not users:
        raise DataError(
            f"users (internal ids) {shown(missing)} have no rows in this part of "
            f"{dataset.dataset_name}, so there is no time to score them at; ask for some of the "
            f"{len(found)} users in its {dataset.uid_field}"
        )


def _latest_rows(dataset: Any) -> dict[int, int]:
    """Give the place of the latest row of each user; rows are in order of time."""
    ids = dataset.inter_feat[dataset.uid_field].tolist()
    return {user: row for row, user in enumerate(ids)}


def _with_rows(test_data: Any, rows: dict[int, int]) -> Any:
    """Give a loader that has these rows alone."""
    loader, dataset = copy.copy(test_data), copy.copy(test_data.dataset)
    dataset.inter_feat = dataset.inter_feat[sorted(rows.values())]
    loader._dataset = dataset
    return loader
