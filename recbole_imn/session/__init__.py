"""Sessions: a network and its past at one position, the one path to losses and scores."""

from recbole_imn.session.scoring import Query
from recbole_imn.session.session import Session

__all__ = ["Query", "Session"]
