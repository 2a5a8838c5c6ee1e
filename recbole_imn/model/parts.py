"""Parts of a network by name: those of the package, and classes of one's own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from recbole_imn.model.settings import NetworkSettings, SettingsError
from recbole_imn.past import Facts, ItemFacts, Past, look_at_log

Part = TypeVar("Part")


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
        Numeric features of items, standardised; row 0 is padding. Without them, none.
    """

    settings: NetworkSettings
    past: Past
    n_training: int
    item_features: Tensor = field(default_factory=lambda: torch.zeros(0, 0))

    def __post_init__(self) -> None:
        """Give every item its no features."""
        if len(self.item_features) == 0:
            self.item_features = torch.zeros(self.past.log.n_items, 0)

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
    def facts(self) -> Facts:
        """What was known of users just before each training event."""
        return self._looked[0]

    @property
    def item_facts(self) -> ItemFacts:
        """What was known of the items just before each training event."""
        return self._looked[1]

    @cached_property
    def _looked(self) -> tuple[Facts, ItemFacts]:
        return look_at_log(self.past, self.n_training)


def find_part(
    key: str, name: str, known: Mapping[str, type[Part]], *kinds: type
) -> type[Part]:
    """Give the class of a part.

    Parameters
    ----------
    key : str
        The setting that names it.
    name : str
        A name of the package, or ``module.Class``.
    known : mapping of str to type
        The classes of the package.
    *kinds : type
        The part must be a subclass of one of them.

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
    # Nothing else is ever called, whatever a setting names.
    if not (isinstance(found, type) and issubclass(found, kinds)):
        kind = " and no ".join(kind.__name__ for kind in kinds)
        raise SettingsError(f"{key} names {name!r}, which is no {kind}")
    return found
