"""Sources of candidates from the past, and the pointer that weighs what they propose."""

from recbole_imn.model.sources.base import Proposals, Source
from recbole_imn.model.sources.co_visited import CoVisited
from recbole_imn.model.sources.first_choices import FirstChoices
from recbole_imn.model.sources.neighbours import Predecessors, Successors
from recbole_imn.model.sources.own_items import OwnItems
from recbole_imn.model.sources.pointer import Pointer

SOURCES: dict[str, type[Source]] = {
    "own_items": OwnItems,
    "co_visited": CoVisited,
    "first_choices": FirstChoices,
    "successors": Successors,
    "predecessors": Predecessors,
}

__all__ = [
    "SOURCES",
    "CoVisited",
    "FirstChoices",
    "OwnItems",
    "Pointer",
    "Predecessors",
    "Proposals",
    "Source",
    "Successors",
]
