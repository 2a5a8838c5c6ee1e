"""A learned pointer to items of the past, mixed into the density ratio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.model.layers import Affine
from recbole_imn.stream.candidates import KINDS, Candidates, SlotLayout
from recbole_imn.stream.events import Floats

# A scalar must be able to move: a step of Adam changes a weight by the step size at most.
SPEED = 20.0
# The same for what is a sum of many weights.
GAIN = 5.0
HIDDEN = 16
N_NUMBERS = 8
N_USER_NUMBERS = 3


class Pointer(nn.Module):
    """Log weight of every candidate of an event, beside the density ratio of all items.

    A weight depends on the slot, the behaviour of the event that points to the item, and
    numbers such as the time since then. Each kind is scaled by a gate that sees the context
    and how often the user repeats himself.

    Parameters
    ----------
    layout : SlotLayout
    n_behaviours : int
    context_width : int
    """

    def __init__(self, layout: SlotLayout, n_behaviours: int, context_width: int) -> None:
        super().__init__()
        self.layout = layout
        self.bias = nn.Parameter(_starting_bias(layout) / SPEED)
        self.slots = _small_tables(layout.sizes, HIDDEN)
        self.behaviours = _small_tables([n_behaviours] * len(KINDS), HIDDEN)
        self.numbers = nn.ModuleList(Affine(N_NUMBERS, HIDDEN) for _ in KINDS)
        self.weights = nn.Parameter(0.1 * torch.randn(len(KINDS), HIDDEN))
        self.gate = Affine(context_width, len(KINDS))
        self.user = Affine(N_USER_NUMBERS, len(KINDS))
        for layer in (self.gate, self.user):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self, candidates: Candidates, behaviours: Tensor, user: Tensor, contexts: Tensor
    ) -> Tensor:
        """Give log weights, float [n, n_slots]; -inf for empty slots.

        Parameters
        ----------
        candidates : Candidates
        behaviours : int64 [n, n_slots]
            Behaviours of the events that point to the items.
        user : float [n, 3]
            Numbers that tell of the user.
        contexts : float [n, context_width]
        """
        sizes, device = self.layout.sizes, contexts.device
        numbers = _numbers(candidates).to(device).split(sizes, dim=1)
        parts = zip(
            self.numbers,
            numbers,
            self.slots,
            self.behaviours,
            behaviours.split(sizes, dim=1),
            self.weights,
            ((self.gate(contexts) + self.user(user)) * GAIN).unbind(1),
            strict=True,
        )
        logits = []
        for linear, values, slot, table, kind_behaviours, weights, gate in parts:
            hidden = linear(values.reshape(-1, N_NUMBERS)).view(*values.shape[:2], HIDDEN)
            hidden = torch.relu(hidden + slot + table[kind_behaviours])
            logits.append((hidden * weights).sum(dim=-1) * GAIN + gate.unsqueeze(1))
        empty = torch.from_numpy(candidates.items == 0).to(device)
        all_logits = SPEED * self.bias + torch.cat(logits, dim=1)
        return all_logits.masked_fill(empty, -torch.inf)


def _small_tables(sizes: Sequence[int], width: int) -> nn.ParameterList:
    return nn.ParameterList(nn.Parameter(0.1 * torch.randn(size, width)) for size in sizes)


def _starting_bias(layout: SlotLayout) -> Tensor:
    own = -torch.log1p(torch.arange(layout.own))
    beside = -3.0 - torch.log1p(torch.arange(layout.neighbours)).repeat(2 * layout.anchors)
    return torch.cat([own, beside])


def _numbers(candidates: Candidates) -> Tensor:
    """Scale roughly what tells of each candidate, float32 [n, n_slots, N_NUMBERS]."""
    age = log_time(candidates.elapsed)
    columns = [
        age,
        np.square(age),
        log_time(candidates.anchor_elapsed),
        log_time(candidates.gap),
        log_time(candidates.item_elapsed),
        np.log(np.maximum(candidates.crowd, 1)) / 4,
        np.log(np.maximum(candidates.times, 1)),
        candidates.item_purchased,
    ]
    return torch.from_numpy(np.stack(columns, axis=-1).astype(np.float32))


def log_time(seconds: Floats) -> Floats:
    """Logarithm of a time: -1 for a second, about 1 for two days."""
    scaled: Floats = np.log1p(seconds) / 6 - 1
    return scaled
