"""What a network learns from: a window's rows, their items and negatives, and its losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from recbole_imn.kernels.chosen_products import chosen_products
from recbole_imn.kernels.comparison import compare
from recbole_imn.model.conditioning import Conditioning
from recbole_imn.model.lessons import Lessons
from recbole_imn.model.ranking import Ranking
from recbole_imn.model.sharing import Read
from recbole_imn.model.terms import Rows
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.model.window import Window
from recbole_imn.processes import loss_of_parts
from recbole_imn.stream.plan import WindowPlan


class LossTerm(Protocol):
    """A summand of the loss, with its weight."""

    weight: float

    def __call__(self, network: Learning, unrolled: Unrolled, learned: Learned) -> Tensor:
        """Sum over the window."""
        ...


@dataclass(frozen=True)
class Learned:
    """What a window is learned from.

    Attributes
    ----------
    rows : Rows
    represented : float [n + n_versions of all comparisons, 2d]
        The items of the rows' events, then the negatives of each comparison in all versions
        that its rows see.
    targets : float [n, 2d]
        The items of the rows' events as they were just before, of which the last columns are
        predicted.
    squares, scores, products
        As :func:`~recbole_imn.kernels.comparison.compare` gives them; where each row has
        negatives of its own, products are those of its own alone, float [stop - start, m].
    """

    rows: Rows
    represented: Tensor
    targets: Tensor
    squares: Tensor
    scores: Tensor
    products: list[Tensor]


class Learning(Ranking):
    """The losses of a network, which says what rows and items are.

    Attributes
    ----------
    item_condition : Conditioning
    losses : list of LossTerm
    """

    item_condition: Conditioning
    losses: list[LossTerm]

    def weights_by_use(self) -> tuple[list[Tensor], list[Tensor]]:
        """Give the weights of rows' losses, and those of states and of tables of ids."""
        raise NotImplementedError

    def moving_rows(self, plan: WindowPlan) -> Tensor:
        """Give the rows of the buffer of states whose gradient reaches a weight, int64 [n]."""
        raise NotImplementedError

    def _read(self, window: Window) -> Read:
        raise NotImplementedError

    def _rows(self, unrolled: Unrolled, latest: Tensor, embedded: Tensor, read: Read) -> Rows:
        raise NotImplementedError

    def loss(self, unrolled: Unrolled, meanwhile: Callable[[], None] | None = None) -> Tensor:
        """Equation (22), summed over the window's rows, those of all processes.

        Parameters
        ----------
        unrolled : Unrolled
        meanwhile : callable, optional
            Done while processes that share the rows exchange gradients; else not at all.
        """
        window = unrolled.window
        with self.statics.leaving_out(window.lessons.salt):
            embedded = self.statics.item.rows(window.plan.items)
            read = self._read(window)
            if window.whole is None:
                return self._loss(unrolled, embedded, read)
            return self._shared_loss(unrolled, embedded, read, meanwhile)

    def _shared_loss(
        self,
        unrolled: Unrolled,
        embedded: Tensor,
        read: Read,
        meanwhile: Callable[[], None] | None,
    ) -> Tensor:
        """Give the loss of all processes' rows, with all gradients."""
        limited = [] if unrolled.limited is None else [unrolled.limited]
        inputs = [unrolled.states, embedded, *limited, *read.tensors()]
        n_before = 2 + len(limited)

        def part(given: list[Tensor]) -> Tensor:
            states, embedded, *others = given
            own = replace(unrolled, states=states, limited=others[0] if limited else None)
            return self._loss(own, embedded, read.of(given[n_before:]))

        wanted = [self.moving_rows(unrolled.window.plan), *[None] * (len(inputs) - 1)]
        weights, apart = self.weights_by_use()
        return loss_of_parts(part, inputs, weights, wanted, apart, meanwhile)

    def _loss(self, unrolled: Unrolled, embedded: Tensor, read: Read) -> Tensor:
        """Sum over the rows that the window has."""
        lessons = unrolled.window.lessons
        represented, targets, latest, of_latest = self._represent(unrolled, lessons, embedded)
        rows = self._rows(unrolled, latest, of_latest, read)
        learned = Learned(rows, represented, targets, *self._compare(rows, represented, lessons))
        loss: Tensor | None = None
        for term in self.losses:
            part = term(self, unrolled, learned)
            part = part if term.weight == 1 else term.weight * part
            loss = part if loss is None else loss + part
        return represented.new_zeros(()) if loss is None else loss

    def _represent(
        self, unrolled: Unrolled, lessons: Lessons, embedded: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Represent what rows are compared with; give what contexts take from items as well."""
        plan, table, n = unrolled.window.plan, self.statics.item, len(lessons.items)
        rows, places = lessons.states, lessons.places
        apart = self.settings.targets_apart
        if self.settings.positive_state == "after":
            # Of states that have seen the event nothing is predicted.
            before = rows[:n] if apart else rows[:0]
            rows = torch.cat([lessons.after, rows[n:], before])
            places = torch.cat([places, places[: len(before)]])
        represented, latest, of_latest = self.item_condition.with_latest(
            unrolled.states, rows, table, embedded, places, plan.item_row, plan.latest_items
        )
        if not apart:
            return represented, represented[:n], latest, of_latest
        compared = len(lessons.places)
        return represented[:compared], represented[compared:], latest, of_latest

    def _compare(
        self, rows: Rows, represented: Tensor, lessons: Lessons
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        mapped = rows.mapped
        chunks = [(part.start, part.stop, len(part.found)) for part in lessons.comparisons]
        predicted, compared = mapped.columns
        # Distances of other forms are no part of it.
        columns = (predicted if self.settings.takes_plain_squares else -1, compared)
        given = mapped.log_temperature, columns
        if lessons.negatives.ndim == 1:
            return compare(mapped.values, represented, *given, chunks)
        positive, *versions = represented.split([len(rows.columns), *(n for *_, n in chunks)])
        squares, scores, _ = compare(mapped.values, positive, *given, ())
        return squares, scores, _products_of_own(mapped.compared, versions, lessons)


def _products_of_own(
    compared: Tensor, versions: Sequence[Tensor], lessons: Lessons
) -> list[Tensor]:
    """Give log density ratios of the negatives that each row has for itself."""
    found = []
    for part, some in zip(lessons.comparisons, versions, strict=True):
        assert part.columns is not None
        found.append(chosen_products(compared[part.start : part.stop], some, part.columns))
    return found
