"""Masked items of BERT4Rec and S3Rec: their negatives, and batches that have none.

RecBole draws a negative until one is found. Where a user's history has every item of a small
catalogue, it never ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from recbole.data.transform import MaskItemSequence
from recbole.model.sequential_recommender.bert4rec import BERT4Rec
from recbole.model.sequential_recommender.s3rec import S3Rec

from recbole_imn.errors import DataError, SettingsError


def mend() -> None:
    """Let both draws end, and say why a loss is no number.

    Draws that end by themselves stay what they are. Sources: ``_neg_sample`` in
    data/transform.py and model/sequential_recommender/s3rec.py, ``calculate_loss`` in bert4rec.py.
    """
    loss: Callable[..., Any] = BERT4Rec.calculate_loss

    in_transform, in_model = MaskItemSequence._neg_sample, S3Rec._neg_sample

    @wraps(in_transform)
    def draw(self: Any, item_set: Collection[int], n_items: int) -> int:
        if self.config["loss_type"] == "CE" and _has_all(item_set, n_items):
            # A loss over the whole catalogue never looks at it.
            return 0
        return _outside(item_set, n_items, lambda: in_transform(self, item_set, n_items))

    @wraps(in_model)
    def draw_in_model(self: Any, item_set: Collection[int]) -> int:
        return _outside(item_set, self.n_items, lambda: in_model(self, item_set))

    @wraps(loss)
    def calculate_loss(self: Any, interaction: Any) -> Any:
        _require_masked(self, interaction)
        return loss(self, interaction)

    BERT4Rec.calculate_loss = calculate_loss
    MaskItemSequence._neg_sample, S3Rec._neg_sample = draw, draw_in_model


def _require_masked(model: Any, batch: Any) -> None:
    """Refuse a batch whose mean loss would be that of no item; the first of a history is none.

    Raises
    ------
    SettingsError
    """
    masked = batch[model.MASK_INDEX]
    if not (masked > 0).any():
        raise SettingsError(
            f"a batch of {len(masked)} rows has no masked item from which BERT4Rec could learn, "
            "and its loss would be no number: a history's first item never counts; set another "
            "train_batch_size, so that no batch is as small, or a larger mask_ratio"
        )


def _outside(item_set: Collection[int], n_items: int, draw: Callable[[], int]) -> int:
    """Draw an item outside a history.

    Raises
    ------
    DataError
        If there is none.
    """
    if _has_all(item_set, n_items):
        raise DataError(
            f"a user's history has all {n_items - 1} items, so that there is no negative item to "
            "learn from; shorten histories with MAX_ITEM_LIST_LENGTH, or choose another model"
        )
    return draw()


def _has_all(item_set: Collection[int], n_items: int) -> bool:
    """Whether a history has all items 1..n_items - 1."""
    # Most are shorter than the catalogue, which is told without looking.
    return len(item_set) >= n_items - 1 and set(range(1, n_items)) <= set(item_set)
