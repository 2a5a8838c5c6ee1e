"""The interest-behaviour multiplicative network over an event log, without RecBole.

Equation numbers are those of the IMN-Net paper (arXiv 2009.13249).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.log import Integers
from recbole_imn.model.attention import Attention
from recbole_imn.model.branch import Branch
from recbole_imn.model.conditioning import Conditioning
from recbole_imn.model.contexts import ContextMaps, Contexts
from recbole_imn.model.fusion import Fusion
from recbole_imn.model.layers import Projection
from recbole_imn.model.learning import Learning, LossTerm
from recbole_imn.model.lessons import prepare_lessons
from recbole_imn.model.negatives import Draw
from recbole_imn.model.ranking import Asked
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sharing import Read, can_be_split, shares_rows, sparse_tables
from recbole_imn.model.sources import Pointer
from recbole_imn.model.states import GeneralStates
from recbole_imn.model.statics import Statics
from recbole_imn.model.terms import CellTerm, ProductTerm, Rows
from recbole_imn.model.unrolled import Unrolled
from recbole_imn.model.window import RowColumns, Window
from recbole_imn.past import Facts, Past
from recbole_imn.processes import own_share
from recbole_imn.stream.plan import WindowPlan, plan_window


class Network(Learning):
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
        weights = torch.tensor(settings.ranking_weights)
        self.register_buffer("ranking_weights", weights)
        self.register_buffer("ranking_scales", torch.ones(2))
        self._heard_by: Callable[[Asked, Facts], None] | None = None

    # -- looking: nothing here depends on weights -------------------------------------------

    def look_at_lessons(
        self, past: Past, start: int, stop: int, seed: Sequence[int], first: int | None = None
    ) -> Window:
        """Look up a window of training, whose rows are its events.

        Of several processes that go in step, each looks up a part of the rows.

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
        facts = past.look_at_events(np.arange(start if first is None else first, stop))
        if not self.settings.first_events:
            facts = facts[(facts.count > 0).nonzero()[0]]
        rng = np.random.default_rng([*seed, start])
        own = past.log.item[facts.position].astype(np.int64)
        negatives = self.draw_negatives(past, start, own, rng)
        others, whole = negatives.items.reshape(-1), None
        if self._shares(len(facts), negatives.items.shape[-1]):
            # States of the same users and items, in the same order, in all processes.
            others, whole, rows = np.concatenate([others, facts.item]), facts, own_share(len(facts))
            facts, negatives = whole[rows], negatives.of_rows(rows)
        reach = self.settings.purchase_reach
        window = self.look(past, start, stop, facts, reach, others, whole)
        salt = int(rng.integers(2**20))
        lessons = prepare_lessons(past, window.plan, facts, negatives, self.cell_term, salt)
        return replace(window, lessons=lessons)

    def _shares(self, n: int, n_negatives: int) -> bool:
        """Whether several processes have a part each of so many rows."""
        if not self.losses or not all(map(can_be_split, self.products.values())):
            return False
        return shares_rows(n, n_negatives, self.pointer is not None)

    def look(
        self,
        past: Past,
        start: int,
        stop: int,
        facts: Facts,
        reach: int = 0,
        others: Integers | None = None,
        whole: Facts | None = None,
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
        whole : Facts, optional
            Of the rows of all processes, where these are a part of them.
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
            looked["attention"] = self.attention.look(past, facts, whole)
        rows = RowColumns(
            torch.from_numpy(facts.user),
            torch.from_numpy(facts.item),
            self.states.elapsed_user(facts.elapsed, facts.latest < 0),
            since_purchase,
            looked,
        )
        events = self.states.look(past, np.arange(start, stop))
        return Window(plan, events, purchases, facts, rows, whole=whole)

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
        return self._rows(unrolled, states, embedded, self._read(unrolled.window))

    def _read(self, window: Window) -> Read:
        """Read what rows take from tables of ids beside the items of their latest events."""
        users, attended = self.statics.user(window.plan.users), None
        if self.attention is not None:
            attended = self.statics.item(window.rows.looked["attention"].items)
        if window.whole is None:
            return Read(users, attended, {})
        of_rows = torch.from_numpy(window.whole.user).to(users.device)
        own = {term: term.read(of_rows) for term in self.products.values()}
        return Read(users, attended, {term: read for term, read in own.items() if read is not None})

    def weights_by_use(self) -> tuple[list[Tensor], list[Tensor]]:
        """Give the weights of rows' losses, and those of states and of tables of ids."""
        modules: list[nn.Module] = [self.states, self.statics]
        modules += [table for term in self.products.values() for table in sparse_tables(term)]
        apart = {weight for module in modules for weight in module.parameters()}
        if self.branch is not None:
            projection = self.branch.projection
            own = set() if projection is None else set(projection.parameters())
            apart |= set(self.branch.parameters()) - own
        weights: list[Tensor] = [weight for weight in self.parameters() if weight not in apart]
        return weights, [weight for weight in self.parameters() if weight in apart]

    def moving_rows(self, plan: WindowPlan) -> Tensor:
        """Give the rows of the buffer of states whose gradient reaches a weight, int64 [n]."""
        return self.states.moving_rows(plan)

    def _rows(self, unrolled: Unrolled, latest: Tensor, embedded: Tensor, read: Read) -> Rows:
        """Put contexts together, and map them to the space of representations.

        Parameters
        ----------
        unrolled : Unrolled
        latest : float [n, d]
            States of the items of users' latest events, conditioned.
        embedded : float [n_latest, d]
            Static embeddings of ``WindowPlan.latest_items``.
        read : Read
        """
        window, rows = unrolled.window, unrolled.window.rows
        plan = window.plan
        contexts = Contexts(
            self.fusion(*self.projected(unrolled)),
            read.users,
            plan.user_place,
            latest,
            embedded,
            plan.item_place,
        )
        mapped, attended = self.maps(contexts), None
        if self.attention is not None and read.attended is not None:
            attended = self.attention(rows.looked["attention"], mapped, read.attended)
            mapped = mapped.with_compared(attended)
        own = {} if window.whole is None else read.own_of(own_share(len(window.whole)))
        return Rows(rows, contexts, mapped, attended, own)

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
