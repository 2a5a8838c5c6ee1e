"""Learning that goes on during a replay, after each window has been scored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from recbole_imn.model.freshness import Freshness
from recbole_imn.model.layers import Conditioning, StaticTable
from recbole_imn.stream import Memory


class OnlineUpdates:
    """Adam steps on what makes states and queries; item representations keep their meaning.

    Static embeddings, centres and initial states stay, since the representations of all
    items at a segment's start are made of them once; so do tables of ids, and the freshness
    of items, which is added when the weights are back.

    Parameters
    ----------
    network : nn.Module
    learning_rate : float
    seed : int
        Of the negatives that are drawn meanwhile: the same weights learn, and so score, the
        same each time, and what training draws next does not depend on evaluations.
    """

    def __init__(self, network: nn.Module, learning_rate: float, seed: int) -> None:
        fixed = {
            id(weight)
            for module in network.modules()
            if isinstance(module, Conditioning | StaticTable | Memory | Freshness)
            or (isinstance(module, nn.Embedding) and module.sparse)
            for weight in module.parameters()
        }
        self.weights = [weight for weight in network.parameters() if id(weight) not in fixed]
        self.learning_rate, self.seed = learning_rate, seed
        self._optimizer: torch.optim.Optimizer | None = None

    @contextmanager
    def temporarily(self) -> Iterator[None]:
        """Begin with a fresh optimiser and seed, and put weights and random state back."""
        saved = [weight.detach().clone() for weight in self.weights]
        # Negatives are drawn by the processor's generator, whatever the device of the weights.
        generator = torch.default_generator
        random_state = generator.get_state()
        generator.manual_seed(self.seed)
        self._optimizer = torch.optim.Adam(self.weights, lr=self.learning_rate)
        try:
            yield
        finally:
            generator.set_state(random_state)
            with torch.no_grad():
                for weight, value in zip(self.weights, saved, strict=True):
                    weight.copy_(value)
            self._optimizer = None

    def step(self, loss: Tensor) -> None:
        """Learn from a window's loss."""
        assert self._optimizer is not None  # inside temporarily()
        gradients = torch.autograd.grad(loss, self.weights, allow_unused=True)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        self._optimizer.step()
        for weight in self.weights:
            weight.grad = None
