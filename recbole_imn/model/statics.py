"""Static embeddings of users and items, compressed to the width of a state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from recbole_imn.kernels.conditioning import unit
from recbole_imn.kernels.lookup import look_up
from recbole_imn.model.layers import Affine


class StaticTable(nn.Module):
    """Static embeddings of ids, compressed one-hot vectors.

    Random unit vectors are nearly orthogonal, as one-hot vectors are exactly; the unit
    length keeps that geometry while they learn. Gradients are sparse: a step costs nothing
    for ids outside the window.

    Parameters
    ----------
    n_entities, width : int
        Shape, padding row 0 included.
    unit : bool
        Whether rows are scaled to unit length when read.
    features : float [n_entities, n_features], optional
        Standardised features, of which a linear map is added to the rows.
    n_known : int, optional
        Ids from this one on were never trained. They share one learned row, which other ids
        read now and then in training. Without it each has a random row of its own.
    dropout : float
        Share of the ids that read the shared row, for the length of a window.

    Attributes
    ----------
    salt : int or None
        Says which ids are left out at present; None leaves out none.
    """

    features: Tensor

    def __init__(
        self,
        n_entities: int,
        width: int,
        unit: bool,
        features: Tensor | None = None,
        n_known: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.unit, self.dropout = unit, dropout
        self.salt: int | None = None
        n_rows = n_entities if n_known is None else n_known
        self.table = nn.Embedding(n_rows, width, sparse=True)
        nn.init.normal_(self.table.weight, std=width**-0.5)
        self.unseen = None if n_known is None else nn.Parameter(torch.randn(width) * width**-0.5)
        self.of_features = None
        if features is not None and features.shape[1]:
            self.register_buffer("features", features, persistent=False)
            self.of_features = Affine(features.shape[1], width, bias=False)
            # Like and unlike items begin as far apart as two ids.
            nn.init.normal_(self.of_features.weight, std=(width * features.shape[1]) ** -0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """Look up embeddings, float [*ids.shape, width]."""
        rows = self.scaled(self.rows(ids.reshape(-1)))
        return rows.view(*ids.shape, rows.shape[1])

    def scaled(self, rows: Tensor) -> Tensor:
        """Scale embeddings as they are, float [n, width], to unit length if that is asked for."""
        return unit(rows) if self.unit else rows

    def rows(self, ids: Tensor) -> Tensor:
        """Look up embeddings as they are, float [n, width]."""
        rows = self._rows(ids)
        return rows if self.of_features is None else rows + self.of_features(self.features[ids])

    def grow(self, n_entities: int, features: Tensor | None = None) -> None:
        """Make room for more ids; those that are there keep their rows.

        Parameters
        ----------
        n_entities : int
        features : float [n_entities, n_features], optional
            Of all ids, where the table has features.
        """
        if self.of_features is not None and features is not None:
            self.features = features
        if self.unseen is None and n_entities > len(self.table.weight):
            self._add_random_rows(n_entities)

    @torch.no_grad()
    def _add_random_rows(self, n_entities: int) -> None:
        old = self.table.weight
        generator = torch.Generator()
        added = []
        for entity in range(len(old), n_entities):
            # Of an id alone, so that it does not matter when and with whom it comes.
            generator.manual_seed(entity)
            added.append(torch.randn(old.shape[1], generator=generator) * old.shape[1] ** -0.5)
        weight = torch.cat([old, torch.stack(added).to(old)])
        self.table.weight = nn.Parameter(weight)
        self.table.num_embeddings = n_entities

    def _rows(self, ids: Tensor) -> Tensor:
        rows: Tensor
        if self.unseen is None:
            rows = self.table(ids)
            return rows
        return look_up(self.table.weight, self.unseen, ids, self.salt, self.dropout)


class Statics(nn.Module):
    """The static embeddings of users and of items."""

    def __init__(self, user: StaticTable, item: StaticTable) -> None:
        super().__init__()
        self.user, self.item = user, item

    @contextmanager
    def leaving_out(self, salt: int) -> Iterator[None]:
        """Leave ids out meanwhile, others for another salt."""
        self.user.salt, self.item.salt = salt, salt + 1
        try:
            yield
        finally:
            self.user.salt = self.item.salt = None
