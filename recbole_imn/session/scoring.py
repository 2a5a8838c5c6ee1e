"""Scores of items for rows: of the present, and of events of the log just before they happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recbole_imn.kernels.conditioning import is_compiled
from recbole_imn.kernels.screening import screen
from recbole_imn.log import Integers
from recbole_imn.model.ranking import Asked
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.model.window import Window
from recbole_imn.session.locks import ReadWriteLock
from recbole_imn.session.ranking import Ranked, products
from recbole_imn.session.replay import Replay, Replayable

Answer = TypeVar("Answer")


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


class Scoring(Replayable):
    """The scores of a session, which says where it is and what items are there.

    Attributes
    ----------
    lock : ReadWriteLock
    position : int
    replay : callable
    """

    lock: ReadWriteLock
    position: int
    replay: Replay

    @property
    def is_fresh(self) -> bool:
        """Whether states are those of all that has happened, by the present weights."""
        raise NotImplementedError

    def _be_present(self) -> None:
        raise NotImplementedError

    def _freshen(self) -> None:
        raise NotImplementedError

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
        scores = self._joined(asked, lambda queries: products(queries, chosen))
        scores = network.add_freshness_and_pointer_to_some(scores, self.past, asked, facts, items)
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
        out = np.zeros(len(items), np.bool_)
        out[left_out] = True
        found = ~out
        # Distances that are not squared have no such bounds, and loops are the processor's.
        if len(queries) == 1 and is_compiled(table):
            of_cells = term.of_catalogue(self.past, ranked.facts) if term else torch.empty(0)
            query, wanted = queries[0][0].numpy(), min(k, len(items))
            found = screen(table.numpy(), query, items, of_cells.numpy(), out, wanted)
        # A candidate's score is more than its density.
        proposed = asked.candidates[0].cpu().numpy()
        places = np.minimum(np.searchsorted(items, proposed), max(len(items) - 1, 0))
        found[places[items[places] == proposed] if len(items) else places[:0]] = True
        chosen = items[found & ~out]
        if len(chosen) == 0:
            return chosen, table.new_empty(0)
        rows = table[torch.from_numpy(chosen).to(table.device)]
        scores = network.joined(asked, [products(each, rows) for each in queries])
        return chosen, network.add_freshness_and_pointer_to_some(
            scores, self.past, asked, ranked.facts, chosen
        )[0]

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

    def _joined(self, asked: Asked, score: Callable[[Tensor], Tensor]) -> Tensor:
        """Score by each side of the rows' queries, and join what that gives."""
        found = [score(queries) for queries in self.network.ranking_queries(asked)]
        return self.network.joined(asked, found)

    def _score_all(self, ranked: Ranked, rows: Integers) -> Tensor:
        table = self.catalogue()
        if len(rows) == 0:
            return table.new_empty(0, len(table))
        asked = ranked.asked[torch.from_numpy(rows).to(table.device)]
        scores = self._joined(asked, lambda each: ranked.score_all(each, self.past, table, rows))
        return self.network.add_freshness_and_pointer(
            scores, self.past, ranked.start, asked, ranked.facts[rows]
        )

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
        scores = self._joined(
            asked, lambda each: ranked.score_one(each, self.past, table, rows, items)
        )
        return self.network.add_freshness_and_pointer_to_one(
            scores, self.past, asked, ranked.facts[rows], items
        )
