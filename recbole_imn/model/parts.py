"""Parts of a network by name: those of the package, and classes of one's own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from recbole_imn.errors import SettingsError, named_line
from recbole_imn.log import Flags, Floats, Ids
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.past import Past
from recbole_imn.validation import nearest

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
        Numeric features of items, standardised; row 0 is padding.
    n_fitted : int, optional
        Events that scales are fitted on, at the log's start; all training events by default.
        Fewer where training went on later, with the scales as they were.
    item_fields : sequence of str
        The field that each column of ``item_features`` is of; empty where nobody has said.
    weights_follow : bool
        Whether all weights are overwritten afterwards, so that nothing need be counted for them.
    """

    settings: NetworkSettings
    past: Past
    n_training: int
    item_features: Tensor = field(default_factory=lambda: torch.zeros(0, 0))
    n_fitted: int | None = None
    item_fields: Sequence[str] = ()
    weights_follow: bool = False

    def __post_init__(self) -> None:
        """Give items no features where none are told."""
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
    def fitted(self) -> int:
        """Number of events that scales are fitted on, at the start of the log."""
        return self.n_training if self.n_fitted is None else self.n_fitted

    def since_previous(self, chain: Ids) -> tuple[Floats, Flags]:
        """Give times between events of one kind, of all events that scales are fitted on.

        Parameters
        ----------
        chain : int32 [n_events]
            One of the chains of the past, such as ``past.chains.item``.

        Returns
        -------
        elapsed : float64 [fitted]
            Seconds since the previous event of the kind; 0 for none.
        first : bool [fitted]
            Whether there is none.
        """
        return self.past.since_previous(np.arange(self.fitted), chain)


def find_part(
    key: str,
    name: str,
    known: Mapping[str, type[Part]],
    base: type[Part],
    others: Sequence[str] = (),
) -> type[Part]:
    """Give the class of a part.

    Parameters
    ----------
    key : str
        The setting that names it.
    name : str
        A name of the package, or ``module.Class`` for a class of one's own, which is imported.
    known : mapping of str to type
        The classes of the package by name.
    base : type
        What all classes that the setting may name are derived from.
    others : sequence of str
        What else the setting may be, for messages.

    Raises
    ------
    SettingsError
        If there is no such class, or it is no part of this kind.
    """
    if name in known:
        return known[name]
    module, _, attribute = name.rpartition(".")
    if not module:
        raise SettingsError(
            f"{key} names {name!r}; it must be one of {', '.join([*known, *others])}, or a class "
            f"of your own as module.Class{nearest(name, [*known, *others])}"
        )
    found = getattr(_imported(key, name, module), attribute, None)
    if found is None:
        classes = [other for other, value in vars(sys.modules[module]).items() if _is(value, base)]
        raise SettingsError(
            f"{key} names {name!r}, but {module} has no {attribute}{nearest(attribute, classes)}"
        )
    if not _is(found, base):
        raise SettingsError(f"{key} names {name!r}, which is no class derived from {_path(base)}")
    part: type[Part] = found
    return part


def _imported(key: str, name: str, module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:  # a module of anybody may raise anything
        reason = named_line(error)
        raise SettingsError(
            f"{key} names {name!r}, but {module} cannot be imported ({reason})"
        ) from error


def _is(value: object, base: type) -> bool:
    """Whether something is a part of a kind: a class derived from the kind's base."""
    return isinstance(value, type) and issubclass(value, base) and value is not base


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"
