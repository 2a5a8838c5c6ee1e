"""Events of a log as RecBole's interactions, whose fields are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from recbole.data.interaction import Interaction
from torch import Tensor

# Positions of events in the log: one, or an array of them.
Places = Any
# Gives the values of a field for some events.
Field = Callable[[Places], Tensor]
Sources = Mapping[str, Field]


class EventRows(Interaction):  # type: ignore[misc]  # RecBole is untyped
    """Rows that are events of a log, 4 bytes each; what is in them stays in the log.

    An interaction of RecBole has a tensor a field. Of a long log that would be three times the
    log, and as much again for every part of it. Here a field that is asked for by name is made
    for that purpose, and rows that are asked for by place become an interaction of RecBole.

    Parameters
    ----------
    sources : mapping of str to callable
        By field: gives the values of events, [n, ...], by their positions in the log.
    events : int32 [n_rows]
        Positions in the log.
    """

    def __init__(self, sources: Sources, events: npt.NDArray[np.int32]) -> None:
        self.interaction = _Fields(sources, events)
        self.length = len(events)

    def __getitem__(self, index: Any) -> Any:
        """Give a field by its name, or an interaction of the rows at some places."""
        fields: _Fields = self.interaction
        if isinstance(index, str):
            return fields[index]
        events = fields.events[_places(index)]
        made = {name: source(events) for name, source in fields.sources.items()}
        added = {name: values[index] for name, values in fields.added.items()}
        return Interaction({**made, **added})

    def part(self, rows: Any) -> EventRows:
        """Give some rows, again without what is in them."""
        fields: _Fields = self.interaction
        part = EventRows(fields.sources, fields.events[_places(rows)])
        part.interaction.added = {name: values[rows] for name, values in fields.added.items()}
        return part

    def add_prefix(self, prefix: str) -> None:
        """Put something before the name of every field."""
        fields: _Fields = self.interaction
        fields.sources = {prefix + name: source for name, source in fields.sources.items()}
        fields.added = {prefix + name: values for name, values in fields.added.items()}

    def _reindex(self, index: Any) -> None:
        fields: _Fields = self.interaction
        fields.events = fields.events[_places(index)]
        fields.added = {name: values[index] for name, values in fields.added.items()}


def _places(index: Any) -> Any:
    """Give an index as numpy takes it; an empty list is one of no places."""
    if not isinstance(index, list | Tensor):
        return index
    places = np.asarray(index)
    return places if places.size else places.astype(np.int64)


class _Fields(MutableMapping[str, Tensor]):
    """The fields of some events, and fields that were added to them."""

    def __init__(self, sources: Sources, events: npt.NDArray[np.int32]) -> None:
        self.sources, self.events = dict(sources), events
        self.added: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name in self.added:
            return self.added[name]
        return self.sources[name](self.events)

    def __setitem__(self, name: str, values: Tensor) -> None:
        self.sources.pop(name, None)
        self.added[name] = values

    def __delitem__(self, name: str) -> None:
        if name in self.added:
            del self.added[name]
        else:
            del self.sources[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.sources, *self.added])

    def __len__(self) -> int:
        return len(self.sources) + len(self.added)


def integers(values: npt.NDArray[Any], at_most: int | None = None) -> Field:
    """Give the field of a column of integers, int64 [n] as RecBole wants it."""

    def at(events: Places) -> Tensor:
        found = np.asarray(values[events], np.int64)
        return torch.as_tensor(found if at_most is None else np.minimum(found, at_most))

    return at


def numbers(values: npt.NDArray[Any]) -> Field:
    """Give the field of a column of numbers, float32 [n] as RecBole wants it."""
    return lambda events: torch.as_tensor(np.asarray(values[events], np.float32))


def stored(values: Tensor) -> Field:
    """Give the field of values that are tensors already, one an event."""
    return lambda events: values[torch.as_tensor(events)]
