"""The past: everything that an event may know, from events before it."""

from recbole_imn.past.facts import Facts, ItemFacts
from recbole_imn.past.past import LOOK_AHEAD, Past

__all__ = ["LOOK_AHEAD", "Facts", "ItemFacts", "Past"]
