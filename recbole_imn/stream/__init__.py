"""The event stream and its exact recursion: pure numpy and torch, no RecBole."""

from recbole_imn.stream.cells import CELLS
from recbole_imn.stream.events import EventStream, StreamError
from recbole_imn.stream.memory import Memory
from recbole_imn.stream.ranking import ItemTimeline
from recbole_imn.stream.recurrence import recur
from recbole_imn.stream.tbatch import LevelPlan, WindowPlan, plan_levels, plan_window

__all__ = [
    "CELLS",
    "EventStream",
    "ItemTimeline",
    "LevelPlan",
    "Memory",
    "StreamError",
    "WindowPlan",
    "plan_levels",
    "plan_window",
    "recur",
]
