"""The interest-behaviour multiplicative network over an event log, without RecBole.

Equation numbers are those of the IMN-Net paper (arXiv 2009.13249).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recbole_imn.kernels.chosen_products import chosen_products
from recbole_imn.kernels.comparison import compare
from recbole_imn.kernels.mixture import add_mixture, log_add_hits
from recbole_imn.log import Integers
from recbole_imn.model.attention import Attention
from recbole_imn.model.branch import Branch
from recbole_imn.model.conditioning import Conditioning
from recbole_imn.model.contexts import ContextMaps, Contexts
from recbole_imn.model.fusion import Fusion
from recbole_imn.model.layers import Projection
from recbole_imn.model.lessons import Lessons, prepare_lessons
from recbole_imn.model.negatives import Draw
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources import Pointer
from recbole_imn.model.states import GeneralStates
from recbole_imn.model.statics import Statics
from recbole_imn.model.terms import CellTerm, ProductTerm, Rows
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.model.window import RowColumns, Window
from recbole_imn.past import Facts, Past
from recbole_imn.stream.plan import plan_window


class LossTerm(Protocol):
    """A summand of the loss, with its weight."""

    weight: float

    def __call__(self, network: Network, unrolled: Unrolled, learned: Learned) -> Tensor:
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
    squares, scores, products
        As :func:`~recbole_imn.kernels.comparison.compare` gives them; where each row has
        negatives of its own, products are those of its own alone, float [stop - start, m].
    """

    rows: Rows
    represented: Tensor
    squares: Tensor
    scores: Tensor
    products: list[Tensor]


@dataclass(frozen=True)
class Asked:
    """Rows as ranking sees them.

    Attributes
    ----------
    nearest : float [n, 2d + 1]
        The prediction's side of minus its squared distance to items (11).
    density : float [n, width]
        The rows' side of the log density ratio.
    candidates : int64 [n, n_slots]
        Items that sources propose; 0 for none.
    weights : float [n, n_slots]
        Their log weights, before the pointer's calibration.
    """

    nearest: Tensor
    density: Tensor
    candidates: Tensor
    weights: Tensor

    def __getitem__(self, rows: Tensor) -> Asked:
        """Give some of the rows."""
        return Asked(
            self.nearest[rows], self.density[rows], self.candidates[rows], self.weights[rows]
        )


class Network(nn.Module):
    r"""States, a branch, their fusion, and terms and sources that rank items by them.

    .. math::
        p(x \mid c) \propto \exp \sum_j \text{term}_j(x, c) + \sum_{s: x_s = x} e^{w_s(c)}

    The first term is the paper's density ratio f_1 (13); others and the sum over candidates
    from the past, proposed by sources and weighed by one pointer, are beyond the paper. The
    prediction (11) ranks beside them by its own weight. With no further terms and no sources
    this is IMN-Net to the equations. :func:`~recbole_imn.model.build.build_network` makes one.

    Parameters
    ----------
    settings : NetworkSettings
    states : GeneralStates
    statics : Statics
    branch : Branch or None
    fusion : Fusion
    item_condition : Conditioning
    maps : ContextMaps
    products : dict of str to ProductTerm
        Further terms of the log density ratio.
    cell_term : CellTerm or None
    pointer : Pointer or None
    attention : Attention or None
    losses : sequence of LossTerm
    draw_negatives : callable
    """

    products: Mapping[str, ProductTerm]
    ranking_weights: Tensor
    ranking_scales: Tensor

    def __init__(
        self,
        settings: NetworkSettings,
        states: GeneralStates,
        statics: Statics,
        branch: Branch | None,
        fusion: Fusion,
        item_condition: Conditioning,
        maps: ContextMaps,
        products: Mapping[str, ProductTerm],
        cell_term: CellTerm | None,
        pointer: Pointer | None,
        attention: Attention | None,
        losses: Sequence[LossTerm],
        draw_negatives: Draw,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.statics, self.states = statics, states
        self.projection = Projection(settings.embedding_size)
        self.branch, self.fusion = branch, fusion
        self.item_condition = item_condition
        self.maps = maps
        self.products = nn.ModuleDict(products)  # type: ignore[assignment]
        self.cell_term, self.pointer, self.attention = cell_term, pointer, attention
        self.losses, self.draw_negatives = list(losses), draw_negatives
        # Buffers: a checkpoint ranks by the weights that were found for it.
        weights = [settings.ranking_mse_weight, settings.ranking_nce_weight]
        self.register_buffer("ranking_weights", torch.tensor(weights))
        self.register_buffer("ranking_scales", torch.ones(2))
        self._heard_by: Callable[[Asked, Facts], None] | None = None

    # -- looking: nothing here depends on weights -------------------------------------------

    def look_at_lessons(
        self, past: Past, start: int, stop: int, seed: Sequence[int], first: int | None = None
    ) -> Window:
        """Look up a window of training, whose rows are its events.

        Parameters
        ----------
        past : Past
            At ``stop``, or beyond it.
        start, stop : int
        seed : sequence of int
            Of all that is drawn at random.
        first : int, optional
            The first event to learn from; those before it only move states.
        """
        facts = past.look_at_events(_range(start if first is None else first, stop))
        if not self.settings.first_events:
            facts = facts[(facts.count > 0).nonzero()[0]]
        rng = np.random.default_rng([*seed, start])
        own = past.log.item[facts.position].astype(np.int64)
        negatives = self.draw_negatives(past, start, own, rng)
        reach = self.settings.purchase_reach
        window = self.look(past, start, stop, facts, reach, negatives.items.reshape(-1))
        salt = int(rng.integers(2**20))
        lessons = prepare_lessons(past, window.plan, facts, negatives, self.cell_term, salt)
        return replace(window, lessons=lessons)

    def look(
        self,
        past: Past,
        start: int,
        stop: int,
        facts: Facts,
        reach: int = 0,
        others: Integers | None = None,
    ) -> Window:
        """Look up all that the network needs of a window and of rows in it.

        Parameters
        ----------
        past : Past
            At ``stop``, or beyond it.
        start, stop : int
            Events ``start <= k < stop``; there may be none.
        facts : Facts
            Of rows in the order of their positions, each in ``start..stop``.
        reach, others
            As of :func:`~recbole_imn.stream.plan.plan_window`, for training.
        """
        reach = reach if self.branch is not None else 0
        plan = plan_window(past, start, stop, facts, reach, others)
        looked: dict[str, Any] = {
            name: term.look(past, facts) for name, term in self.products.items()
        }
        since_purchase = torch.zeros(len(facts), 2)
        purchases = None
        if self.branch is not None:
            purchases = self.branch.look(past, plan.purchases.events)
            # One projection measures both times in one unit.
            own = self.branch.projection is not None
            elapsed = self.branch.elapsed if own else self.states.elapsed_user
            since_purchase = elapsed(facts.since_purchase, facts.purchase < 0)
        if self.pointer is not None:
            looked["pointer"] = self.pointer.look(past, facts)
        if self.attention is not None:
            looked["attention"] = self.attention.look(past, facts)
        rows = RowColumns(
            torch.from_numpy(facts.user),
            torch.from_numpy(facts.item),
            self.states.elapsed_user(facts.elapsed, facts.latest < 0),
            since_purchase,
            looked,
        )
        events = self.states.look(past, _range(start, stop))
        return Window(plan, events, purchases, facts, rows)

    # -- states ------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.ranking_weights.device

    def reset(self) -> None:
        """Forget every state."""
        for memory in self.memories():
            memory.reset()

    def memories(self) -> list[Any]:
        """Give all that is remembered between windows."""
        of_branch = [] if self.branch is None else [self.branch.memory, self.branch.kept]
        return [self.states.users, self.states.items, *of_branch]

    def grow(self, n_users: int, n_items: int, item_features: Tensor) -> None:
        """Make room for users and items that come later; the scores of others stay.

        Parameters
        ----------
        n_users, n_items : int
            Sizes of the id spaces, padding included.
        item_features : float32 [n_items, n_item_features]
        """
        self.states.grow(n_users, n_items, item_features)
        self.statics.user.grow(n_users)
        self.statics.item.grow(n_items, item_features)
        if self.branch is not None:
            self.branch.grow(n_users, item_features)
        for term in self.products.values():
            term.grow(n_users, n_items, item_features)

    def unroll(self, window: Window) -> Unrolled:
        """Run the recursions over a window, from the states in memory; commits nothing."""
        states = self.states.unroll(window.plan, window.events)
        if self.branch is None or window.purchases is None:
            return Unrolled(window, states, None, None)
        limited, general = self.branch.unroll(window.plan, states, window.purchases, self.statics)
        return Unrolled(window, states, limited, general)

    def commit(self, unrolled: Unrolled) -> None:
        """Store the states at the window's end."""
        window = unrolled.window
        self.states.commit(window.plan, unrolled.states)
        if self.branch is not None and unrolled.limited is not None:
            assert window.purchases is not None
            assert unrolled.general is not None
            self.branch.commit(
                window.plan, unrolled.limited, unrolled.general, window.purchases.user
            )

    # -- contexts and representations ----------------------------------------------------------

    def contexts(self, unrolled: Unrolled) -> Rows:
        """Give the window's rows with their contexts, from what lies before each."""
        plan, table = unrolled.window.plan, self.statics.item
        states = self.item_condition(unrolled.states, plan.item_row)
        embedded = table.scaled(table.rows(plan.items[plan.latest_items]))
        return self._rows(unrolled, states, embedded)

    def _rows(self, unrolled: Unrolled, latest: Tensor, embedded: Tensor) -> Rows:
        """Put contexts together, and map them to the space of representations.

        Parameters
        ----------
        unrolled : Unrolled
        latest : float [n, d]
            States of the items of users' latest events, conditioned.
        embedded : float [n_latest, d]
            Static embeddings of ``WindowPlan.latest_items``.
        """
        window, rows = unrolled.window, unrolled.window.rows
        plan = window.plan
        contexts = Contexts(
            self.fusion(*self.projected(unrolled)),
            self.statics.user(plan.users),
            plan.user_place,
            latest,
            embedded,
            plan.item_place,
        )
        mapped, attended = self.maps(contexts), None
        if self.attention is not None:
            attended = self.attention(rows.looked["attention"], mapped, self.statics.item)
            mapped = mapped.with_compared(attended)
        return Rows(rows, contexts, mapped, attended)

    def projected(self, unrolled: Unrolled) -> tuple[Tensor, Tensor | None]:
        """Give the general and the limited state of each row's user now, float [n, d] each."""
        plan, rows = unrolled.window.plan, unrolled.window.rows
        interest = self.projection(unrolled.states, plan.user_row, rows.since_user)
        if self.branch is None or unrolled.limited is None:
            return interest, None
        projection = self.branch.projection or self.projection
        resources = projection(unrolled.limited, plan.purchases.row, rows.since_purchase)
        return interest, resources

    def represent(self, embedded: Tensor, places: Tensor, states: Tensor, rows: Tensor) -> Tensor:
        """Give representations [item state, static item], float [n, 2d].

        Parameters
        ----------
        embedded : float [n_distinct, d]
            Static embeddings as they are in the table.
        places : int64 [n]
            Which of them is that of each item.
        states : float [m, n_parts * d]
        rows : int64 [n]
            Where the state of each item lies.
        """
        return self.item_condition.beside(states, rows, self.statics.item, embedded, places)

    def density_queries(self, rows: Rows) -> Tensor:
        """Give the rows' side of the same, float [n, width]."""
        looked = rows.columns.looked
        others = [term.queries(rows, looked[name]) for name, term in self.products.items()]
        return torch.cat([rows.compared, *others], dim=1) if others else rows.compared

    # -- losses ------------------------------------------------------------------------------

    def loss(self, unrolled: Unrolled) -> Tensor:
        """Equation (22), summed over the window's rows."""
        lessons = unrolled.window.lessons
        with self.statics.leaving_out(lessons.salt):
            represented, *latest = self._represent(unrolled, lessons)
            rows = self._rows(unrolled, *latest)
            learned = Learned(rows, represented, *self._compare(rows, represented, lessons))
            loss: Tensor | None = None
            for term in self.losses:
                part = term(self, unrolled, learned)
                part = part if term.weight == 1 else term.weight * part
                loss = part if loss is None else loss + part
        return represented.new_zeros(()) if loss is None else loss

    def _represent(self, unrolled: Unrolled, lessons: Lessons) -> tuple[Tensor, Tensor, Tensor]:
        """Represent what rows are compared with; give what contexts take from items as well."""
        plan, table, rows = unrolled.window.plan, self.statics.item, lessons.states
        if self.settings.positive_state == "after":
            rows = torch.cat([lessons.after, rows[len(lessons.items) :]])
        embedded, latest = table.rows(plan.items), (plan.item_row, plan.latest_items)
        return self.item_condition.with_latest(
            unrolled.states, rows, table, embedded, lessons.places, *latest
        )

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

    # -- ranking -----------------------------------------------------------------------------

    def ranking_queries(self, asked: Asked) -> list[Tensor]:
        """Give vectors whose products with :meth:`ranking_items` rank items, float [n, width].

        Minus the squared distance (11) and the log density ratio, weighed by alpha_m and
        alpha_n (24), up to a constant of the row. Distances that are not squared are no
        product: those of their squares come second, to be joined by :meth:`joined`.
        """
        mse, nce = (self.ranking_weights / self.ranking_scales).unbind()
        if self.settings.distance == "squared":
            return [_side_by_side(asked, mse, nce)]
        none = torch.zeros_like(mse)
        return [_side_by_side(asked, none, nce), _side_by_side(asked, none + 1, none)]

    def joined(self, asked: Asked, found: Sequence[Tensor]) -> Tensor:
        """Give scores of products of :meth:`ranking_queries`, of the same shape.

        Parameters
        ----------
        asked : Asked
        found : list of float [n] or [n, m]
            Products of each of the queries.
        """
        if len(found) == 1:
            return found[0]
        density, nearest = found
        squares = (asked.nearest[:, :-1] / 2).square().sum(dim=1)
        away = (squares if nearest.ndim == 1 else squares.unsqueeze(1)) - nearest
        weight = self.ranking_weights[0] / self.ranking_scales[0]
        return density - weight * away.clamp(min=0).sqrt()

    def ranking_items(self, ids: Tensor, states: Tensor, rows: Tensor) -> Tensor:
        """Give items as ranking sees them, float [n, width].

        Parameters
        ----------
        ids : int64 [n]
        states : float [m, n_parts * d]
        rows : int64 [n]
            Where the state of each item lies.
        """
        places = torch.arange(len(ids), device=ids.device)
        items = self.represent(self.statics.item.rows(ids), places, states, rows)
        # Of what is predicted, the last columns.
        length = items[:, -self.maps.widths[0] :].square().sum(dim=1, keepdim=True)
        others = [term.items(ids, items) for term in self.products.values()]
        return torch.cat([items, length, *others], dim=1)

    def set_ranking(self, weights: tuple[float, float], scales: tuple[float, float]) -> None:
        """Set alpha_m and alpha_n, and what the two parts are divided by."""
        self.ranking_weights.copy_(torch.tensor(weights))
        self.ranking_scales.copy_(torch.tensor(scales))

    def ask(self, rows: Rows) -> Asked:
        """Give rows as ranking sees them."""
        before = self.maps.widths[1] - self.maps.widths[0]
        nearest = functional.pad(2 * rows.predicted, (0, 1), value=-1.0)
        nearest = functional.pad(nearest, (before, 0)) if before else nearest
        density = self.density_queries(rows)
        if self.pointer is None:
            none = density.new_zeros(len(density), 0)
            return Asked(nearest, density, none.long(), none)
        pointed = rows.columns.looked["pointer"]
        return Asked(nearest, density, pointed.items, self.pointer(pointed, rows.parts))

    def calibrated(self, asked: Asked) -> Tensor:
        """Give the log weights of candidates as ranking takes them, float [n, n_slots]."""
        return asked.weights if self.pointer is None else self.pointer.calibration(asked.weights)

    @contextmanager
    def candidates_apart(self, hear: Callable[[Asked, Facts], None]) -> Iterator[None]:
        """Let scores be those of the catalogue alone meanwhile; ``hear`` is told of the rest.

        Parameters
        ----------
        hear : callable
            Gets the rows that are scored, as ranking sees them, and their facts.
        """
        self._heard_by = hear
        try:
            yield
        finally:
            self._heard_by = None

    def _joining(self, asked: Asked, facts: Facts) -> Tensor:
        """Give the log weights that join the catalogue's, float [n, n_slots]."""
        if self._heard_by is None:
            return self.calibrated(asked)
        self._heard_by(asked, facts)
        return torch.full_like(asked.weights, -torch.inf)

    def complete(
        self, scores: Tensor, past: Past, start: int, asked: Asked, facts: Facts
    ) -> Tensor:
        """Add to scores of the catalogue what is no inner product, in place.

        Parameters
        ----------
        scores : float [n, n_items]
            Products of the queries.
        past : Past
        start : int
            A position not beyond the first row's.
        asked : Asked
        facts : Facts
            Of the same rows, in order of their positions and times.
        """
        if self.cell_term is not None:
            self.cell_term.add_to(scores, past, start, facts)
        if self.pointer is not None:
            scores = add_mixture(scores, asked.candidates, self._joining(asked, facts))
        return scores

    def complete_one(
        self, scores: Tensor, past: Past, asked: Asked, facts: Facts, items: Tensor
    ) -> Tensor:
        """Do the same for the score of one item a row, float [n]."""
        if self.cell_term is not None:
            scores = scores + self.cell_term.of_items(past, facts, items)
        if self.pointer is not None:
            scores = log_add_hits(scores, items, asked.candidates, self._joining(asked, facts))
        return scores

    def complete_some(
        self, scores: Tensor, past: Past, asked: Asked, facts: Facts, items: Integers
    ) -> Tensor:
        """Do the same for some items, the same ones for all rows, float [n, m].

        Parameters
        ----------
        scores : float [n, m]
        past : Past
        asked : Asked
        facts : Facts
        items : int64 [m]
            None of them twice.
        """
        if self.cell_term is not None:
            each = torch.from_numpy(items)
            for row, values in enumerate(scores):
                same = facts[np.full(len(items), row)]
                values += self.cell_term.of_items(past, same, each)
        if self.pointer is not None:
            places = torch.full((past.log.n_items,), -1, device=scores.device)
            places[torch.from_numpy(items).to(places.device)] = torch.arange(
                len(items), device=places.device
            )
            found = places[asked.candidates]
            # A slot without weight is passed over, whatever its item.
            weights = self._joining(asked, facts).masked_fill(found < 0, -torch.inf)
            scores = add_mixture(scores, found.clamp(min=0), weights)
        return scores


def _products_of_own(
    compared: Tensor, versions: Sequence[Tensor], lessons: Lessons
) -> list[Tensor]:
    """Give log density ratios of the negatives that each row has for itself."""
    found = []
    for part, some in zip(lessons.comparisons, versions, strict=True):
        assert part.columns is not None
        found.append(chosen_products(compared[part.start : part.stop], some, part.columns))
    return found


def _side_by_side(asked: Asked, mse: Tensor, nce: Tensor) -> Tensor:
    """Give queries for weights of the two parts, float [n, width]."""
    nearest, density = asked.nearest, asked.density
    width = nearest.shape[1] - 1
    return torch.cat(
        [
            mse * nearest[:, :width] + nce * density[:, :width],
            mse * nearest[:, width:],
            nce * density[:, width:],
        ],
        dim=1,
    )


def _range(start: int, stop: int) -> Integers:
    return np.arange(start, stop)
