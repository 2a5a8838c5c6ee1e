"""A learned pointer to items of the past, mixed into the density ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recbole_imn.kernels.compiled import compiled
from recbole_imn.kernels.pointer import weigh
from recbole_imn.log import Integers
from recbole_imn.model.calibration import Calibration
from recbole_imn.model.contexts import Contexts
from recbole_imn.model.layers import Affine
from recbole_imn.model.parts import Making
from recbole_imn.model.sources.base import N_NUMBERS, Numbers, Proposals, Source
from recbole_imn.model.sources.user_numbers import N_USER_NUMBERS, user_numbers
from recbole_imn.past import Facts, Past

# A scalar must be able to move: a step of Adam changes a weight by the step size at most.
SPEED = 20.0
# The same for what is a sum of many weights.
GAIN = 5.0
HIDDEN = 16


@dataclass(frozen=True)
class Pointed:
    """What sources proposed for rows, as tensors.

    Attributes
    ----------
    items, behaviours : int64 [n, n_slots]
        Candidates (0: empty), and what was done in the events that point to them.
    numbers : float32 [n, n_slots, 10]
    user : float32 [n, 8]
        Numbers that tell of the user, by
        :func:`~recbole_imn.model.sources.user_numbers.user_numbers`.
    """

    items: Tensor
    behaviours: Tensor
    numbers: Tensor
    user: Tensor


class Pointer(nn.Module):
    """Log weight of every candidate of a row, beside the density ratio of all items.

    What it learns is the likelihood; ranking takes its log weights by :attr:`calibration`.
    A weight depends on the slot, the behaviour of the event that points to the item, numbers
    such as the time since then, and how often and how lately the user repeats himself. Each
    source is scaled by a gate that sees the context and the user's numbers, too.

    Parameters
    ----------
    making : Making
    sources : dict of str to Source
        By the names that settings give them.
    context_width : int
    """

    numbers: Sequence[Affine]

    def __init__(self, making: Making, sources: Mapping[str, Source], context_width: int) -> None:
        super().__init__()
        self.names, self.sources = tuple(sources), list(sources.values())
        self.sizes = tuple(source.n_slots for source in self.sources)
        by_recency = [source.by_recency for source in self.sources]
        self.calibration = Calibration(self.sizes, by_recency)
        n, n_behaviours = len(self.sizes), making.past.log.n_behaviours
        bias = np.concatenate([source.starting_bias() for source in self.sources])
        self.bias = nn.Parameter(torch.from_numpy(bias).to(torch.get_default_dtype()) / SPEED)
        self.slots = _small_tables(self.sizes)
        self.behaviours = _small_tables([n_behaviours] * n)
        layers = (Affine(N_NUMBERS, HIDDEN) for _ in range(n))
        self.numbers = nn.ModuleList(layers)  # type: ignore[assignment]
        self.weights = nn.Parameter(0.1 * torch.randn(n, HIDDEN))
        self.gate = Affine(context_width, n)
        self.user = Affine(N_USER_NUMBERS, n)
        # What the user adds to the hidden values of each source.
        self.inner = Affine(N_USER_NUMBERS, n * HIDDEN)
        for layer in (self.gate, self.user, self.inner):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def look(self, past: Past, facts: Facts) -> Pointed:
        """Let the sources propose candidates of rows."""
        proposed = Proposals.empty(len(facts), sum(self.sizes), cleared=False)
        start = 0
        for source, size in zip(self.sources, self.sizes, strict=True):
            source.propose(past, facts, proposed.slots(start, start + size))
            start += size
        done = np.empty(proposed.items.shape, np.int64)
        _complete(proposed.items, proposed.events, past.log.behaviour, proposed.numbers, done)
        return Pointed(
            torch.from_numpy(proposed.items),
            torch.from_numpy(done),
            torch.from_numpy(proposed.numbers),
            torch.from_numpy(user_numbers(past, facts)),
        )

    def forward(self, pointed: Pointed, contexts: Contexts) -> Tensor:
        """Give log weights, float [n, n_slots]; -inf for empty slots."""
        gates = (contexts.map(self.gate) + self.user(pointed.user)) * GAIN
        inner = self.inner(pointed.user).view(len(gates), len(self.sizes), HIDDEN)
        return weigh(
            pointed.numbers,
            pointed.behaviours,
            pointed.items == 0,
            gates,
            inner,
            self.bias,
            list(self.slots),
            list(self.behaviours),
            [linear.weight for linear in self.numbers],
            [linear.bias for linear in self.numbers],
            self.weights,
            self.sizes,
            GAIN,
            SPEED,
        )


def _small_tables(sizes: Sequence[int]) -> nn.ParameterList:
    return nn.ParameterList(nn.Parameter(0.1 * torch.randn(size, HIDDEN)) for size in sizes)


@compiled
def _complete(
    items: Integers,
    events: Integers,
    behaviours: npt.NDArray[np.int16],
    numbers: Numbers,
    done: Integers,
) -> None:
    """Fill in what was done in the events, and clear the numbers of empty slots."""
    for row in range(items.shape[0]):
        for slot in range(items.shape[1]):
            event = events[row, slot]
            done[row, slot] = behaviours[event] if event >= 0 else 0
            if items[row, slot] == 0:
                numbers[row, slot] = 0
