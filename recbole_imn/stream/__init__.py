"""The exact recursion over windows of the log: pure numpy and torch, no RecBole."""

from recbole_imn.stream.cells import CELLS
from recbole_imn.stream.levels import LevelPlan, plan_levels
from recbole_imn.stream.memory import Memory
from recbole_imn.stream.plan import WindowPlan, plan_window
from recbole_imn.stream.recurrence import recur

__all__ = [
    "CELLS",
    "LevelPlan",
    "Memory",
    "WindowPlan",
    "plan_levels",
    "plan_window",
    "recur",
]
