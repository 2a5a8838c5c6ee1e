"""The past: everything that an event may know, from events before it."""

from recbole_imn.past.facts import Facts, ItemFacts
from recbole_imn.past.past import Past

__all__ = ["Facts", "ItemFacts", "Past"]
