"""How a network ranks: rows and items as vectors, and what joins their products."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recbole_imn.kernels.mixture import add_mixture, log_add_hits
from recbole_imn.log import Integers
from recbole_imn.model.contexts import ContextMaps
from recbole_imn.model.settings import NetworkSettings
from recbole_imn.model.sources import Pointer
from recbole_imn.model.statics import Statics
from recbole_imn.model.terms import CellTerm, ProductTerm, Rows
from recbole_imn.past import Facts, Past


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


class Ranking(nn.Module):
    """The ranking of a network, which says what rows and items are.

    Attributes
    ----------
    settings : NetworkSettings
    statics : Statics
    maps : ContextMaps
    products : mapping of str to ProductTerm
    cell_term : CellTerm or None
    pointer : Pointer or None
    ranking_weights, ranking_scales : float [2]
        alpha_m and alpha_n, and what the two parts are divided by.
    """

    settings: NetworkSettings
    statics: Statics
    maps: ContextMaps
    products: Mapping[str, ProductTerm]
    cell_term: CellTerm | None
    pointer: Pointer | None
    ranking_weights: Tensor
    ranking_scales: Tensor
    _heard_by: Callable[[Asked, Facts], None] | None

    def represent(self, embedded: Tensor, places: Tensor, states: Tensor, rows: Tensor) -> Tensor:
        """Give representations of items; see :class:`~recbole_imn.model.network.Network`."""
        raise NotImplementedError

    def density_queries(self, rows: Rows) -> Tensor:
        """Give the rows' side of the log density ratio, float [n, width]."""
        raise NotImplementedError

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

    def add_freshness_and_pointer(
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

    def add_freshness_and_pointer_to_one(
        self, scores: Tensor, past: Past, asked: Asked, facts: Facts, items: Tensor
    ) -> Tensor:
        """Do the same for the score of one item a row, float [n]."""
        if self.cell_term is not None:
            scores = scores + self.cell_term.of_items(past, facts, items)
        if self.pointer is not None:
            scores = log_add_hits(scores, items, asked.candidates, self._joining(asked, facts))
        return scores

    def add_freshness_and_pointer_to_some(
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
