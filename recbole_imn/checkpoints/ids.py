"""Whether users and items have the numbers that a model learned them under."""

from __future__ import annotations

import hashlib
from functools import wraps
from typing import Any

from recbole.model.abstract_recommender import SequentialRecommender

from recbole_imn.errors import CheckpointError

# The entry of a checkpoint, and the attribute of a model.
IDS = "ids"
MODEL_IDS = "recbole_imn_ids"


def ids_of(dataset: Any) -> str:
    """Give a sum of a data set's users and items in the order of their numbers.

    Numbers are given by first appearance: an event that is moved, or a day that is cut off, gives
    rows of the same tables to others. Empty for what has no such names.
    """
    known = getattr(dataset, "field2id_token", None) or {}
    found = hashlib.sha256()
    for field in (getattr(dataset, "uid_field", None), getattr(dataset, "iid_field", None)):
        if field not in known:
            return ""
        found.update("\n".join(map(str, known[field])).encode("utf-8", "surrogatepass") + b"\0")
    return found.hexdigest()


def install() -> None:
    """Let sequential models remember whom they number (model/abstract_recommender.py)."""
    original = SequentialRecommender.__init__

    @wraps(original)
    def remember(self: Any, config: Any, dataset: Any) -> None:
        original(self, config, dataset)
        setattr(self, MODEL_IDS, ids_of(dataset))

    SequentialRecommender.__init__ = remember


def require_same_ids(model: Any, checkpoint: dict[str, Any], file: Any) -> None:
    """Refuse weights under whose numbers a data set has other users or items.

    Raises
    ------
    CheckpointError
    """
    own, learned = getattr(model, MODEL_IDS, ""), checkpoint.get(IDS, "")
    if own and learned and own != learned:
        raise CheckpointError(
            f"{file} learned from other data: users or items have other numbers there, so that "
            "its weights would be those of others; put back the data set that it learned from, "
            "or train again"
        )
