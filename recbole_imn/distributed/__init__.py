"""A run of several processes, which torchrun has started."""

from recbole_imn.distributed.group import Group, goes_in_step, group, in_step, is_launched
from recbole_imn.distributed.rows import join_numbered, join_rows, own_share, share

__all__ = [
    "Group",
    "goes_in_step",
    "group",
    "in_step",
    "is_launched",
    "join_numbered",
    "join_rows",
    "own_share",
    "share",
]
