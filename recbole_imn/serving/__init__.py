"""Use of trained models: recommendations as of now, from a checkpoint that lives on."""

from recbole_imn.serving.policies import Observed, Policies
from recbole_imn.serving.recommender import Recommender
from recbole_imn.serving.taking import add_snapshot

__all__ = [
    "Observed",
    "Policies",
    "Recommender",
    "add_snapshot",
]
