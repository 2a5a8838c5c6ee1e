"""Parts of a network by name: those of the package, and classes of one's own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from recbole_imn.log import Integers
from recbole_imn.model.settings import NetworkSettings, SettingsError
from recbole_imn.past import Facts, ItemFacts, Past
from recbole_imn.stream.plan import windows

Part = TypeVar("Part")
Looked = TypeVar("Looked", Facts, ItemFacts)
# Events at a time.
LOOK_AHEAD = 4096


@dataclass
class Making:
    """What parts are made of.

    Attributes
    ----------
    settings : NetworkSettings
    past : Past
        Of the log; parts may look at its training events only.
    n_training : int
        Number of training events, at the start of the log.
    item_features : float32 [n_items, n_item_features]
        Numeric features of items, standardised; row 0 is padding.
    """

    settings: NetworkSettings
    past: Past
    n_training: int
    item_features: Tensor = field(default_factory=lambda: torch.zeros(0, 0))

    @property
    def width(self) -> int:
        """Width d of a state."""
        return self.settings.embedding_size

    @property
    def n_features(self) -> int:
        """Width of v, the features of an event and of its item."""
        n_own: int = self.past.log.features.shape[1]
        return n_own + self.item_features.shape[1]

    @property
    def training(self) -> Integers:
        """The training events."""
        return np.arange(self.n_training)

    @cached_property
    def facts(self) -> Facts:
        """What was known of users just before each training event."""
        return self._each_window(lambda events: self.past.look_at_events(events))

    @cached_property
    def item_facts(self) -> ItemFacts:
        """What was known of the items just before each training event."""
        log = self.past.log
        return self._each_window(
            lambda events: self.past.look_at_items(log.item[events], log.time[events], events)
        )

    def _each_window(self, look: Callable[[Integers], Looked]) -> Looked:
        # Chains are walked from the present back, so the present stays close.
        parts = []
        for start, stop in windows(0, self.n_training, LOOK_AHEAD):
            self.past.move_to(stop)
            parts.append(look(np.arange(start, stop)))
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return type(parts[0])(*map(np.concatenate, columns))


def find_part(key: str, name: str, known: Mapping[str, type[Part]]) -> type[Part]:
    """Give the class of a part.

    Parameters
    ----------
    key : str
        The setting that names it.
    name : str
        A name of the package, or ``module.Class``.
    known : mapping of str to type
        The classes of the package.

    Raises
    ------
    SettingsError
        If there is no such part.
    """
    if name in known:
        return known[name]
    module, _, attribute = name.rpartition(".")
    try:
        found: type[Part] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(
            f"{key} names {name!r}, which is none of {', '.join(known)}, and no class that can "
            f"be imported as module.Class ({error})"
        ) from error
    return found
