"""The processes of a run: their group, whose rows are whose, and how what they found is joined."""

from recbole_imn.processes.group import Group, goes_in_step, group, in_step, is_launched
from recbole_imn.processes.loss import loss_of_parts
from recbole_imn.processes.rows import join_numbered, own_share, share

__all__ = [
    "Group",
    "goes_in_step",
    "group",
    "in_step",
    "is_launched",
    "join_numbered",
    "loss_of_parts",
    "own_share",
    "share",
]
