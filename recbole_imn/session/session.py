"""A network and its past, moving on together."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recbole_imn.kernels.screening import screen
from recbole_imn.log import Integers
from recbole_imn.model.network import Network
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.model.window import Window
from recbole_imn.past import Facts, Past
from recbole_imn.session.locks import ReadWriteLock
from recbole_imn.session.ranking import Ranked, products
from recbole_imn.session.replay import REPLAY_WINDOW, Held, Replay, plain_replay
from recbole_imn.stream.plan import windows

Answer = TypeVar("Answer")


# More would be copied several times over while they are made.
ITEMS_AT_A_TIME = 1 << 16


@dataclass(frozen=True)
class Query:
    """Users at times, ready to be scored.

    Attributes
    ----------
    ranked : Ranked
        Rows in the order of their times.
    order : int64 [n]
        Place of each user that was asked for among these rows.
    made_by : object
        The weights that the rows were made by.
    """

    ranked: Ranked
    order: Integers
    made_by: Any


class Session:
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
        self._end_of_training: dict[str, Any] | None = None
        self._lineage = object()

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
            loss = self.network.loss(unrolled)
            self.commit(unrolled)
            return loss

    def _look_at_lessons(self, start: int, stop: int) -> Window:
        self.past.move_to(stop)
        return self.network.look_at_lessons(self.past, start, stop, [self.seed, self.passes])

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
            and self.made_by == self._weights()
            and self.position == self.past.position == len(self.past.log)
        )

    # -- moving on -------------------------------------------------------------------------

    def rewind(self) -> None:
        """Go to the log's beginning and forget all states."""
        self.network.reset()
        self.position, self._table, self.held = 0, None, None

    def seek(self, position: int) -> None:
        """Bring states, made by the present weights, to a position of the log."""
        with self.lock.writing():
            self._freshen()
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
            self.position, self._table = kept["position"], None
        else:
            self.rewind()

    def observe(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append events to the log, and move on past them.

        Parameters
        ----------
        columns : mapping
            As :func:`~recbole_imn.log.event_log.complete_columns` gives them.

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

    # -- scores of now -----------------------------------------------------------------------

    @torch.no_grad()
    def query(self, users: npt.ArrayLike, at: npt.ArrayLike) -> Query:
        """Ask for users at some times, after all that has happened.

        Parameters
        ----------
        users : int64 [n]
        at : float64 [n]
            Seconds; those before the last event count as its time.
        """
        order = np.argsort(np.asarray(at), kind="stable")
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        users, at = np.asarray(users)[order], np.asarray(at)[order]
        return self._read(lambda: Query(self._ask(users, at), back, self.made_by))

    def _read(self, answer: Callable[[], Answer]) -> Answer:
        """Answer beside other readers, from states of the present."""
        while True:
            with self.lock.reading():
                if self.is_fresh:
                    return answer()
            with self.lock.writing():
                self._be_present()

    def _ask(self, users: npt.ArrayLike, at: npt.ArrayLike) -> Ranked:
        """Look at rows of the present, which are in the order of their times."""
        last = self.past.log.time[-1] if len(self.past.log) else -np.inf
        facts = self.past.look(users, np.maximum(at, last))
        return self.ranked(self.look(self.position, self.position, facts))[0]

    @torch.no_grad()
    def scores(self, query: Query) -> Tensor:
        """Score the whole catalogue, float [n, n_items].

        Where events were observed since the query was made, or weights have changed, it is
        asked anew: scores are of one moment.
        """
        return self._read(lambda: self._scores(query))

    def _scores(self, query: Query) -> Tensor:
        ranked = self._present(query)
        scores = self._score_all(ranked, np.arange(len(ranked.facts)))
        return scores[torch.from_numpy(query.order).to(scores.device)]

    @torch.no_grad()
    def scores_of(self, query: Query, items: Integers) -> Tensor:
        """Score some items, the same ones for all rows; the bits are those of :meth:`scores`.

        Parameters
        ----------
        query : Query
        items : int64 [m]
            None of them twice.

        Returns
        -------
        float [n, m]
        """
        return self._read(lambda: self._scores_of(query, items))

    def _scores_of(self, query: Query, items: Integers) -> Tensor:
        ranked, network = self._present(query), self.network
        table = self.catalogue()
        if len(items) == 0:
            return table.new_empty(len(ranked.facts), 0)
        asked, facts = ranked.asked, ranked.facts
        chosen = table[torch.from_numpy(items).to(table.device)]
        found = [products(queries, chosen) for queries in network.ranking_queries(asked)]
        scores = network.joined(asked, found)
        scores = network.complete_some(scores, self.past, asked, facts, items)
        return scores[torch.from_numpy(query.order).to(scores.device)]

    @torch.no_grad()
    def contenders(
        self, query: Query, k: int, items: Integers, left_out: Sequence[Integers]
    ) -> list[tuple[Integers, Tensor]]:
        """Give, for each row, items that the best ``k`` of some are among.

        A catalogue is only read, where scoring it to the last bit copies it.

        Parameters
        ----------
        query : Query
        k : int
        items : int64 [m]
            To be ranked, in rising order.
        left_out : sequence of int64 arrays
            Places among these that a row does not want.

        Returns
        -------
        list of (int64 [any], float [any])
            Items in rising order and their scores, the bits those of :meth:`scores`.
        """

        def each() -> list[tuple[Integers, Tensor]]:
            ranked = self._present(query)
            rows = zip(query.order, left_out, strict=True)
            return [self._contenders(ranked[[row]], k, items, out) for row, out in rows]

        return self._read(each)

    def _contenders(
        self, ranked: Ranked, k: int, items: Integers, left_out: Integers
    ) -> tuple[Integers, Tensor]:
        network, table, asked = self.network, self.catalogue(), ranked.asked
        queries, term = network.ranking_queries(asked), network.cell_term
        values = np.empty(0) if term is None else term.of_catalogue(self.past, ranked.facts).numpy()
        out = np.zeros(len(items), np.bool_)
        out[left_out] = True
        found = ~out
        # Distances that are not squared have no such bounds.
        if len(queries) == 1:
            query, wanted = queries[0][0].numpy(), min(k, len(items))
            found = screen(table.numpy(), query, items, values, out, wanted)
        # A candidate's score is more than its density.
        proposed = asked.candidates[0].numpy()
        places = np.minimum(np.searchsorted(items, proposed), max(len(items) - 1, 0))
        found[places[items[places] == proposed] if len(items) else places[:0]] = True
        chosen = items[found & ~out]
        if len(chosen) == 0:
            return chosen, table.new_empty(0)
        rows = table[torch.from_numpy(chosen)]
        scores = network.joined(asked, [products(each, rows) for each in queries])
        return chosen, network.complete_some(scores, self.past, asked, ranked.facts, chosen)[0]

    def _present(self, query: Query) -> Ranked:
        """Give a query's rows as of the present, asked anew where that has moved."""
        ranked = query.ranked
        if ranked.stop != self.position or query.made_by != self.made_by:
            return self._ask(ranked.facts.user, ranked.facts.at)
        return ranked

    def ranked(self, window: Window) -> tuple[Ranked, Unrolled]:
        """Give the rows of a window as ranking sees them, and the window unrolled."""
        network, plan = self.network, window.plan
        unrolled = network.unroll(window)
        asked = network.ask(network.contexts(unrolled))
        moved = asked.density.new_empty(0, 0)
        if plan.n_events:
            moved = network.ranking_items(window.events.item, unrolled.states, plan.after(1))
        return Ranked(plan.start, plan.stop, window.facts, asked, moved), unrolled

    def _score_all(self, ranked: Ranked, rows: Integers) -> Tensor:
        table = self.catalogue()
        if len(rows) == 0:
            return table.new_empty(0, len(table))
        asked = ranked.asked[torch.from_numpy(rows).to(table.device)]
        queries = self.network.ranking_queries(asked)
        found = [ranked.score_all(each, self.past, table, rows) for each in queries]
        scores = self.network.joined(asked, found)
        return self.network.complete(scores, self.past, ranked.start, asked, ranked.facts[rows])

    # -- scores of events of the log -----------------------------------------------------------

    @torch.no_grad()
    def scores_before(self, events: Integers, chunk: int = 256) -> Tensor:
        """Score the whole catalogue for events of the log, each just before it happens.

        Parameters
        ----------
        events : int64 [n]
            In any order.
        chunk : int
            Rows scored at a time; bounds the memory for items that move meanwhile.

        Returns
        -------
        float [n, n_items]
        """
        with self.lock.writing():
            self._freshen()
            distinct, back = np.unique(events, return_inverse=True)
            scores = torch.empty(len(distinct), self.past.log.n_items, device=self.network.device)
            for replayed in self.replay(self, distinct, chunk):
                scores[replayed.place] = self._score_all(replayed.ranked, replayed.rows)
            same = len(distinct) == len(events) and (back[1:] > back[:-1]).all()
            return scores if same else scores[torch.from_numpy(back).to(scores.device)]

    @torch.no_grad()
    def score_before(self, events: Integers, items: Tensor, chunk: int = 256) -> Tensor:
        """Do the same for one item a row, float [n]; an event may occur more than once."""
        with self.lock.writing():
            self._freshen()
            distinct, back = np.unique(events, return_inverse=True)
            scores = torch.empty(len(events), device=self.network.device)
            for part in self.replay(self, distinct, chunk):
                wanted = np.flatnonzero((back >= part.place.start) & (back < part.place.stop))
                rows = part.rows[back[wanted] - part.place.start]
                chosen = torch.from_numpy(wanted).to(items.device)
                scores[chosen] = self._score_one(part.ranked, rows, items[chosen])
            return scores

    def _score_one(self, ranked: Ranked, rows: Integers, items: Tensor) -> Tensor:
        table = self.catalogue()
        asked = ranked.asked[torch.from_numpy(rows).to(table.device)]
        queries = self.network.ranking_queries(asked)
        found = [ranked.score_one(each, self.past, table, rows, items) for each in queries]
        scores = self.network.joined(asked, found)
        return self.network.complete_one(scores, self.past, asked, ranked.facts[rows], items)

    # -- keeping -----------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Give position and memories as tensors, to go on inside an epoch of training."""
        memories = [memory.state() for memory in self.network.memories()]
        return {"position": self.position, "passes": self.passes, "memories": memories}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        self._forget_scores()
        self.position, self.passes = state["position"], state["passes"]
        for memory, kept in zip(self.network.memories(), state["memories"], strict=True):
            memory.load_state(kept)
