"""A network and its past, moving on together."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor

from recbole_imn.model.network import Network
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.model.window import Window
from recbole_imn.past import Facts, Past
from recbole_imn.session.locks import ReadWriteLock
from recbole_imn.session.replay import REPLAY_WINDOW, Held, Replay, plain_replay
from recbole_imn.session.scoring import Scoring
from recbole_imn.stream.plan import windows

Answer = TypeVar("Answer")


# More would be copied several times over while they are made.
ITEMS_AT_A_TIME = 1 << 16


class Session(Scoring):
    """The one path to losses and scores: training, replay, evaluation and use.

    States are those after :attr:`position` events, made by the weights of one moment. When
    weights have changed, the log is replayed from its beginning before anybody is scored.
    Several threads may ask at once; who moves the session on, moves it alone.

    Parameters
    ----------
    network : Network
    past : Past
    n_training : int
        Training does not look beyond this position.
    seed : int
        Of all that training draws at random.
    replay : callable
        How events of the log are come to; plainly by default.

    Attributes
    ----------
    frozen : bool
        Whether weights change only where :meth:`weights_changed` says so: to look at each of
        them takes a good part of a single answer's time.
    as_made : bool
        Whether items are known to have the features that they had when they made the states.
    """

    def __init__(
        self,
        network: Network,
        past: Past,
        n_training: int | None = None,
        seed: int = 0,
        replay: Replay = plain_replay,
    ) -> None:
        self.network, self.past = network, past
        self.position = 0
        self.n_training = len(past.log) if n_training is None else n_training
        self.seed = seed
        self.passes = 0
        self.lock = ReadWriteLock()
        self.replay: Replay = replay
        self._version = 0
        self.made_by: Any = None
        self.frozen = False
        self._table: Tensor | None = None
        self.held: Held | None = None
        self.astray: object | None = None
        self.as_made = True
        self._end_of_training: dict[str, Any] | None = None
        self._lineage = object()
        self._ahead: tuple[tuple[int, ...], Window] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Session:
        """Give a session of its own for a copy of the network."""
        network, past = copy.deepcopy(self.network, memo), copy.deepcopy(self.past, memo)
        options = self.n_training, self.seed, copy.deepcopy(self.replay, memo)
        other = Session(network, past, *options)
        other.position, other.passes = self.position, self.passes
        other.frozen = self.frozen
        return other

    # -- training --------------------------------------------------------------------------

    def train(self, start: int, stop: int) -> Tensor:
        """Loss of a window, summed over its events; states move on to its end.

        A window at the log's start forgets all states. Gradients of general states end at
        the window's start. A window elsewhere than at :attr:`position` is reached by a replay.
        """
        with self.lock.writing():
            self._forget_scores()
            if start == 0:
                self.rewind()
                self.passes += 1
            self.go_to(start)
            window = self._look_at_lessons(start, stop).to(self.network.device)
            unrolled = self.network.unroll(window)
            loss = self.network.loss(unrolled, lambda: self._look_ahead(stop, 2 * stop - start))
            self.commit(unrolled)
            return loss

    def _look_at_lessons(self, start: int, stop: int) -> Window:
        asked, ahead = self._asked(start, stop), self._ahead
        self._ahead = None
        if ahead is not None and ahead[0] == asked:
            return ahead[1]
        self.past.move_to(stop)
        return self.network.look_at_lessons(self.past, start, stop, [self.seed, self.passes])

    def _look_ahead(self, start: int, stop: int) -> None:
        """Look up the next window of this pass, of which nothing depends on weights."""
        stop = min(stop, self.n_training)
        if start < stop:
            window = self._look_at_lessons(start, stop)
            self._ahead = self._asked(start, stop), window

    def _asked(self, start: int, stop: int) -> tuple[int, ...]:
        """Tell a window of training from any other."""
        log = self.past.log
        return start, stop, self.passes, len(log), log.n_users, log.n_items

    # -- weights ---------------------------------------------------------------------------

    def weights_changed(self) -> None:
        """Say that the weights are others now; whoever changes them must say so.

        Training says it of itself, and changes in place that autograd counts are seen.
        """
        self._version += 1

    def _weights(self) -> Any:
        if self.frozen:
            return self._version
        parameters = self.network.parameters()
        return self._version, tuple((weight.data_ptr(), weight._version) for weight in parameters)

    def same_weights(self) -> None:
        """Say that the weights are those that made the states, though they were touched."""
        self.made_by = self._weights()

    @property
    def lineage(self) -> object | None:
        """Tells states by the weights that made them, however much room was made for ids.

        Those of two moments go together where it is the same object; None where the present
        weights have made no states yet.
        """
        current = self.made_by is not None and self.made_by == self._weights()
        return self._lineage if current else None

    def _forget_scores(self) -> None:
        self.made_by = self._table = self.held = self._end_of_training = None
        self._lineage = object()

    def _freshen(self) -> None:
        """Begin again where states were made by other weights."""
        if self.made_by is None or self.made_by != self._weights():
            self._forget_scores()
            self.rewind()
            self.made_by = self._weights()

    @property
    def is_fresh(self) -> bool:
        """Whether states are those of all that has happened, by the present weights."""
        return (
            self._table is not None
            and self.astray is None
            and self.made_by == self._weights()
            and self.position == self.past.position == len(self.past.log)
        )

    # -- moving on -------------------------------------------------------------------------

    def rewind(self) -> None:
        """Go to the log's beginning and forget all states."""
        self.network.reset()
        self.position, self._table, self.held, self.astray = 0, None, None, None
        self.as_made = True

    def seek(self, position: int) -> None:
        """Bring states, made by the present weights, to a position of the log."""
        with self.lock.writing():
            self._freshen()
            self.come_back()
            self.go_to(position)

    @torch.no_grad()
    def go_to(self, position: int) -> None:
        """Move states to a position, whatever weights made them; for replays."""
        if position == self.position:
            return
        self._let_go(position)
        if position < self.position:
            self._go_back(position)
        if self.made_by is not None and self.position < self.n_training <= position:
            self._replay_to(self.n_training)
            # Every evaluation begins here.
            self._end_of_training = self.state()
        self._replay_to(position)

    def _replay_to(self, position: int) -> None:
        for start, stop in windows(self.position, position, REPLAY_WINDOW):
            self.past.move_to(stop)
            self.commit(self.network.unroll(self.look(start, stop, self._no_rows())))

    def go_astray(self, learning: object) -> None:
        """Say that other weights make the states from here on, those of a learning replay."""
        self.astray = learning

    def come_back(self) -> None:
        """Go back to states by the present weights, where others made the later ones."""
        if self.astray is not None:
            self.held = None
            self._go_back(self.n_training)

    def hold(self, held: Held) -> None:
        """Keep a window that was asked for at the present position, to be asked for again."""
        self.held = held

    def _let_go(self, position: int) -> None:
        """Move on past a window that is held, if a position lies behind it."""
        held, self.held = self.held, None
        if held is not None and position >= held.ranked.stop:
            self.commit(held.unrolled)

    def _go_back(self, position: int) -> None:
        """Go to the end of training, or to the beginning."""
        kept = self._end_of_training
        if kept is not None and position >= kept["position"]:
            for memory, state in zip(self.network.memories(), kept["memories"], strict=True):
                memory.load_state(state)
            self.position, self._table, self.astray = kept["position"], None, None
        else:
            self.rewind()

    def observe(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append events to the log, and move on past them.

        Parameters
        ----------
        columns : mapping
            As :func:`~recbole_imn.log.completing.complete_columns` gives them.

        Raises
        ------
        LogError
            If they do not fit; nothing has changed then.
        """
        with self.lock.writing():
            self._be_present()
            self.past.observe(columns)
            self.go_to(self.past.position)

    def grow(
        self,
        n_users: int = 0,
        n_items: int = 0,
        item_features: Tensor | None = None,
    ) -> None:
        """Make room for users and items; the scores of others stay.

        Parameters
        ----------
        n_users, n_items : int
            Sizes of the id spaces, padding included.
        item_features : float32 [n_items, n_features], optional
            Of all items; by default new ones have zeros, which is the mean.
        """
        with self.lock.writing():
            self.past.grow(n_users, n_items)
            log, known = self.past.log, self.network.states.item_features
            missing = log.n_items - len(known)
            if item_features is None:
                item_features = torch.cat([known, known.new_zeros(missing, known.shape[1])])
            self.as_made &= torch.equal(item_features[: len(known)].to(known), known)
            fresh = self.made_by is not None and self.made_by == self._weights()
            self.network.grow(log.n_users, log.n_items, item_features.to(known))
            if fresh:
                # Tables of weights may have moved to where there is more room.
                self.made_by = self._weights()
            self._table = None

    @torch.no_grad()
    def _be_present(self) -> None:
        """Bring states to the end of what has happened."""
        self._freshen()
        self.come_back()
        self.go_to(len(self.past.log))
        self.past.move_to(len(self.past.log))
        self.catalogue()

    def commit(self, unrolled: Unrolled) -> None:
        """Move on to a window's end."""
        self.network.commit(unrolled)
        plan = unrolled.window.plan
        self.position = plan.stop
        if self._table is not None and plan.n_events:
            ids, rows = plan.items, plan.last_item_row
            changed = rows >= plan.levels.n_initial
            with torch.no_grad():
                moved = self.network.ranking_items(ids[changed], unrolled.states, rows[changed])
            self._table[ids[changed]] = moved

    def look(self, start: int, stop: int, facts: Facts) -> Window:
        """Look at a window and rows in it."""
        return self.network.look(self.past, start, stop, facts).to(self.network.device)

    def _no_rows(self) -> Facts:
        return self.past.look([], [])

    @torch.no_grad()
    def catalogue(self) -> Tensor:
        """Give all items as ranking sees them at :attr:`position`, float [n_items, width]."""
        if self._table is None:
            n_items, network = self.past.log.n_items, self.network
            parts = torch.arange(n_items, device=network.device).split(ITEMS_AT_A_TIME)
            for ids in parts:
                rows = torch.arange(len(ids), device=ids.device)
                made = network.ranking_items(ids, network.states.items.read(ids), rows)
                if self._table is None:
                    self._table = made.new_empty(n_items, made.shape[1])
                self._table[ids] = made
        assert self._table is not None  # there is padding at least
        return self._table

    # -- keeping -----------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Give position and memories as tensors, to go on inside an epoch of training."""
        memories = [memory.state() for memory in self.network.memories()]
        return {"position": self.position, "passes": self.passes, "memories": memories}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        self._forget_scores()
        self.position, self.passes = state["position"], state["passes"]
        self.astray, self.as_made = None, False
        for memory, kept in zip(self.network.memories(), state["memories"], strict=True):
            memory.load_state(kept)
