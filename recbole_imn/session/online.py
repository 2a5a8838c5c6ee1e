"""Learning that goes on during a replay, after each window has been scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.log import Integers
from recbole_imn.model.conditioning import Conditioning
from recbole_imn.model.statics import StaticTable
from recbole_imn.model.terms import CellTerm
from recbole_imn.session.ranking import Ranked
from recbole_imn.session.replay import Replayable, Replayed, plain_replay
from recbole_imn.stream import Memory


class OnlineReplay:
    """Adam steps on what makes states and queries; item representations keep their meaning.

    Static embeddings, centres and initial states stay, since the catalogue as ranking sees it
    is kept from window to window; so do tables of ids, and terms by cells. Learning begins
    anew with each part of the log, from states that the network's own weights made, and is
    forgotten when these change, an earlier event is asked for or the session moved otherwise:
    scores depend on the weights and the log alone. Between calls the network has its own
    weights.

    Parameters
    ----------
    network : nn.Module
    bounds : sequence of int
        Where the parts of the log begin, and its end. The first part is replayed plainly.
    learning_rate : float
    size : int
        Events that are scored before the next step.
    seed : int
        Of what is drawn meanwhile.
    """

    def __init__(
        self,
        network: nn.Module,
        bounds: Sequence[int],
        learning_rate: float,
        size: int,
        seed: int,
    ) -> None:
        fixed = {
            id(weight)
            for module in network.modules()
            if isinstance(module, Conditioning | StaticTable | Memory | CellTerm)
            or (isinstance(module, nn.Embedding) and module.sparse)
            for weight in module.parameters()
        }
        self.weights = [weight for weight in network.parameters() if id(weight) not in fixed]
        self.bounds = [int(bound) for bound in bounds]
        self.learning_rate, self.size, self.seed = learning_rate, size, seed
        self._learned: list[Tensor] = []
        self._optimizer: torch.optim.Optimizer | None = None
        self._part = self._start = self._stop = -1
        self._made_by: Any = None
        self._ranked: Ranked | None = None
        # Told to the session once states are of what has been learned.
        self._learning: object | None = None

    def __call__(self, session: Replayable, events: Integers, chunk: int) -> Iterator[Replayed]:
        """Replay as :func:`~recbole_imn.session.replay.plain_replay` does, and learn."""
        early = int(np.searchsorted(events, self.bounds[1]))
        if early:
            yield from plain_replay(session, events[:early], chunk)
        first = early
        while first < len(events):
            self._come_to(session, int(events[first]))
            assert self._ranked is not None
            last = int(np.searchsorted(events, self._stop))
            rows = np.searchsorted(self._ranked.facts.position, events[first:last])
            for start in range(first, last, chunk):
                stop = min(start + chunk, last)
                yield Replayed(slice(start, stop), self._ranked, rows[start - first : stop - first])
            first = last

    def _come_to(self, session: Replayable, event: int) -> None:
        """Move on until the present window has an event."""
        part = max(bound for bound in self.bounds[:-1] if bound <= event)
        came_back = part != self._part or event < self._start
        moved = session.position != self._start or session.astray is not self._learning
        if came_back or moved or self._made_by is not session.made_by:
            self._begin(session, part)
        while event >= self._stop:
            self._next(session)

    def _begin(self, session: Replayable, part: int) -> None:
        session.come_back()
        session.go_to(part)
        session.catalogue()
        self._learning = None
        self._part = self._start = self._stop = part
        self._ranked, self._made_by = None, session.made_by
        self._learned = [weight.detach().clone() for weight in self.weights]
        self._optimizer = torch.optim.Adam(self.weights, lr=self.learning_rate)

    def _next(self, session: Replayable) -> None:
        """Learn from the present window, and go to the next one."""
        end = min(bound for bound in self.bounds if bound > self._part)
        start, stop = self._stop, min(self._stop + self.size, end)
        past = session.past
        with self._learned_weights(session):
            if self._start < start:
                self._learn(session, self._start, start)
            past.move_to(stop)
            facts = past.look_at_events(np.arange(start, stop))
            self._ranked, _ = session.ranked(session.look(start, stop, facts))
        self._start, self._stop = start, stop

    def _learn(self, session: Replayable, start: int, stop: int) -> None:
        """Take a step by a window's loss, and let its events have happened."""
        network, past = session.network, session.past
        past.move_to(stop)
        window = network.look_at_lessons(past, start, stop, [self.seed])
        with torch.enable_grad():
            unrolled = network.unroll(window.to(network.device))
            loss = network.loss(unrolled) / (stop - start)
            gradients = torch.autograd.grad(loss, self.weights, allow_unused=True)
        # Of the weights that scored the window.
        session.commit(unrolled)
        if self._learning is None:
            self._learning = object()
            session.go_astray(self._learning)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        assert self._optimizer is not None
        self._optimizer.step()
        for weight in self.weights:
            weight.grad = None

    @contextmanager
    def _learned_weights(self, session: Replayable) -> Iterator[None]:
        """Work with what has been learned, and put the network's own weights back."""
        own = [weight.detach().clone() for weight in self.weights]
        _copy(self._learned, self.weights)
        try:
            yield
        finally:
            self._learned = [weight.detach().clone() for weight in self.weights]
            _copy(own, self.weights)
            session.same_weights()
            self._made_by = session.made_by


@torch.no_grad()
def _copy(values: list[Tensor], weights: list[nn.Parameter]) -> None:
    for weight, value in zip(weights, values, strict=True):
        weight.copy_(value)
