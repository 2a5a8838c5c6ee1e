"""Sessions: a network and its past at one position, the one path to losses and scores."""

from recbole_imn.session.session import Query, Session

__all__ = ["Query", "Session"]
