"""What a score is made of."""

from recbole_imn.model.explaining.candidates import Candidates
from recbole_imn.model.explaining.score_parts import (
    ATTENDED,
    EVERYBODY,
    ITEM_SIDES,
    ScoreParts,
    parts_of_scores,
)
from recbole_imn.model.explaining.tastes import TASTE_ORIGINS

__all__ = [
    "ATTENDED",
    "EVERYBODY",
    "ITEM_SIDES",
    "TASTE_ORIGINS",
    "Candidates",
    "ScoreParts",
    "parts_of_scores",
]
