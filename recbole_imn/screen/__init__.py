"""What people see of a run: a screen of it, while RecBole's own log goes to its file."""

from recbole_imn.screen.ending import Ending
from recbole_imn.screen.following import Following, followed
from recbole_imn.screen.references import References, evaluate_references

__all__ = [
    "Ending",
    "Following",
    "References",
    "evaluate_references",
    "followed",
]
