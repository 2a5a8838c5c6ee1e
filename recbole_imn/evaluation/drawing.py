"""Evaluation that leaves the random state of training as it was.

RecBole's loaders change sequences of evaluation rows, too, and some changes draw from Python's
global state (data/transform.py): what BERT4Rec masks next in training would depend on how many
rows were ranked before, and in which batches.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import wraps
from typing import Any

from recbole.data.dataloader import FullSortEvalDataLoader


def drawing_nothing(collate: Callable[..., Any]) -> Callable[..., Any]:
    """Let a loader make a batch without a trace in Python's random state."""

    @wraps(collate)
    def collate_apart(self: Any, index: Any) -> Any:
        state = random.getstate()
        try:
            return collate(self, index)
        finally:
            random.setstate(state)

    return collate_apart


def mend() -> None:
    """Let full rankings of the stream draw nothing; other data sets are RecBole's own affair."""
    original = FullSortEvalDataLoader.collate_fn
    apart = drawing_nothing(original)

    @wraps(original)
    def collate(self: Any, index: Any) -> Any:
        return (apart if hasattr(self._dataset, "log") else original)(self, index)

    FullSortEvalDataLoader.collate_fn = collate
