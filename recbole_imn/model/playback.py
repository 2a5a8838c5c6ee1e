"""Playing the stream through a network: training windows in order, and exact replays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.model.network import InterestBehaviourNetwork
from recbole_imn.model.online import OnlineUpdates
from recbole_imn.model.states import Unrolled
from recbole_imn.stream import ItemTimeline, Memory, WindowPlan, plan_window
from recbole_imn.stream.events import Integers
from recbole_imn.stream.memory import Snapshot
from recbole_imn.stream.tbatch import windows

REPLAY_WINDOW = 4096
CACHED_EVENTS = 4_000_000
# Weights of no more entries are compared as well; only lazy tables have more.
COMPARED_ENTRIES = 1_000_000


@dataclass(frozen=True)
class WeightsSeen:
    """What tells weights from later ones.

    Autograd counts every change in place but those of torch's fused optimisers, which
    change dense weights; copies tell these.

    Attributes
    ----------
    counts : tuple of (int, int)
        Address and count of changes of each weight.
    copies : tuple of Tensor
        Of the weights with at most ``COMPARED_ENTRIES`` entries.
    """

    counts: tuple[tuple[int, int], ...]
    copies: tuple[Tensor, ...]

    @classmethod
    def of(cls, network: nn.Module) -> WeightsSeen:
        """Look at the present weights."""
        copies = tuple(weight.detach().clone() for weight in _compared(network))
        return cls(_counts(network), copies)

    def are_those_of(self, network: nn.Module) -> bool:
        """Whether a network has these weights still."""
        if self.counts != _counts(network):
            return False
        now = _compared(network)
        return all(torch.equal(a, b) for a, b in zip(self.copies, now, strict=True))


def _counts(network: nn.Module) -> tuple[tuple[int, int], ...]:
    return tuple((weight.data_ptr(), weight._version) for weight in network.parameters())


def _compared(network: nn.Module) -> list[Tensor]:
    return [weight for weight in network.parameters() if weight.numel() <= COMPARED_ENTRIES]


@dataclass(frozen=True)
class Segment:
    """Everything needed to rank items for the rows of a stretch of the stream.

    Attributes
    ----------
    start, stop : int
        Events ``start <= k < stop``.
    query_parts : float [2, stop - start, width]
        Both parts of the ranking query of each event, made from what lies before it.
    timeline : ItemTimeline
        Ranking representations of the items over the stretch.
    weights : float [stop - start, n_slots]
        What the network's ranking needs beside queries.
    """

    start: int
    stop: int
    query_parts: Tensor
    timeline: ItemTimeline
    weights: Tensor


class Playback:
    """The position of a network in its stream.

    States in memory are those after :attr:`position` events. Whoever asks for scores gets
    them from states made by the weights of that moment alone: when weights have changed,
    the stream is replayed from its beginning.

    Parameters
    ----------
    network : InterestBehaviourNetwork
    parts : sequence of int
        Positions at which the parts of the stream begin, and its end; a replay for a row
        of an evaluation part covers the whole part.
    online : OnlineUpdates, optional
        Goes on learning during the replay of evaluation parts.
    online_window : int
        Events that are scored before the next update.
    """

    def __init__(
        self,
        network: InterestBehaviourNetwork,
        parts: Sequence[int],
        online: OnlineUpdates | None = None,
        online_window: int = 256,
    ) -> None:
        self.network = network
        self.online, self.online_window = online, online_window
        self.parts = tuple(parts)
        self.position = 0
        self._weights: WeightsSeen | None = None
        self._segment: Segment | None = None
        self._plans: OrderedDict[tuple[int, int], WindowPlan] = OrderedDict()
        self._planned = 0

    # -- training --------------------------------------------------------------------------

    def train_window(self, start: int, stop: int) -> Tensor:
        """Loss of a window, summed over its events; states move on to its end.

        A window at the stream's start forgets all states. Gradients end at the window's
        start. A window elsewhere than at :attr:`position` is reached by a replay.
        """
        self._segment = self._weights = None
        if start == 0:
            self.rewind()
        self._seek(start)
        unrolled = self.network.unroll(self._plan(start, stop))
        loss = self.network.loss(unrolled)
        self._commit(unrolled, stop)
        return loss

    def rewind(self) -> None:
        """Go to the stream's beginning and forget all states."""
        self.network.reset()
        self.position = 0

    def state(self) -> dict[str, Any]:
        """Give position and memories as tensors, to go on inside an epoch of training."""
        return {
            "position": self.position,
            "memories": {
                name: (memory.states, memory.known) for name, memory in self._memories().items()
            },
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        self._segment = self._weights = None
        self.position = state["position"]
        for name, memory in self._memories().items():
            memory.restore(Snapshot(*state["memories"][name]))

    def _memories(self) -> dict[str, Memory]:
        modules = self.network.named_modules()
        return {name: module for name, module in modules if isinstance(module, Memory)}

    # -- replay ----------------------------------------------------------------------------

    @torch.no_grad()
    def segment(self, events: Integers) -> Segment:
        """Give the segment that covers some events, replayed with the present weights."""
        first, last = int(events.min()), int(events.max())
        if self._weights is None or not self._weights.are_those_of(self.network):
            self.rewind()
            self._segment = None
            self._weights = WeightsSeen.of(self.network)
        segment = self._segment
        if segment is None or first < segment.start or last >= segment.stop:
            segment = self._segment = self._fresh_segment(*self._stretch(first, last))
        return segment

    def _fresh_segment(self, start: int, stop: int) -> Segment:
        if self.online is None or start < self.parts[1]:
            return self._replay(start, stop, REPLAY_WINDOW, None)
        # States before the segment must not depend on what was evaluated earlier.
        self.rewind()
        with self.online.temporarily():
            segment = self._replay(start, stop, self.online_window, self.online)
        self.rewind()
        self._weights = WeightsSeen.of(self.network)
        return segment

    def _stretch(self, first: int, last: int) -> tuple[int, int]:
        """Whole evaluation parts; of the training part just what is asked for."""
        if first < self.parts[1]:
            start = first
        else:
            start = max(part for part in self.parts if part <= first)
        stop = last + 1
        if last >= self.parts[1]:
            stop = min(part for part in self.parts if part > last)
        return start, stop

    def _replay(self, start: int, stop: int, size: int, online: OnlineUpdates | None) -> Segment:
        self._seek(start)
        network, stream = self.network, self.network.stream
        base = network.ranking_table(network.items.read_all(), self._all_items())
        parts, moved, weights = [], [], []
        for window in windows(start, stop, size):
            plan = self._plan(*window)
            with torch.set_grad_enabled(online is not None):
                unrolled = network.unroll(plan)
            places = np.argsort(plan.events)
            in_time = torch.from_numpy(places).to(base.device)
            contexts = network.contexts(unrolled, places)
            events = np.arange(*window)
            parts.append(network.query_parts(events, contexts))
            weights.append(network.point(events, contexts))
            items = torch.from_numpy(stream.item[plan.events]).to(base.device)
            after = unrolled.states[unrolled.plan.item_after]
            moved.append(network.ranking_table(after, items)[in_time])
            if online is not None:
                with torch.enable_grad():
                    online.step(network.loss(unrolled) / len(plan.events))
            self._commit(unrolled, window[1])
        timeline = ItemTimeline(start, stop, base, stream.item[start:stop], torch.cat(moved))
        return Segment(start, stop, torch.cat(parts, dim=1), timeline, torch.cat(weights))

    @torch.no_grad()
    def _seek(self, position: int) -> None:
        """Bring the states to a position, by replaying what lies between."""
        if position < self.position:
            self.rewind()
        for window in windows(self.position, position, REPLAY_WINDOW):
            self._commit(self.network.unroll(self._plan(*window)), window[1])

    def _commit(self, unrolled: Unrolled, position: int) -> None:
        self.network.commit(unrolled)
        self.position = position

    def _all_items(self) -> Tensor:
        return torch.arange(self.network.stream.n_items, device=self.network.transition.device)

    def _plan(self, start: int, stop: int) -> WindowPlan:
        """Plan a window once, as long as the cache has room."""
        key = (start, stop)
        if key in self._plans:
            self._plans.move_to_end(key)
            return self._plans[key]
        plan = self._plans[key] = plan_window(self.network.stream, start, stop)
        self._planned += stop - start
        while self._planned > CACHED_EVENTS and len(self._plans) > 1:
            (old_start, old_stop), _ = self._plans.popitem(last=False)
            self._planned -= old_stop - old_start
        return plan
