"""What a term is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_imn.log import Floats, Ids, Integers
from recbole_imn.model.contexts import Contexts, Mapped
from recbole_imn.model.parts import Making
from recbole_imn.model.window import RowColumns
from recbole_imn.past import Facts, Past


@dataclass(frozen=True)
class Rows:
    """Rows to be scored, with their contexts.

    Attributes
    ----------
    columns : RowColumns
        What was looked up of them.
    parts : Contexts
        Their contexts, part by part.
    mapped : Mapped
        What two linear maps make of them, and attention adds.
    attended : float [n, 2d] or None
        What attention has added to what is compared, before the temperature.
    own : dict of ProductTerm to float [n, width]
        What terms read of tables of ids, where that is read apart.
    """

    columns: RowColumns
    parts: Contexts
    mapped: Mapped
    attended: Tensor | None = None
    own: Mapping[ProductTerm, Tensor] = field(default_factory=dict)

    @property
    def predicted(self) -> Tensor:
        """Where the next item's representation is expected, equation (11), float [n, 2d]."""
        return self.mapped.predicted

    @cached_property
    def compared(self) -> Tensor:
        """W c over the temperature, equation (13): the rows' side of the ratio, float [n, 2d]."""
        return self.mapped.compared

    @cached_property
    def contexts(self) -> Tensor:
        """Contexts [user, static user, previous item's state, previous static item] of rows.

        Float [n, n_parts * d]; whoever wants a linear layer of them asks :attr:`parts`.
        """
        return self.parts.joined()


class Term(nn.Module):
    """A summand of the log density ratio; subclasses are of one of the two kinds below.

    Parameters
    ----------
    making : Making
    """

    def __init__(self, making: Making) -> None:
        super().__init__()

    @classmethod
    def applies(cls, making: Making) -> bool:
        """Whether the log has what the term goes by; else it is left out."""
        return True


class ProductTerm(Term):
    """An inner product of something of the row and something of the item."""

    def look(self, past: Past, facts: Facts) -> Any:
        """Look up what the term needs of rows; tensors, or nothing."""
        return None

    def read(self, users: Tensor) -> Tensor | None:
        """Read the term's own table of ids for rows' users, float [n, width]; None without one.

        Several processes read it for each other's rows, so that :meth:`queries` takes it from
        ``rows.own`` where it is there. A term with such a table and without this is not split.

        Parameters
        ----------
        users : int64 [n]
        """
        return None

    def queries(self, rows: Rows, looked: Any) -> Tensor:
        """Give the rows' side, float [n, width], with what :meth:`look` gave."""
        raise NotImplementedError

    def items(self, ids: Tensor, represented: Tensor) -> Tensor:
        """Give the items' side, float [m, width].

        Parameters
        ----------
        ids : int64 [m]
        represented : float [m, 2d]
            Conditioned state and static embedding of each item.
        """
        raise NotImplementedError

    def grow(self, n_users: int, n_items: int, item_features: Tensor) -> None:
        """Make room for users and items that come later."""


def described_anew(
    described: Tensor, known: Tensor, features: Tensor, describe: Callable[[Tensor], Tensor]
) -> Tensor:
    """Give descriptions of items with those of the ones that have come, or have other features.

    Parameters
    ----------
    described : float [n_known, n_columns]
    known : float [n_known, n_features]
        What they are descriptions of.
    features : float [n_items, n_features]
        Of those that are known, and of others behind them.
    describe : callable
        Describes features, float [n, n_features], of which it takes the first for padding.

    Returns
    -------
    float [n_items, n_columns]
    """
    n_known = len(known)
    moved = (features[:n_known].to(known) != known).any(dim=1).nonzero().squeeze(1)
    rows = torch.cat([moved, torch.arange(n_known, len(features), device=moved.device)])
    added = described.new_zeros(len(features) - n_known, described.shape[1])
    found = torch.cat([described, added])
    here = torch.cat([features[:1], features[rows.to(features.device)]])
    found[rows] = describe(here)[1:].to(found)
    return found


class CellTerm(Term):
    """A table by an item's cell: what was done last with it, and how long ago."""

    @property
    def values(self) -> Tensor:
        """Value of each cell, float [n_cells]."""
        raise NotImplementedError

    def kinds(self, past: Past, latest: Integers, counts: Integers) -> Ids:
        """Give the kind of items by their latest events and how many they have had, int32."""
        raise NotImplementedError

    def cells(self, kinds: Ids, elapsed: Floats) -> Ids:
        """Give cells of items by kind and seconds since their latest event, int32."""
        raise NotImplementedError

    def of_items(self, past: Past, facts: Facts, items: Tensor) -> Tensor:
        """Give the values of one item a row, float [n]."""
        known = past.look_at_items(items.cpu().numpy(), facts.at, facts.position)
        kinds = self.kinds(past, known.latest, known.count)
        cells = torch.from_numpy(self.cells(kinds, known.elapsed)).long()
        return self.values[cells.to(self.values.device)]

    def of_catalogue(self, past: Past, facts: Facts) -> Tensor:
        """Give the values of all items for one row of the present, float [n_items]."""
        items = torch.arange(past.log.n_items)
        return self.of_items(past, facts[np.zeros(len(items), np.int64)], items)

    def add_to(self, scores: Tensor, past: Past, start: int, facts: Facts) -> None:
        """Add the values of the whole catalogue to scores [n, n_items], in place.

        Parameters
        ----------
        scores : float [n, n_items]
        past : Past
        start : int
            A position not beyond the first row's.
        facts : Facts
            Of the rows, in order of their positions.
        """
        for row in range(len(facts)):
            items = torch.arange(scores.shape[1])
            one = facts[np.full(len(items), row)]
            scores[row] += self.of_items(past, one, items)
