"""Log weights of candidates as ranking takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.log import Floats, Integers

NAMES = ("scale", "offset", "recency")


@dataclass(frozen=True)
class Proportions:
    r"""How ranking changes the log weight of the candidate in slot k of source q.

    .. math::
        w' = \text{scale}_q w + \text{offset}_q - \text{recency} \log(1 + k)

    The last summand is there for sources whose slots go by the user's recency.

    Attributes
    ----------
    scale, offset : tuple of float
        One of each source; scales are above 0. An offset of all sources alike is that much
        taken off the catalogue.
    recency : float
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    recency: float = 0.0

    @classmethod
    def neutral(cls, n_sources: int) -> Proportions:
        """Give proportions that change nothing."""
        return cls((1.0,) * n_sources, (0.0,) * n_sources)


@dataclass(frozen=True)
class Slots:
    """Where the slots of sources lie.

    Attributes
    ----------
    source : int64 [n_slots]
        Whose each is.
    age : float64 [n_slots]
        log(1 + k) of the k-th slot of a source that goes by recency, 0 in others.
    """

    source: Integers
    age: Floats

    @classmethod
    def of(cls, sizes: Sequence[int], by_recency: Sequence[bool]) -> Slots:
        """Put the slots of sources in a row."""
        ages = [np.log1p(np.arange(size)) for size in sizes]
        kept = [age * goes for age, goes in zip(ages, by_recency, strict=True)]
        return cls(np.repeat(np.arange(len(sizes)), sizes), np.concatenate(kept))

    def line(self, found: Proportions) -> tuple[Floats, Floats]:
        """Give the factor and the summand of each slot's log weight, float64 [n_slots]."""
        scale, offset = np.array(found.scale), np.array(found.offset)
        return scale[self.source], offset[self.source] - found.recency * self.age


class Calibration(nn.Module):
    """Proportions as buffers: a checkpoint ranks by those that were found for it.

    Parameters
    ----------
    sizes : sequence of int
        Slots of each source.
    by_recency : sequence of bool
        Whether a source's slots go by the user's recency, newest first.
    """

    scale: Tensor
    offset: Tensor
    recency: Tensor
    source: Tensor
    age: Tensor

    def __init__(self, sizes: Sequence[int], by_recency: Sequence[bool]) -> None:
        super().__init__()
        self.slots = Slots.of(sizes, by_recency)
        self.by_recency = tuple(by_recency)
        self.register_buffer("scale", torch.ones(len(sizes)))
        self.register_buffer("offset", torch.zeros(len(sizes)))
        self.register_buffer("recency", torch.zeros(()))
        age = torch.from_numpy(self.slots.age).to(torch.get_default_dtype())
        self.register_buffer("source", torch.from_numpy(self.slots.source), persistent=False)
        self.register_buffer("age", age, persistent=False)

    def forward(self, weights: Tensor) -> Tensor:
        """Give log weights as ranking takes them, float [n, n_slots]; -inf stays."""
        added = self.offset[self.source] - self.recency * self.age
        return weights * self.scale[self.source] + added

    @property
    def proportions(self) -> Proportions:
        """Those of the present."""
        scale, offset = self.scale.tolist(), self.offset.tolist()
        return Proportions(tuple(scale), tuple(offset), float(self.recency))

    def set(self, found: Proportions) -> None:
        """Rank by other proportions from now on."""
        for name in NAMES:
            buffer = getattr(self, name)
            buffer.copy_(torch.tensor(getattr(found, name), dtype=buffer.dtype))

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *others: Any, **options: Any
    ) -> None:
        """Be neutral where weights were kept before there was a calibration."""
        if not any(f"{prefix}{name}" in state_dict for name in NAMES):
            neutral = Calibration([1] * len(self.scale), [False] * len(self.scale)).state_dict()
            state_dict.update({f"{prefix}{name}": value for name, value in neutral.items()})
        super()._load_from_state_dict(state_dict, prefix, *others, **options)


def is_later(name: str, found: Mapping[str, Any]) -> bool:
    """Whether a buffer belongs to a calibration that some weights know nothing of."""
    owner, _, buffer = name.rpartition(".")
    of_one = owner.endswith("calibration") and buffer in NAMES
    return of_one and not any(f"{owner}.{other}" in found for other in NAMES)
